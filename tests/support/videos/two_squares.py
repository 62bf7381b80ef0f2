"""A video of two resting squares, and models that track each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from support.fakes.several_squares import CrowdDetector, CrowdNetwork, crowd_frame

if TYPE_CHECKING:
    from pathlib import Path

LARGE, SMALL = (120, 180, 80), (500, 180, 60)  # x, y, side


def two_squares_video(path: Path, frames: int = 60, *, small_from: int = 0) -> Path:
    """Write 25 frames a second of (640, 360) pixels; the small square is there from a frame on."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.codec_context.gop_size = 10
        for index in range(frames):
            squares = (LARGE, SMALL) if index >= small_from else (LARGE,)
            image = crowd_frame(index, *squares).image
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def two_squares_models(_: TrackSettings | None = None) -> OpenModels:
    """Return a detector that finds the larger square first, and a network that follows either."""
    network = CrowdNetwork()
    return OpenModels(network, CrowdDetector(), (network.card,))
