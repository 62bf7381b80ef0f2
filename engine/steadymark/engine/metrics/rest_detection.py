"""Detection of the frames in which a face is at rest.

Without ground truth, jitter can be measured only in these frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from steadymark.engine.metrics.accuracy import Real, Values

Mask = NDArray[np.bool_]

WINDOW_S = 1.0
DRIFT = 0.5  # In % of the outer-eye distance, like SPREAD.
SPREAD = 3.0


def still_frames(points: Real, fps: float, size_px: float) -> Mask:
    """Return the frames in which the face is at rest.

    Two conditions are checked in the second around each frame. First, the mean positions of the
    landmarks in the first and in the second half differ by less than 0.5 % of the outer-eye
    distance (mean over landmarks). This measure averages jitter out, so a tracker that jitters is
    not mistaken for a moving face. Second, the landmarks deviate from their mean position by less
    than 3 % (root mean square over frames, mean over landmarks). This measure recognizes a face
    that nods fast.

    Args:
        points: Landmarks, (T, K, 2), in pixels, with NaN in frames without the face.
        fps: Frames per second.
        size_px: Mean outer-eye distance, in pixels.

    Returns:
        A mask, (T,), that is True in frames in which the face is at rest.
    """
    half = half_window(fps)
    still = np.zeros(len(points), np.bool_)
    if len(points) < 2 * half:
        return still
    has_face = np.asarray(np.isfinite(points).all((1, 2)))
    percent = np.where(has_face[:, None, None], points, 0.0).astype(np.float64) / size_px * 100
    percent -= (
        percent[has_face].mean(0) if has_face.any() else 0.0
    )  # Keeps sums of squares precise.
    means, squares = _running(percent, half), _running(percent**2, 2 * half)
    mean = (means[:-half] + means[half:]) / 2
    drift = np.linalg.norm(means[half:] - means[:-half], axis=-1).mean(-1)
    spread = np.sqrt(np.maximum(squares - mean**2, 0).sum(-1)).mean(-1)
    face_in_window = _running(has_face.astype(np.float64), 2 * half) > 1 - 1e-9
    still[half : len(still) - half + 1] = face_in_window & (drift < DRIFT) & (spread < SPREAD)
    return still


def segments(still: Mask, fps: float) -> list[slice]:
    """Return the runs of still frames that last at least half a second.

    Args:
        still: Mask of still frames, (T,).
        fps: Frames per second.

    Returns:
        Slices of frames.
    """
    return [run for run in true_runs(still) if run.stop - run.start >= half_window(fps)]


def true_runs(mask: Mask) -> list[slice]:
    """Return the runs of true values, in order.

    Args:
        mask: (T,) mask.

    Returns:
        A slice for each run.
    """
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0)).tolist()
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def half_window(fps: float) -> int:
    """Return half the length of the detection window.

    Args:
        fps: Frames per second.

    Returns:
        A number of frames, at least 2.
    """
    return max(2, round(fps * WINDOW_S / 2))


def _running(values: Values, length: int) -> Values:
    """Return running means over `length` frames: (T, …) → (T - length + 1, …)."""
    sums = np.concatenate((np.zeros_like(values[:1]), np.cumsum(values, axis=0)))
    means: Values = (sums[length:] - sums[:-length]) / length
    return means
