"""The last guard over every stabilizer: where it contradicts the raw landmarks, these win.

A stabilizer may hold landmarks back by what is noise, and be late by what a face has just done.
Beyond that it is wrong, whatever the reason, and its memory is worth nothing. A filter that looks
at frames to come is judged likewise, by the frames of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.crop import transform
from steadymark.models.face.face_motion import EYES_OF_RADIUS, face_size, landmark_motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Landmarks
    from steadymark.models.face.crop import Points

_FURTHEST, _MEAN = 0.10, 0.04  # of the eye distance, of one landmark and of all
_NOISE = 4.0  # standard deviations of the raw landmarks
_LEARN = 0.1  # of a frame, in the noise
_AROUND = 21  # frames of both sides together, whose median scatter is a frame's noise offline


@dataclass(frozen=True, slots=True, eq=False)
class RawHistory:
    """What is known of a face's raw landmarks up to a frame.

    xy_px: (K, 2) of that frame. noise_px: how far they stray from frame to frame beside the motion
    that all of them share, root mean square.
    """

    xy_px: Points
    noise_px: float


def update_history(before: RawHistory | None, raw: Landmarks) -> RawHistory:
    """The course with one more frame."""
    xy = raw.xy_px
    if before is None:
        return RawHistory(xy, 0.0)
    moved = transform(landmark_motion(before.xy_px, xy), xy) - before.xy_px
    scatter = float(np.sqrt(np.square(moved).sum(-1).mean()))
    known = before.noise_px or scatter
    return RawHistory(xy, known + _LEARN * (min(scatter, 3 * known) - known))


def contradicts(steady: Landmarks, raw: Landmarks, before: RawHistory | None) -> bool:
    """Whether stabilized landmarks contradict the raw ones of the same frame.

    They do where one is further from its raw place than a tenth of the outer-eye distance, or all
    together than 4 %, four times the raw landmarks' noise, and the way that they went in this
    frame. The eye distance is taken of the face's size, since it collapses on profiles.

    before: of the frames before this one.
    """
    if before is None or steady is raw:
        return False
    xy = raw.xy_px
    eyes_px = face_size(xy)
    away = np.linalg.norm(steady.xy_px - xy, axis=-1)
    beyond = away - np.linalg.norm(xy - before.xy_px, axis=-1) - _NOISE * before.noise_px
    return bool(beyond.max() > _FURTHEST * eyes_px or beyond.mean() > _MEAN * eyes_px)


def contradicted_frames(steady: NDArray[np.float64], raw: NDArray[np.float64]) -> NDArray[np.bool_]:
    """In which frames of a recording the stabilized landmarks contradict the raw ones.

    The rule is that of `contradicts`, the same forwards and backwards in time: the noise is the
    median of the ten frames before and after, and the way that is allowed for is the shorter one of
    those from the last frame and to the next, so that no landmark that jumps for a single frame
    excuses what a filter makes of its neighbours.

    steady, raw: (T, K, 2), finite. Returns (T,).
    """
    if len(raw) < 2:
        return np.zeros(len(raw), np.bool_)
    way = landmark_ways(raw)
    shorter = np.concatenate((way[:1], np.minimum(way[:-1], way[1:]), way[-1:]))
    away = np.linalg.norm(steady - raw, axis=-1)
    beyond = away - shorter - _NOISE * _noise_around(raw)[:, None]
    spread = np.square(raw - raw.mean(1, keepdims=True)).sum(-1).mean(-1)
    eyes_px = np.maximum(1e-3, EYES_OF_RADIUS * np.sqrt(spread))
    wrong: NDArray[np.bool_] = (beyond.max(-1) > _FURTHEST * eyes_px) | (
        beyond.mean(-1) > _MEAN * eyes_px
    )
    return wrong


def landmark_ways(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T - 1, K): how far each landmark goes from every frame to the next; raw: (T, K, 2)."""
    ways: NDArray[np.float64] = np.linalg.norm(np.diff(raw, axis=0), axis=-1)
    return ways


def _noise_around(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,): the noise of `RawHistory`, of the frames before and after each."""
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
