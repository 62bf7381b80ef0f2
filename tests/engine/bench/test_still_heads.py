"""The benchmark of head pose and expressions while a face rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.bench.clips.still_heads import still_head
from steadymark.engine.core.errors import SourceError
from steadymark.engine.tracking.settings import TrackSettings
from support.fakes.fake_engine import square_image
from support.videos.square_video import square_models

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 40


def clip(path: Path, frames: int = FRAMES) -> str:
    """Write a video of a still face."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(frames):
            image = square_image((100, 100, 60))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return str(path)


def test_a_still_face_has_a_still_head_and_no_flickering_shapes(tmp_path: Path) -> None:
    seen: list[int] = []
    settings = TrackSettings(stabilizer="none")
    row = still_head(clip(tmp_path / "a.mp4"), settings, square_models(), report=seen.append)
    assert row.still > FRAMES / 2
    assert 0 < row.landmarks < 1.5
    assert row.pose < 1.1 * row.landmarks
    assert row.turn_deg < 0.5
    assert row.flickers < 0.1
    assert seen == list(range(1, FRAMES + 1))


def test_a_clip_too_short_to_show_rest_has_no_figures(tmp_path: Path) -> None:
    settings = TrackSettings(stabilizer="none")
    row = still_head(clip(tmp_path / "a.mp4", frames=4), settings, square_models())
    assert row.still == 0
    assert np.isnan([row.landmarks, row.pose, row.turn_deg, row.shapes, row.flickers]).all()


def test_a_file_that_is_no_video_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    with pytest.raises(SourceError):
        still_head(str(path), TrackSettings(), square_models())
