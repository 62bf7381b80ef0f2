"""How a face moves through a made scene: rest, slow, fast, sudden starts and stops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEP_S = 1 / 480  # of the path's own samples
REACH = 1.0  # how far the face strays from the middle, in outer-eye distances
_SPREAD = np.array([REACH, REACH, 0.2, 15.0])  # of x, y, log scale, roll in degrees
_GENTLE = 0.25  # how far a slow movement goes, of a fast one

_KINDS = {  # how often, and its length in seconds
    "rest": (0.3, (0.2, 0.6)),
    "slow": (0.3, (0.4, 1.0)),
    "fast": (0.2, (0.15, 0.35)),
    "sudden": (0.2, (0.15, 0.4)),
}


class HeadPath(NamedTuple):
    """values: (N, 4) every STEP_S: x, y in outer-eye distances, log scale, roll in degrees."""

    values: Array

    def at(self, t_s: Array | float) -> Array:
        """(..., 4) at times in seconds; the ends go on."""
        place = np.asarray(t_s, np.float64) / STEP_S
        grid = np.arange(len(self.values))
        return np.stack([np.interp(place, grid, column) for column in self.values.T], -1)


def head_path_of_scene(
    length_s: float, rng: np.random.Generator, *, reach: float = 1.0
) -> HeadPath:
    """Return a path of at least that many seconds.

    A slow or fast movement eases in and out; a sudden one has its full speed at once and stops at
    once. `rng` alone decides.

    Args:
        length_s: seconds.
        rng: makes all choices.
        reach: how far movements go, as a share of the usual ones. It does not change the choices.
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
