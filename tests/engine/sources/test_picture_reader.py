"""Pictures for thumbnails: keyframes where there are any, and otherwise exactly the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.picture_reader import PictureReader
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image


def test_a_keyframe_is_preferred_to_the_middle() -> None:
    read: list[int] = []

    def image(number: int) -> Image:
        read.append(number)
        return np.zeros((2, 2, 3), np.uint8)

    reader = PictureReader(image, lambda: None, np.array([0, 12, 24]))
    for frames in (range(10), range(10, 20), range(20, 30), range(13, 24), range(5, 6)):
        reader.picture(frames)
    assert read == [0, 12, 24, 18, 5]


def test_the_pictures_of_a_video_are_its_frames(tmp_path: Path) -> None:
    video = VideoFile(square_video(tmp_path / "a.mp4", 40))
    reader = video.picture_reader()
    try:
        np.testing.assert_array_equal(reader.picture(range(1)), video.frame_at(0).image)
        np.testing.assert_array_equal(reader.picture(range(17, 18)), video.frame_at(17).image)
        reader.close()
        assert video.frame_at(3).image.any()
        with pytest.raises(SourceError, match="was closed"):
            reader.picture(range(1))
    finally:
        video.close()
