"""When is a face still? Jitter without ground truth is measured there, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from steadymark.engine.metrics.accuracy import Real, Values

Mask = NDArray[np.bool_]

WINDOW_S = 1.0
DRIFT = 0.5  # % of the outer-eye distance
SPREAD = 3.0


def still_frames(points: Real, fps: float, size_px: float) -> Mask:
    """(T, K, 2), NaN in frames without the face → (T,), whether the face is still.

    A frame is still when, in the second around it, the landmarks' mean places in the first and
    the second half are less than 0.5 % of the outer-eye distance apart (mean over landmarks), and
    the landmarks stray from their mean place by less than 3 % (root mean square over frames, mean
    over landmarks). The first measure averages jitter away, so that a tracker that jitters is not
    taken for a face that moves; the second knows a face that nods fast from a still one.
    size_px: the mean outer-eye distance.
    """
    half = half_window(fps)
    still = np.zeros(len(points), np.bool_)
    if len(points) < 2 * half:
        return still
    there = np.asarray(np.isfinite(points).all((1, 2)))
    percent = np.where(there[:, None, None], points, 0.0).astype(np.float64) / size_px * 100
    percent -= percent[there].mean(0) if there.any() else 0.0  # sums of squares stay exact
    means, squares = _running(percent, half), _running(percent**2, 2 * half)
    mean = (means[:-half] + means[half:]) / 2
    drift = np.linalg.norm(means[half:] - means[:-half], axis=-1).mean(-1)
    spread = np.sqrt(np.maximum(squares - mean**2, 0).sum(-1)).mean(-1)
    whole = _running(there.astype(np.float64), 2 * half) > 1 - 1e-9
    still[half : len(still) - half + 1] = whole & (drift < DRIFT) & (spread < SPREAD)
    return still


def segments(still: Mask, fps: float) -> list[slice]:
    """The runs of still frames that last half a second or more."""
    edges = np.flatnonzero(np.diff(still.astype(np.int8), prepend=0, append=0))
    runs = [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return [run for run in runs if run.stop - run.start >= half_window(fps)]


def half_window(fps: float) -> int:
    """Frames of half the window."""
    return max(2, round(fps * WINDOW_S / 2))


def _running(values: Values, length: int) -> Values:
    """Means over `length` frames: (T, …) → (T - length + 1, …)."""
    sums = np.concatenate((np.zeros_like(values[:1]), np.cumsum(values, axis=0)))
    means: Values = (sums[length:] - sums[:-length]) / length
    return means
