"""The last guard over every stabilizer: where it contradicts the raw landmarks, these win.

A stabilizer may hold landmarks back by what is noise, and be late by what a face has just done.
Beyond that it is wrong, whatever the reason, and its memory is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.cropping import transform
from steadymark.models.registration import face_size, landmark_motion

if TYPE_CHECKING:
    from steadymark.engine.types import Landmarks
    from steadymark.models.cropping import Points

_FURTHEST, _MEAN = 0.10, 0.04  # of the eye distance, of one landmark and of all
_NOISE = 4.0  # standard deviations of the raw landmarks
_LEARN = 0.1  # of a frame, in the noise


@dataclass(frozen=True, slots=True, eq=False)
class RawCourse:
    """What is known of a face's raw landmarks up to a frame.

    xy_px: (K, 2) of that frame. noise_px: how far they stray from frame to frame beside the motion
    that all of them share, root mean square.
    """

    xy_px: Points
    noise_px: float


def course(before: RawCourse | None, raw: Landmarks) -> RawCourse:
    """The course with one more frame."""
    xy = raw.xy_px
    if before is None:
        return RawCourse(xy, 0.0)
    moved = transform(landmark_motion(before.xy_px, xy), xy) - before.xy_px
    scatter = float(np.sqrt(np.square(moved).sum(-1).mean()))
    known = before.noise_px or scatter
    return RawCourse(xy, known + _LEARN * (min(scatter, 3 * known) - known))


def contradicts(steady: Landmarks, raw: Landmarks, before: RawCourse | None) -> bool:
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
