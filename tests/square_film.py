"""A small video of the bright square that `scenes.SquareDetector` finds, and the fakes' models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from scenes import SquareDetector, SquareNetwork, picture
from steadymark.engine.settings import Models, TrackSettings

if TYPE_CHECKING:
    from pathlib import Path


def square_video(path: Path, frames: int = 40, *, lost: range = range(12, 16)) -> Path:
    """25 frames a second, a keyframe every 10; the square moves, and is not there in `lost`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.gop_size = 10
        for i in range(frames):
            image = picture(None if i in lost else (square_x(i), 100, 60))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def square_x(index: int) -> int:
    """Where the square's middle is in a frame: to and fro, a pixel a frame."""
    return 100 + abs(index % 100 - 50)


def square_models(_: TrackSettings | None = None) -> Models:
    """Fakes of the networks."""
    network = SquareNetwork()
    return Models(network, SquareDetector(), (network.card,))  # type: ignore[arg-type]
