"""Every third frame of the demo clip, for tests that track all of its events several times."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

STEP, RATE = 3, 10


def write_demo_excerpt(path: Path) -> Path:
    """Write 100 frames, 10 a second, in which the face moves, leaves the image and returns."""
    demo = str(assets_root() / "clips" / "demo.mp4")
    with av.open(demo) as clip, av.open(str(path), "w") as excerpt:
        stream = excerpt.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height = clip.streams.video[0].width, clip.streams.video[0].height
        stream.pix_fmt = "yuv420p"
        for index, frame in enumerate(clip.decode(video=0)):
            if index % STEP == 0:
                frame.pts, frame.time_base = index // STEP, Fraction(1, RATE)
                excerpt.mux(stream.encode(frame))
        excerpt.mux(stream.encode(None))
    return path
