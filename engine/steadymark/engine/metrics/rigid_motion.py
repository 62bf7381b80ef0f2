"""Motion of landmarks besides the rigid motion of the face: jitter without ground truth.

Frame-to-frame motion alone rewards a lagging stabilizer wherever the face really moves. The motion
that remains after the face's rigid motion is removed does not. `bench.clips.rigid_flow` measures
the rigid motion in the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import mean_of_finite, outer_eye_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.metrics.accuracy import Real, Values

RIGID = (27, 28, 29, 30, 36, 39, 42, 45)  # Nose ridge and eye corners move with the skull.
WITHOUT_JAW = tuple(range(17, 68))


def motion_beyond_rigid(
    points: Real, rigid: Real, size_px: float, *, landmarks: Sequence[int] | None = None
) -> float:
    """Return the mean motion of landmarks besides the face's rigid motion.

    It is the mean of |p(t + 1) - S(t) p(t)| over frames and landmarks, where S(t) is the rigid
    motion.

    Args:
        points: Landmarks, (T, K, 2), in pixels.
        rigid: Similarity transform S(t) of the face from frame t to t + 1, (T - 1, 2, 3), in frame
            pixels; NaN where it is unknown.
        size_px: Mean outer-eye distance, in pixels.
        landmarks: Indices of the landmarks that count; None for all.

    Returns:
        The motion, in percent of the outer-eye distance per frame; NaN where nothing is known.
    """
    percent = distance_from_rigid_motion(points, rigid) / size_px * 100
    return float(mean_of_finite(percent if landmarks is None else percent[:, list(landmarks)]))


def distance_from_rigid_motion(points: Real, rigid: Real) -> Values:
    """Return how far each landmark lies from where the face's rigid motion moves it.

    Args:
        points: Landmarks, (T, K, 2), in pixels.
        rigid: Similarity transforms between neighbouring frames, (T - 1, 2, 3).

    Returns:
        Distances, (T - 1, K), in pixels.
    """
    xy = points.astype(np.float64)
    moved = np.einsum("tij,tkj->tki", rigid[:, :, :2], xy[:-1]) + rigid[:, None, :, 2]
    distance: Values = np.linalg.norm(xy[1:] - moved, axis=-1)
    return distance


def eye_distance(points: Real) -> float:
    """Return the mean outer-eye distance of a video.

    Args:
        points: Landmarks, (T, 68, 2), in pixels, with NaN in frames without the face.

    Returns:
        The distance, in pixels; NaN when no frame has a face.
    """
    return float(mean_of_finite(outer_eye_distance(points)))
