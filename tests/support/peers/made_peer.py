"""An adapter of `bench compare` that answers with the demo clip's own truth, changed as told."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import numpy as np


class MadePeer:
    """Options: truth (a .npy file), shift_px, late (frames), dies (frame), lost (frame)."""

    order = "bgr"
    landmarks = "ibug68"

    def __init__(self, options: dict[str, str]) -> None:
        if "needs" in options:
            raise ImportError(f"No module named '{options['needs']}'")
        self.versions = {"made": "1"}
        self._options = options
        self._truth = np.load(options["truth"])
        self._frame = 0

    def start_clip(self, width: int, height: int) -> None:
        self._frame = 0

    def track(self, image: Any, time_s: float) -> Any:
        t, self._frame = self._frame, self._frame + 1
        if t == int(self._options.get("dies", -1)):
            os._exit(3)
        if t == int(self._options.get("raises", -1)):
            raise RuntimeError("the network is broken")
        sys.stdout.write("a tracker that prints to the standard output\n")
        time.sleep(float(self._options.get("sleep_ms", 0)) / 1e3)
        if t == int(self._options.get("lost", -1)):
            return None
        points = self._truth[max(0, t - int(self._options.get("late", 0)))]
        return points + float(self._options.get("shift_px", 0))


def open_peer(options: dict[str, str]) -> MadePeer:
    return MadePeer(options)
