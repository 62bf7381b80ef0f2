"""A video of two bright squares, one of which leaves and comes back, and models that find both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from support.fakes.several_squares import CrowdDetector, CrowdNetwork, crowd_frame

if TYPE_CHECKING:
    from pathlib import Path

FRAMES, LEAVES, RETURNS = 110, 20, 85


def two_face_video(path: Path) -> Path:
    """Return a video at 25 frames a second; the smaller square is away for longer than 2 s."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 160, "yuv420p"
        for i in range(FRAMES):
            squares = [(80.0 + i / 10, 80.0, 60.0)]
            if not LEAVES <= i < RETURNS:
                squares.append((240.0 - i / 10, 80.0, 44.0))
            image = crowd_frame(i, *squares, size=(320, 160)).image
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def crowd_models(_: TrackSettings | None = None) -> OpenModels:
    """Return the fake network and detector, which find every square."""
    network = CrowdNetwork()
    return OpenModels(network, CrowdDetector(), (network.card,))
