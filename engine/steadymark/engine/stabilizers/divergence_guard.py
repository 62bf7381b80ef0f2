"""Divergence guard: restart a stabilizer whose landmarks contradict the raw ones.

A stabilizer may differ from the raw landmarks by their noise, and lag by what the face has just
done. If it differs by more, it is wrong for some reason and its state is useless. A filter that
uses future frames is judged in the same way, with the frames on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.crop import transform
from steadymark.models.face.face_motion import EYE_DISTANCE_PER_RADIUS, face_size, landmark_motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Landmarks
    from steadymark.models.face.crop import Points

_FURTHEST, _MEAN = 0.10, 0.04  # Shares of the eye distance, for one landmark and for the mean.
_NOISE = 4.0  # Standard deviations of the raw landmarks' noise.
_LEARN = 0.1  # Weight of one frame in the noise estimate.
_AROUND = 21  # Window of the offline noise estimate, in frames.


@dataclass(frozen=True, slots=True, eq=False)
class RawHistory:
    """What is known of a face's raw landmarks up to one frame.

    Attributes:
        xy_px: Raw landmarks of that frame, (K, 2), in pixels.
        noise_px: Noise of the landmarks from frame to frame relative to their common motion, root
            mean square, in pixels.
    """

    xy_px: Points
    noise_px: float


def update_history(before: RawHistory | None, raw: Landmarks) -> RawHistory:
    """Return the history with one more frame.

    Args:
        before: History of the previous frames; None for the first frame.
        raw: Raw landmarks of the new frame.

    Returns:
        The new history.
    """
    xy = raw.xy_px
    if before is None:
        return RawHistory(xy, 0.0)
    moved = transform(landmark_motion(before.xy_px, xy), xy) - before.xy_px
    scatter = float(np.sqrt(np.square(moved).sum(-1).mean()))
    known = before.noise_px or scatter
    return RawHistory(xy, known + _LEARN * (min(scatter, 3 * known) - known))


def contradicts(stabilized: Landmarks, raw: Landmarks, before: RawHistory | None) -> bool:
    """Return whether stabilized landmarks contradict the raw ones of the same frame.

    They contradict if one landmark is further from its raw place than a tenth of the outer-eye
    distance, or the mean distance exceeds 4 % of it, after four times the raw landmarks' noise and
    their motion in this frame are subtracted. The eye distance is derived from the face's size,
    because it collapses in profile views.

    Args:
        stabilized: Stabilized landmarks.
        raw: Raw landmarks of the same frame.
        before: History of the previous frames; None for the first frame.

    Returns:
        Whether they contradict.
    """
    if before is None or stabilized is raw:
        return False
    xy = raw.xy_px
    eyes_px = face_size(xy)
    distance = np.linalg.norm(stabilized.xy_px - xy, axis=-1)
    excess = distance - np.linalg.norm(xy - before.xy_px, axis=-1) - _NOISE * before.noise_px
    return bool(excess.max() > _FURTHEST * eyes_px or excess.mean() > _MEAN * eyes_px)


def contradicted_frames(
    stabilized: NDArray[np.float64], raw: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the frames of a recording in which the stabilized landmarks contradict the raw ones.

    The rule is that of `contradicts`, but symmetric in time. The noise is the median over the ten
    frames before and after. The allowed motion is the smaller of the motions from the previous and
    to the next frame, so that a landmark that jumps for a single frame does not excuse errors in
    its neighbours.

    Args:
        stabilized: Stabilized landmarks, (T, K, 2), finite, in pixels.
        raw: Raw landmarks, (T, K, 2), finite, in pixels.

    Returns:
        A mask, (T,).
    """
    if len(raw) < 2:
        return np.zeros(len(raw), np.bool_)
    steps = landmark_steps(raw)
    allowed = np.concatenate((steps[:1], np.minimum(steps[:-1], steps[1:]), steps[-1:]))
    distance = np.linalg.norm(stabilized - raw, axis=-1)
    excess = distance - allowed - _NOISE * _noise_around(raw)[:, None]
    spread = np.square(raw - raw.mean(1, keepdims=True)).sum(-1).mean(-1)
    eyes_px = np.maximum(1e-3, EYE_DISTANCE_PER_RADIUS * np.sqrt(spread))
    wrong: NDArray[np.bool_] = (excess.max(-1) > _FURTHEST * eyes_px) | (
        excess.mean(-1) > _MEAN * eyes_px
    )
    return wrong


def landmark_steps(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each landmark moves from each frame to the next.

    Args:
        raw: Landmarks, (T, K, 2), in pixels.

    Returns:
        Distances, (T - 1, K), in pixels.
    """
    steps: NDArray[np.float64] = np.linalg.norm(np.diff(raw, axis=0), axis=-1)
    return steps


def _noise_around(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the noise of `RawHistory`, (T,), estimated from the frames before and after."""
    from scipy.ndimage import median_filter

    scatter = np.array(
        [
            np.sqrt(np.square(transform(landmark_motion(a, b), b) - a).sum(-1).mean())
            for a, b in pairwise(raw)
        ]
    )
    both = np.concatenate((scatter[:1], (scatter[:-1] + scatter[1:]) / 2, scatter[-1:]))
    noise: NDArray[np.float64] = median_filter(both, _AROUND, mode="nearest")
    return noise
