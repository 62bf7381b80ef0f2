"""How much a face moves in itself, as optical flow sees it: what no stabilizer may take off.

Flow of the landmarks beside the motion of the whole face, where flow back to the frame before ends
where it began, and of that what lies in the directions in which faces move (`face_modes`): talking,
lids, brows, and small turns in depth. On a face at rest what is left is the noise of flow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import mean_of_finite
from steadymark.engine.tracking.geometry import crop_of_landmarks
from steadymark.models.face.crop import cut
from steadymark.models.face.deformation_modes import face_modes
from steadymark.models.face.face_motion import face_size
from steadymark.models.face.landmark_flow import landmark_flow
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_stabilizer import FLOW_SIDE, flow_frame_of

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackedFace
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.landmark_flow import FlowFrame

_MARGIN = 1.4
_MISS = 0.01  # of the face's size: a landmark that flow back misses by more is not known


class ExpressionFlow:
    """Takes a video's frames with the raw points, then tells how far landmarks moved beside it."""

    def __init__(self) -> None:
        self._last: FlowFrame | None = None
        self._moved_px: list[float] = []

    def add(self, image: Image, points: Points | None, *, goes_on: bool = True) -> None:
        """The next frame, BGR, and the raw points (68, 2) in it; None where no face is.

        goes_on: whether it shows the same face in the same scene as the frame before.
        """
        now = None if points is None else _seen(image, points)
        if now is not None and self._last is not None and goes_on:
            self._moved_px.append(own_motion(self._last, now))
        self._last = now

    def watch(self, image: Image, face: TrackedFace | None, *, goes_on: bool) -> None:
        """The next frame with its face, see `add`."""
        self.add(image, face.raw.xy_px if face and face.raw else None, goes_on=goes_on)

    def mean_px(self) -> float:
        """The mean over frames and landmarks, pixels a frame; NaN where nothing is known."""
        return float(mean_of_finite(np.array(self._moved_px, np.float64)))


def own_motion(before: FlowFrame, now: FlowFrame) -> float:
    """Mean motion of the landmarks beside that of the face, pixels; NaN where flow is lost."""
    schema = load_schema()
    flow = landmark_flow(before, now, before.raw, schema)
    known = flow.unsure < _MISS * face_size(now.raw)
    if known.mean() < 0.5:
        return float("nan")
    roll = math.radians(now.crop.roll_deg)
    upright = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    moved = (flow.beside @ upright) * known[:, None]
    modes = face_modes(schema).reshape(moved.size, -1)
    own = (modes @ (modes.T @ moved.ravel())).reshape(-1, 2)
    return float(np.linalg.norm(own, axis=-1).mean())


def _seen(image: Image, points: Points) -> FlowFrame:
    crop = crop_of_landmarks(points, load_schema(), margin=_MARGIN)
    part = cut(image, crop.to_picture(FLOW_SIDE), FLOW_SIDE)
    return flow_frame_of(image, part, crop, points)
