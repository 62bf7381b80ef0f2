"""Detection of frames in which a face is at rest by optical flow, independently of any tracker."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.metrics.rest_detection import half_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import FaceBox
    from steadymark.models.face.crop import Image

FACE_PX = 128  # Width of the face in the images that are compared.
MOST = 0.6  # 90th percentile of the face's motion in half a second, in % of its width.


class RestFlow:
    """Accumulates the motion of a face over the frames of a video."""

    def __init__(self, fps: float) -> None:
        self._history: deque[tuple[Image, FaceBox | None]] = deque(maxlen=half_window(fps))
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._scale = 0.0
        self._motions: list[float] = []

    def add(self, image: Image, box: FaceBox | None) -> None:
        """Add the next frame.

        Args:
            image: The frame, (H, W, 3) uint8 BGR.
            box: Box of the face; None when the frame has no face.
        """
        if not self._scale and box is not None:
            self._scale = min(1.0, FACE_PX / box.width)
        scale = self._scale or 1.0
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        small = np.asarray(
            cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        self._motions.append(self._motion(small, box))
        self._history.append((small, box))

    def _motion(self, now: Image, box: FaceBox | None) -> float:
        """Return the motion in the last half second, in % of the face's width; NaN if unknown."""
        if len(self._history) < (self._history.maxlen or 0):
            return float("nan")
        before, old = self._history[0]
        if box is None or old is None:
            return float("nan")
        left, top = (int(max(0, v * self._scale)) for v in (old.left, old.top))
        right, bottom = (int(v * self._scale) for v in (old.left + old.width, old.top + old.height))
        a, b = (np.ascontiguousarray(p[top:bottom, left:right]) for p in (before, now))
        if min(a.shape) < 16:
            return float("nan")
        flow = self._flow.calc(a, b, np.zeros((*a.shape, 2), np.float32))
        far = float(np.percentile(np.linalg.norm(flow, axis=-1), 90))
        return far / (old.width * self._scale) * 100

    def still(self) -> NDArray[np.bool_]:
        """Return the frames, (T,), that lie in half a second during which the face did not move."""
        still = np.zeros(len(self._motions), np.bool_)
        length = self._history.maxlen or 1
        for end, moved in enumerate(self._motions):
            if moved < MOST:
                still[end - length : end + 1] = True
        return still
