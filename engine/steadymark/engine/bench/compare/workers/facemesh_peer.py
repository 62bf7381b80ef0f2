"""FaceMesh, the solution of older MediaPipe packages, as a peer."""

from __future__ import annotations

from typing import Any

import mediapipe
import numpy as np

if not hasattr(mediapipe, "solutions"):
    raise ImportError(
        f"MediaPipe {mediapipe.__version__} has no solutions.face_mesh, which version 0.10.21 has"
    )


class FaceMeshPeer:
    """Tracks one face with the mesh of 478 points (`refine_landmarks`) and its smoothing."""

    order = "rgb"
    landmarks = "mediapipe478"

    def __init__(self) -> None:
        self.versions = {"mediapipe": mediapipe.__version__}
        self._size = np.ones(2)
        self._mesh: Any = self._open()

    @staticmethod
    def _open() -> Any:
        return mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True)

    def start_clip(self, width: int, height: int) -> None:
        self._mesh.close()
        self._mesh, self._size = self._open(), np.array((width, height), np.float64)

    def track(self, image: Any, time_s: float) -> Any:
        found = self._mesh.process(image).multi_face_landmarks
        if not found:
            return None
        return np.array([(point.x, point.y) for point in found[0].landmark]) * self._size - 0.5


def open_peer(options: dict[str, str]) -> FaceMeshPeer:
    """Open FaceMesh; it brings its models along."""
    return FaceMeshPeer()
