"""Deformation of a face, measured by optical flow; a stabilizer must not remove it.

The flow of each landmark is taken relative to the motion of the whole face, where the flow back to
the previous frame ends at the starting point. It is projected onto the directions in which faces
deform (`face_modes`): talking, eyelids, brows and small turns in depth. For a face at rest, the
noise of the flow remains.
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
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.runtime.flow_stabilizer import FLOW_SIDE, flow_frame_of

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackedFace
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.landmark_flow import FlowFrame

_MARGIN = 1.4
_MOST_BACKWARD_ERROR = 0.01  # Largest error of the backward flow, as a share of the face's size.


class ExpressionFlow:
    """Accumulates the deformation of a face over the frames of a video."""

    def __init__(self) -> None:
        self._last: FlowFrame | None = None
        self._moved_px: list[float] = []

    def add(self, image: Image, points: Points | None, *, same_scene: bool = True) -> None:
        """Add the next frame.

        Args:
            image: The frame, (H, W, 3) uint8 BGR.
            points: Raw landmarks, (68, 2), in pixels; None when the frame has no face.
            same_scene: Whether face and scene are those of the previous frame.
        """
        now = None if points is None else _flow_frame_of_face(image, points)
        if now is not None and self._last is not None and same_scene:
            self._moved_px.append(deformation_between(self._last, now))
        self._last = now

    def watch(self, image: Image, face: TrackedFace | None, *, same_scene: bool) -> None:
        """Add the next frame with its tracked face; see `add`."""
        self.add(image, face.raw.xy_px if face and face.raw else None, same_scene=same_scene)

    def mean_px(self) -> float:
        """Return the mean over frames and landmarks, in pixels per frame; NaN if unknown."""
        return float(mean_of_finite(np.array(self._moved_px, np.float64)))


def deformation_between(before: FlowFrame, now: FlowFrame) -> float:
    """Return the mean deformation between two frames, in pixels; NaN if the flow is lost.

    Args:
        before: The previous frame.
        now: The current frame.
    """
    schema = load_schema(IBUG68)
    flow = landmark_flow(before, now, before.raw, schema)
    known = flow.unsure < _MOST_BACKWARD_ERROR * face_size(now.raw)
    if known.mean() < 0.5:
        return float("nan")
    roll = math.radians(now.crop.roll_deg)
    upright = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    moved = (flow.beside @ upright) * known[:, None]
    modes = face_modes(schema).reshape(moved.size, -1)
    own = (modes @ (modes.T @ moved.ravel())).reshape(-1, 2)
    return float(np.linalg.norm(own, axis=-1).mean())


def _flow_frame_of_face(image: Image, points: Points) -> FlowFrame:
    crop = crop_of_landmarks(points, load_schema(IBUG68), margin=_MARGIN)
    part = cut(image, crop.matrix_to_image(FLOW_SIDE), FLOW_SIDE)
    return flow_frame_of(image, part, crop, points)
