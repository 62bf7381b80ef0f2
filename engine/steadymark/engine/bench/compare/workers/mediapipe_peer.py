"""MediaPipe's Face Landmarker as a peer, in the mode for videos, which tracks and smooths."""

from __future__ import annotations

from typing import Any

import mediapipe
import numpy as np
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision


class MediapipePeer:
    """Tracks one face; a new landmarker for each clip, since its times must increase."""

    order = "rgb"
    landmarks = "mediapipe478"

    def __init__(self, options: dict[str, str]) -> None:
        self.versions = {"mediapipe": mediapipe.__version__}
        self._file = options["file"]
        self._size = np.ones(2)
        self._last_ms = -1
        self._landmarker: Any = self._open()

    def _open(self) -> Any:
        return vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=tasks.BaseOptions(model_asset_path=self._file),
                running_mode=vision.RunningMode.VIDEO,
                num_faces=1,
            )
        )

    def start_clip(self, width: int, height: int) -> None:
        self._landmarker.close()
        self._landmarker, self._last_ms = self._open(), -1
        self._size = np.array((width, height), np.float64)

    def track(self, image: Any, time_s: float) -> Any:
        self._last_ms = max(self._last_ms + 1, round(time_s * 1e3))
        picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, image)
        found = self._landmarker.detect_for_video(picture, self._last_ms).face_landmarks
        if not found:
            return None
        return np.array([(point.x, point.y) for point in found[0]]) * self._size - 0.5


def open_peer(options: dict[str, str]) -> MediapipePeer:
    """Open the model file `options["file"]`, a face_landmarker.task."""
    return MediapipePeer(options)
