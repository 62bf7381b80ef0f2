"""Videos that were cut off are told from whole ones, with the share that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.engine.sources.video.probe_report import probe
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.odd_videos import ODD_VIDEOS, OddVideo, encoded
from support.videos.video_corpus import INTACT_VIDEOS, Recipe

if TYPE_CHECKING:
    from pathlib import Path

_FRAMES = 60
_MUXER = {"a.mp4": {"movflags": "faststart"}}


def long_video(folder: Path, name: str) -> Path:
    """A video of keyframes, which have about the same size."""
    recipe = Recipe(name, "mpeg4", width=320, height=240, frames=_FRAMES, gop=1)
    return encoded(recipe, **_MUXER.get(name, {})).make(folder)


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    part = path.with_name(f"part_{path.name}")
    part.write_bytes(content[: round(len(content) * share)])
    return part


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.flv"])
def test_the_share_of_a_video_that_was_cut_off_is_told(tmp_path: Path, name: str) -> None:
    part = cut(long_video(tmp_path, name.replace("flv", "mkv")), 0.25)
    if name == "a.flv":
        recipe = Recipe(name, "flv", width=320, height=240, frames=_FRAMES, gop=1)
        part = cut(encoded(recipe).make(tmp_path), 0.25)
    source = VideoFile(part)
    assert source.info.cut_off is not None
    assert source.info.frames is not None
    assert source.info.cut_off.share == pytest.approx(0.25, abs=0.04)
    assert source.info.cut_off.share == pytest.approx(source.info.frames / _FRAMES, abs=0.03)
    assert source.info.cut_off.sentence in source.info.notes
    assert len(list(source.frames())) < _FRAMES / 3
    report = probe(part)
    assert report.cut_off == source.info.cut_off.sentence
    assert any(line.startswith("cut off: it is cut off") for line in report.lines())


@pytest.mark.parametrize("name", ["a.ts", "fragments.mp4"])
def test_a_format_without_a_length_tells_only_that_it_was_cut_off(
    tmp_path: Path, name: str
) -> None:
    recipe = Recipe(name, width=320, height=240, frames=_FRAMES, gop=5)
    muxer = {"movflags": "frag_keyframe+empty_moov"} if name == "fragments.mp4" else {}
    whole = encoded(recipe, **muxer).make(tmp_path)
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2 // 188 * 188 + 100])
    found = VideoFile(whole).info.cut_off
    assert found is not None
    assert found.share is None
    assert "not known" in found.sentence


def test_a_part_that_ends_before_the_cut_is_whole(tmp_path: Path) -> None:
    part = cut(long_video(tmp_path, "a.mp4"), 0.5)
    assert VideoFile(part, end_s=0.4).info.cut_off is None
    assert VideoFile(part, start_s=0.4).info.cut_off is not None


def test_a_video_without_its_index_of_frames_at_the_end_is_not_called_cut_off(
    tmp_path: Path,
) -> None:
    """All frames are there; only the list of keyframes behind them is incomplete."""
    whole = long_video(tmp_path, "a.mkv")
    part = tmp_path / "part.mkv"
    part.write_bytes(whole.read_bytes()[:-4])
    assert VideoFile(part).info.cut_off is None


@pytest.mark.parametrize("ending", [b"\0" * 300, b"trailer of a camera", b"\xff" * 64])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_what_a_camera_appends_to_a_video_is_no_damage(
    tmp_path: Path, name: str, ending: bytes
) -> None:
    path = long_video(tmp_path, name)
    path.write_bytes(path.read_bytes() + ending)
    assert VideoFile(path).info.cut_off is None


@pytest.mark.parametrize(
    "video", [*map(encoded, INTACT_VIDEOS), *ODD_VIDEOS], ids=lambda video: video.name
)
def test_no_whole_video_is_called_cut_off(video: OddVideo, tmp_path: Path) -> None:
    assert VideoFile(video.make(tmp_path)).info.cut_off is None
