"""Odd but intact videos: frames and times equal those of FFmpeg, and seeks are exact."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.frame_conversion import FrameConverter
from steadymark.engine.sources.video import container
from steadymark.engine.sources.video.probe_report import probe
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos import damage_videos
from support.videos.odd_videos import (
    EMPTY,
    ODD_VIDEOS,
    OddVideo,
    plain_decode,
    repacked,
    timed,
)
from support.videos.video_corpus import Recipe, make, number_in

if TYPE_CHECKING:
    from pathlib import Path

    from av.video.frame import VideoFrame

    from steadymark.models.face.crop import Image

pytestmark = pytest.mark.timeout(20)


@pytest.fixture(scope="module", params=ODD_VIDEOS, ids=lambda a: a.name)
def odd_video(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[OddVideo, Path]:
    file: OddVideo = request.param
    return file, file.make(tmp_path_factory.mktemp("awkward"))


def test_the_corpus_is_large() -> None:
    names = [a.name for a in (*ODD_VIDEOS, *EMPTY)]
    assert len(names) == len(set(names)) >= 90


def test_frames_and_times_equal_those_of_ffmpeg(odd_video: tuple[OddVideo, Path]) -> None:
    file, path = odd_video
    times, numbers = plain_decode(path)
    source = VideoFile(path)
    frames = list(source.frames())
    assert [number_in(np.rot90(f.image, -file.quarters)) for f in frames] == numbers
    indices = [f.index for f in frames]
    assert indices == sorted(set(indices))
    assert [f.pts_s for f in frames] == source.times_s[indices].tolist()
    skipped = any("skipped" in problem for problem in source.problems)
    assert skipped == (source.info.frames != len(frames))
    assert skipped == path.name.startswith(("no_key", "lost_key"))
    assert probe(path, decode=True).decoded == len(frames)
    found = np.array([f.pts_s for f in frames])
    if file.ticks is not None:
        assert found == pytest.approx(np.array(file.ticks) / 25, abs=1e-4)
        assert source.info.notes
    else:
        known = np.array(times, np.float64)
        if path.suffix in (".m2v", ".m4v", ".avi"):  # their times start before the first frame
            known -= known[0]
        assert found == pytest.approx(known, abs=1e-5)
    assert np.all(np.diff(found) >= 0)


def test_a_seek_returns_exactly_the_requested_frame(odd_video: tuple[OddVideo, Path]) -> None:
    _, path = odd_video
    frames = {f.index: f for f in VideoFile(path).frames()}
    source = VideoFile(path)
    for index in np.random.default_rng(5).permutation(len(source.times_s)).tolist():
        if index not in frames:
            with pytest.raises(SourceError, match=f"frame {index} .* is damaged"):
                source.frame_at(index)
            continue
        single_frame = source.frame_at(index)
        assert (single_frame.index, single_frame.pts_s) == (index, frames[index].pts_s)
        assert np.array_equal(single_frame.image, frames[index].image), index
    source.close()


@pytest.mark.parametrize("file", EMPTY, ids=lambda a: a.name)
def test_a_file_without_frames_is_refused(tmp_path: Path, file: OddVideo) -> None:
    path = file.make(tmp_path)
    for reader in (VideoFile, probe):
        with pytest.raises(SourceError, match=r"no frames|no images|not a video|empty") as caught:
            reader(path)
        assert "\n" not in str(caught.value)


def test_a_huge_frame_size_is_refused_before_memory_is_allocated(tmp_path: Path) -> None:
    path = make(tmp_path, Recipe("giant.mjpeg", "mjpeg", "yuvj420p", frames=2))
    content = bytearray(path.read_bytes())
    position = 0
    while (position := content.find(b"\xff\xc0", position)) >= 0:
        content[position + 5 : position + 9] = b"\xff\x00\xff\x00"
        position += 2
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"65280x65280, more than|no frame can be decoded"):
        VideoFile(path)


def test_frames_larger_than_the_limit_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = make(tmp_path, Recipe("a.mjpeg", "mjpeg", "yuvj420p", frames=3))
    large = make(tmp_path, Recipe("b.mjpeg", "mjpeg", "yuvj420p", 192, 128, frames=3))
    path = tmp_path / "both.mjpeg"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    monkeypatch.setattr(container, "MOST_PIXELS", 100 * 100)
    source = VideoFile(path)
    assert [f.width for f in source.frames()] == [96] * 3
    assert source.problems


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "names",
    [
        ("h264_b.ts", "h264_b.mkv", "restart.ts", "fragments.mp4"),
        ("open_hevc.ts", "altref.webm", "hidden_av1.mkv", "hq.mov"),
        ("mpeg4_b.avi", "mpeg2.mpg", "mjpeg.avi", "animated.gif", "raw.ivf"),
    ],
)
def test_truncated_or_altered_files_are_read_or_refused(names: tuple[str, ...]) -> None:
    """Cut at 10 places and alter 1 % of the bytes; `damage_videos.py` does so for all videos."""
    command = [sys.executable, damage_videos.__file__, *names]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        command, capture_output=True, text=True, env=paths, timeout=50, check=False
    )
    last = [line for line in run.stderr.splitlines() if not line.startswith("Svt")][-12:]
    assert run.returncode == 0, (run.stdout, last)
    assert run.stdout.count("'read'") == len(names)


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.webm", "libvpx-vp9")])
def test_damage_at_the_end_loses_no_intact_frame(tmp_path: Path, name: str, codec: str) -> None:
    path = make(tmp_path, Recipe(name, codec, frames=40, gop=1))
    content = bytearray(path.read_bytes())
    with av.open(path) as container:
        last = [p for p in container.demux() if p.size][38]
        position = content.rindex(bytes(last))
        content[position + 4 : position + last.size] = bytes(last.size - 4)
    path.write_bytes(content)
    source = VideoFile(path)
    frames = {f.index: number_in(f.image) for f in source.frames()}
    assert {i: n for i, n in frames.items() if i != 38} == {i: i for i in range(40) if i != 38}
    assert len(frames) == damage_videos.plainly_decoded(path)
    assert source.problems


def test_a_frame_that_cannot_be_converted_is_skipped_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = FrameConverter.to_image

    def convert_or_fail(converter: FrameConverter, frame: VideoFrame) -> Image:
        if frame.pts is not None and frame.pts % 5 == 0:
            raise ValueError("no such colours")
        return convert(converter, frame)

    monkeypatch.setattr(FrameConverter, "to_image", convert_or_fail)
    source = VideoFile(make(tmp_path, Recipe("a.mkv", frames=12, rate=1000)))
    assert [f.index for f in source.frames()] == [1, 2, 3, 4, 6, 7, 8, 9, 11]
    assert source.problems == ("3 damaged frames were skipped near 00:00.0",)
    with pytest.raises(SourceError, match=r"frame 5 .* cannot be converted to an image"):
        source.frame_at(5)


def test_one_wrong_timestamp_loses_no_frame(tmp_path: Path) -> None:
    recipe = Recipe("a.mkv", b_frames=2, frames=40)
    ticks = [p * 25 // 1000 for p in packet_order(make(tmp_path, recipe))]
    ticks[9] = 1_000_000
    video = repacked("wild.mkv", recipe, timed(ticks)).make(tmp_path)
    source = VideoFile(video)
    frames = list(source.frames())
    assert [number_in(f.image) for f in frames] == list(range(40))
    assert [f.pts_s for f in frames] == pytest.approx(np.arange(40) / 25)
    assert number_in(source.frame_at(30).image) == 30


def packet_order(path: Path) -> list[int]:
    """Return the presentation times of the packets in file order, in ms."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        unit_ms = 1000 * float(stream.time_base or 1)
        return [round((p.pts or 0) * unit_ms) for p in container.demux(stream) if p.size]
