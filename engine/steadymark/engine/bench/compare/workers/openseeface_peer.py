"""OpenSeeFace as a peer, from the user's copy of its repository."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import version
from typing import Any

import numpy as np


class OpenSeeFacePeer:
    """Tracks one face on one thread, with the settings of its program `facetracker.py`.

    The direction of the gaze is not computed, since no other peer computes it.
    """

    order = "bgr"
    landmarks = "openseeface66"

    def __init__(self, options: dict[str, str]) -> None:
        sys.path.insert(0, options["folder"])
        self._make: Any = importlib.import_module("tracker").Tracker
        self._model = int(options.get("model", "3"))
        self.versions = {"onnxruntime": version("onnxruntime"), "numpy": np.__version__}
        self._tracker = self._open(640, 480)

    def _open(self, width: int, height: int) -> Any:
        return self._make(
            width,
            height,
            model_type=self._model,
            max_faces=1,
            max_threads=1,
            scan_every=3,
            silent=True,
            no_gaze=True,
        )

    def start_clip(self, width: int, height: int) -> None:
        self._tracker = self._open(width, height)

    def track(self, image: Any, time_s: float) -> Any:
        faces = [face for face in self._tracker.predict(image) if face.lms is not None]
        if not faces:
            return None
        return np.asarray(faces[0].lms, np.float64)[:66, 1::-1]  # its first column is y


def open_peer(options: dict[str, str]) -> OpenSeeFacePeer:
    """Open the networks in the folder `options["folder"]`; `model` is 0 to 4, or -1 to -3."""
    return OpenSeeFacePeer(options)
