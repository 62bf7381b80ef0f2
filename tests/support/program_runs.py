"""The program on a short part of the demo clip, started like a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path


def small_clip(path: Path, frames: int) -> Path:
    """The first frames of the demo clip, half as large."""
    demo = assets_root() / "clips" / "demo.mp4"
    with av.open(str(demo)) as source, av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for frame, _ in zip(source.decode(video=0), range(frames), strict=False):
            small = cv2.resize(frame.to_ndarray(format="bgr24"), (320, 240))
            video_frame = av.VideoFrame.from_ndarray(small.astype(np.uint8), format="bgr24")
            output.mux(stream.encode(video_frame))
        output.mux(stream.encode(None))
    return path


def start_program(*arguments: str | Path) -> subprocess.Popen[str]:
    """`steadymark` with these arguments."""
    return subprocess.Popen(
        [sys.executable, "-m", "steadymark.app", *map(str, arguments)],
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_program(*arguments: str | Path) -> tuple[int, str]:
    """The exit code and the output of the program, which contains no traceback."""
    process = start_program(*arguments)
    text, _ = process.communicate(timeout=120)
    assert "Traceback" not in text, text
    return process.returncode, text
