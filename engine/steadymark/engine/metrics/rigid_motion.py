"""What landmarks do besides the rigid motion of the face: jitter without truth, though it moves.

Plain frame-to-frame motion rewards lag wherever a face really moves. What is left after the face's
own rigid motion, which the picture tells (`bench.rigid_by_flow`), does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import mean_of_finite, outer_eye_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.metrics.accuracy import Real, Values

RIGID = (27, 28, 29, 30, 36, 39, 42, 45)  # nose ridge and eye corners: they move with the skull
WITHOUT_JAW = tuple(range(17, 68))


def motion_besides(
    points: Real, rigid: Real, size_px: float, *, landmarks: Sequence[int] | None = None
) -> float:
    """Mean of |p(t + 1) - S(t) p(t)| over frames and landmarks, in % of the outer-eye distance.

    points: (T, K, 2). rigid: (T - 1, 2, 3), the similarity S(t) of the face from frame t to t + 1,
    frame pixels, NaN where it is not known. size_px: the mean outer-eye distance. landmarks: only
    of these. NaN where nothing is known.
    """
    left = left_over(points, rigid) / size_px * 100
    return float(mean_of_finite(left if landmarks is None else left[:, list(landmarks)]))


def left_over(points: Real, rigid: Real) -> Values:
    """(T - 1, K): distance in pixels of each landmark from where the face's motion takes it."""
    given = points.astype(np.float64)
    carried = np.einsum("tij,tkj->tki", rigid[:, :, :2], given[:-1]) + rigid[:, None, :, 2]
    apart: Values = np.linalg.norm(given[1:] - carried, axis=-1)
    return apart


def eye_distance(points: Real) -> float:
    """The mean outer-eye distance of a video (T, 68, 2), pixels."""
    return float(mean_of_finite(outer_eye_distance(points)))
