"""Odd videos in the session: single frames are read while a piece of the video is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.recording.media import Media
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.odd_videos import ODD_VIDEOS, OddVideo

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "altref.webm",
    "open_hevc.ts",
    "refresh.mkv",
    "uneven_b.mkv",
    "same_b.mkv",
    "all_same.mkv",
    "begins_anew.mkv",
    "pause.mp4",
    "twice_b.mp4",
    "restart.ts",
    "grows.mjpeg",
    "lost_key.mp4",
)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "file", [a for a in ODD_VIDEOS if a.name in NAMES], ids=lambda a: a.name.replace(".", "_")
)
def test_pieces_and_single_frames_equal_those_of_a_full_read(
    tmp_path: Path, file: OddVideo
) -> None:
    path = file.make(tmp_path)
    frames = {f.index: f for f in VideoFile(path).frames()}
    media = Media(str(path))
    count = len(media.times_s)
    assert np.all(np.diff(media.times_s) >= 0)
    for start in (count // 2, 0, count - 2, count // 3):
        piece = media.segment(range(start, min(start + 3, count)))
        indices = []
        for frame in piece.frames():
            indices.append(frame.index)
            assert np.array_equal(frame.image, frames[frame.index].image)
            other_index = max(frames) - frame.index if max(frames) - frame.index in frames else 0
            single_frame = media.frame_at(other_index)
            assert np.array_equal(single_frame.image, frames[other_index].image)
            assert single_frame.pts_s == media.times_s[other_index]
        assert indices == [i for i in range(start, min(start + 3, count)) if i in frames]
        assert piece.ended
    media.close()


def test_every_name_is_in_the_corpus() -> None:
    assert set(NAMES) <= {a.name for a in ODD_VIDEOS}
