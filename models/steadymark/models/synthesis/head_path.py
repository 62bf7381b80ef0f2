"""The path of a head through a synthetic scene: rest, slow, fast and abrupt movements."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEP_S = 1 / 480  # time between two samples of the path
REACH = 1.0  # largest distance from the centre, in outer-eye distances
_SPREAD = np.array([REACH, REACH, 0.2, 15.0])  # range (±) of x, y, log scale and roll in degrees
_GENTLE = 0.25  # length of a slow movement, as a share of a fast one

_KINDS = {  # kind: (probability, (shortest, longest) duration in seconds)
    "rest": (0.3, (0.2, 0.6)),
    "slow": (0.3, (0.4, 1.0)),
    "fast": (0.2, (0.15, 0.35)),
    "sudden": (0.2, (0.15, 0.4)),
}


class HeadPath(NamedTuple):
    """Position, scale and roll of a head over time.

    Attributes:
        values: (N, 4) one sample every STEP_S seconds: x and y in outer-eye distances, log scale,
            roll in degrees.
    """

    values: Array

    def at(self, t_s: Array | float) -> Array:
        """Interpolate the path at times in seconds.

        Args:
            t_s: Times in seconds, of any shape. Times outside the path give its first or last
                sample.

        Returns:
            (..., 4) values, one row per time.
        """
        place = np.asarray(t_s, np.float64) / STEP_S
        grid = np.arange(len(self.values))
        return np.stack([np.interp(place, grid, column) for column in self.values.T], -1)


def head_path_of_scene(
    length_s: float, rng: np.random.Generator, *, reach: float = 1.0
) -> HeadPath:
    """Return a random path of at least `length_s` seconds.

    Slow and fast movements start and stop smoothly. An abrupt movement has a constant speed from
    its first sample to its last.

    Args:
        length_s: Duration in seconds.
        rng: Makes all random choices.
        reach: Size of the movements relative to the usual size. It does not change the random
            choices.
    """
    names = list(_KINDS)
    shares = [share for share, _ in _KINDS.values()]
    here = rng.uniform(-0.5, 0.5, 4) * _SPREAD
    parts: list[Array] = []
    count = 0
    while count * STEP_S <= length_s:
        kind = names[int(rng.choice(len(names), p=shares))]
        samples = max(2, round(rng.uniform(*_KINDS[kind][1]) / STEP_S))
        there = rng.uniform(-1, 1, 4) * _SPREAD
        if kind == "rest":
            there = here
        elif kind == "slow":
            there = here + _GENTLE * (there - here)
        there = here + reach * (there - here)
        way = np.arange(1, samples + 1) / samples
        if kind != "sudden":
            way = way * way * (3 - 2 * way)
        parts.append(here + way[:, None] * (there - here))
        here = there
        count += samples
    return HeadPath(np.concatenate(parts))
