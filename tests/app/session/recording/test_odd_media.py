"""Awkward films in the window's hands: frames looked at while a piece of the film is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.recording.media import Media
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.odd_videos import AWKWARD, Awkward

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
    "file", [a for a in AWKWARD if a.name in NAMES], ids=lambda a: a.name.replace(".", "_")
)
def test_pieces_and_frames_looked_at_are_exactly_those(tmp_path: Path, file: Awkward) -> None:
    path = file.make(tmp_path)
    frames = {f.index: f for f in VideoFile(path).frames()}
    film = Media(str(path))
    count = len(film.times_s)
    assert np.all(np.diff(film.times_s) >= 0)
    for start in (count // 2, 0, count - 2, count // 3):
        piece = film.piece(range(start, min(start + 3, count)))
        given = []
        for frame in piece.frames():
            given.append(frame.index)
            assert np.array_equal(frame.image, frames[frame.index].image)
            elsewhere = max(frames) - frame.index if max(frames) - frame.index in frames else 0
            still = film.frame_at(elsewhere)
            assert np.array_equal(still.image, frames[elsewhere].image)
            assert still.pts_s == film.times_s[elsewhere]
        assert given == [i for i in range(start, min(start + 3, count)) if i in frames]
        assert piece.ended
    film.close()


def test_every_name_is_one_of_the_corpus() -> None:
    assert set(NAMES) <= {a.name for a in AWKWARD}
