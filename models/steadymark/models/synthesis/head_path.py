"""The path of a head through a synthetic scene: rest, slow, fast and abrupt movements."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEP_S = 1 / 480  # time between two samples of the path
REACH = 1.0  # largest distance from the centre, in outer-eye distances
_SPREAD = np.array([REACH, REACH, 0.2, 15.0])  # range (±) of x, y, log scale and roll in degrees
_SLOW_SHARE = 0.25  # length of a slow movement, as a share of a fast one

_MOVEMENTS = {  # kind: (probability, (shortest, longest) duration in seconds)
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
        position = np.asarray(t_s, np.float64) / STEP_S
        grid = np.arange(len(self.values))
        return np.stack([np.interp(position, grid, column) for column in self.values.T], -1)


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
    names = list(_MOVEMENTS)
    probabilities = [share for share, _ in _MOVEMENTS.values()]
    start = rng.uniform(-0.5, 0.5, 4) * _SPREAD
    parts: list[Array] = []
    count = 0
    while count * STEP_S <= length_s:
        kind = names[int(rng.choice(len(names), p=probabilities))]
        samples = max(2, round(rng.uniform(*_MOVEMENTS[kind][1]) / STEP_S))
        target = rng.uniform(-1, 1, 4) * _SPREAD
        if kind == "rest":
            target = start
        elif kind == "slow":
            target = start + _SLOW_SHARE * (target - start)
        target = start + reach * (target - start)
        progress = np.arange(1, samples + 1) / samples
        if kind != "sudden":
            progress = progress * progress * (3 - 2 * progress)
        parts.append(start + progress[:, None] * (target - start))
        start = target
        count += samples
    return HeadPath(np.concatenate(parts))
