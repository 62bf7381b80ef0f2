"""The annotated video keeps its source's times and sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.types import Frame, TrackResult
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.audio_copy import AudioCopy
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.sources.video.video_file import VideoFile
from support.fakes.fake_results import face_points, source_info, track_result, tracked_face
from support.videos.sound_clips import VARIABLE, frame_times, make_clip, sound_extent

if TYPE_CHECKING:
    from collections.abc import Callable


def annotate(
    source: Path,
    out: Path,
    *,
    first: int = 0,
    last: int = 10**6,
    hurried: bool = False,
    before_close: Callable[[], None] = lambda: None,
) -> list[float]:
    """Annotate the frames first … last; return their times in the source."""
    sink = AnnotatedVideoSink(out, str(source), hurried=hurried)
    sink.open(source_info(path=str(source), size=(64, 48)))
    times = []
    face = tracked_face(points=face_points(32, 24, 30))
    with av.open(str(source)) as clip:
        for i, frame in enumerate(clip.decode(video=0)):
            if first <= i <= last and frame.time is not None:
                image = frame.to_ndarray(format="bgr24").astype(np.uint8)
                sink.write(TrackResult(Frame(image, i, frame.time), (face,)))
                times.append(frame.time)
    before_close()
    sink.close(complete=True)
    return times


def mp4_boxes(path: Path) -> list[str]:
    """Return the types of an MP4 file's top-level boxes."""
    content, offset, found = path.read_bytes(), 0, []
    while offset + 8 <= len(content):
        found.append(content[offset + 4 : offset + 8].decode())
        offset += int.from_bytes(content[offset : offset + 4], "big")
    return found


@pytest.mark.parametrize("start", [0, 700], ids=["from 0", "from 46 ms"])
@pytest.mark.parametrize("sound", [None, "aac"], ids=["silent", "sound"])
def test_frames_keep_their_exact_times(tmp_path: Path, start: int, sound: str | None) -> None:
    source = make_clip(tmp_path / "in.mp4", [t + start for t in VARIABLE], sound=sound)
    annotate(source, tmp_path / "out.mp4")
    assert frame_times(tmp_path / "out.mp4") == frame_times(source)
    assert len(frame_times(source)) == len(VARIABLE)


def test_a_matroska_source_keeps_its_times(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", VARIABLE, sound="aac")
    annotate(source, tmp_path / "out.mp4")
    assert frame_times(tmp_path / "out.mp4") == frame_times(source)


@pytest.mark.parametrize("sound_s", [1, 6])
@pytest.mark.parametrize("hurried", [False, True])
def test_an_unfinished_video_can_be_played(tmp_path: Path, *, hurried: bool, sound_s: int) -> None:
    """A full disk or a killed program costs only the last seconds."""
    ticks = [700 + i * 512 for i in range(180)]
    source = make_clip(tmp_path / "in.mp4", ticks, sound="aac", sound_s=sound_s)
    copies = []

    def copy_unfinished_file() -> None:
        copies.append(tmp_path / "left.mp4")
        copies[0].write_bytes((tmp_path / "out.mp4.part").read_bytes())

    annotate(source, tmp_path / "out.mp4", hurried=hurried, before_close=copy_unfinished_file)
    whole, found = frame_times(source), frame_times(copies[0])
    assert len(whole) == 180
    assert len(found) >= 110  # all but two seconds and what the encoder holds
    assert found == whole[: len(found)]
    assert frame_times(tmp_path / "out.mp4") == whole
    assert sound_extent(copies[0])[2] > min(sound_s, 4) - 0.1
    assert "moof" in mp4_boxes(copies[0])
    assert "moof" not in mp4_boxes(
        tmp_path / "out.mp4"
    )  # a plain file, which any program can seek in


@pytest.mark.parametrize(
    ("ending", "codec", "kept"),
    [("mp4", "aac", "aac"), ("mkv", "ac3", "ac3"), ("mkv", "pcm_s16le", "aac")],
)
def test_the_sound_is_kept(tmp_path: Path, ending: str, codec: str, kept: str) -> None:
    source = make_clip(tmp_path / f"in.{ending}", [i * 512 for i in range(30)], sound=codec)
    annotate(source, tmp_path / "out.mp4")
    name, start_s, end_s = sound_extent(tmp_path / "out.mp4")
    assert name == kept
    assert start_s == pytest.approx(0, abs=0.04)
    assert end_s == pytest.approx(1, abs=0.05)


def test_copied_sound_is_the_same_to_the_byte(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", [i * 512 for i in range(30)], sound="aac")
    annotate(source, tmp_path / "out.mp4")

    def packets(path: Path) -> list[tuple[int | None, bytes]]:
        with av.open(str(path)) as clip:
            return [(p.pts, bytes(p)) for p in clip.demux(audio=0) if p.size]

    assert packets(tmp_path / "out.mp4") == packets(source)


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_a_video_of_a_part_starts_at_zero_with_its_own_sound(tmp_path: Path, codec: str) -> None:
    source = make_clip(tmp_path / "in.mkv", [i * 512 for i in range(90)], sound=codec, sound_s=3)
    times = annotate(source, tmp_path / "out.mp4", first=30, last=59)
    found = frame_times(tmp_path / "out.mp4")
    assert [float(t) for t in found] == pytest.approx([t - times[0] for t in times], abs=1e-6)
    _, start_s, end_s = sound_extent(tmp_path / "out.mp4")
    assert start_s == pytest.approx(0, abs=0.05)
    assert end_s == pytest.approx(1, abs=0.08)


def test_the_sound_is_missing_when_the_source_cannot_be_opened(tmp_path: Path) -> None:
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", str(tmp_path / "folder of pictures"))
    sink.open(source_info())
    sink.write(track_result(0))
    sink.close(complete=True)
    assert len(frame_times(sink.path)) == 1


def test_odd_sizes_are_padded_and_changed_sizes_are_fitted(tmp_path: Path) -> None:
    sink = AnnotatedVideoSink(tmp_path / "out.mp4")
    sink.open(source_info(live=True))
    sizes = [(101, 75), (101, 75), (300, 40), (30, 30)]
    for i, size in enumerate(sizes):
        sink.write(track_result(i, size=size))
    sink.close(complete=True)
    with av.open(sink.path) as clip:
        frames = [f.to_ndarray(format="bgr24") for f in clip.decode(video=0)]
    assert [p.shape for p in frames] == [(76, 102, 3)] * 4
    assert frames[2][2].max() < 30  # letterboxed
    assert frames[1][75, 101] == pytest.approx(90, abs=8)  # padded with the neighbouring colour


def test_duplicate_timestamps_do_not_stop_the_video(tmp_path: Path) -> None:
    sink = AnnotatedVideoSink(tmp_path / "out.mp4")
    sink.open(source_info())
    for i, pts_s in enumerate([0.0, 0.04, 0.04, 0.08]):
        sink.write(track_result(i, pts_s=pts_s))
    sink.close(complete=True)
    assert len(frame_times(sink.path)) == 4


def test_landmarks_are_drawn_into_the_video(tmp_path: Path) -> None:
    options = DrawOptions(status=False, face_id=False, contours=False)
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", options=options)
    sink.open(source_info())
    result = track_result(0, tracked_face(points=face_points(80, 60, 100)))
    sink.write(result)
    sink.write(replace(result, faces=(), frame=replace(result.frame, index=1, pts_s=0.04)))
    sink.close(complete=True)
    with av.open(sink.path) as clip:
        drawn, plain = (f.to_ndarray(format="bgr24").astype(int) for f in clip.decode(video=0))
    assert np.abs(drawn - plain).max() > 60
    assert plain == pytest.approx(np.full_like(plain, 90), abs=6)


def test_the_error_for_a_missing_encoder_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(SinkError, match=r"libx264.*pip install"):
        AnnotatedVideoSink(tmp_path / "out.mp4").open(source_info())


def annotate_file(source: Path, out: Path, *, end_s: float | None = None) -> AnnotatedVideoSink:
    """Annotate a file as a job does, with times from the container's start."""
    film = VideoFile(source, end_s=end_s)
    sink = AnnotatedVideoSink(out, str(source))
    sink.open(film.info)
    for frame in film.frames():
        sink.write(TrackResult(frame, ()))
    sink.close(complete=True)
    film.close()
    return sink


@pytest.mark.parametrize("codec", ["aac", "ac3"])
@pytest.mark.parametrize("end_s", [None, 0.2])
def test_sound_of_a_file_that_does_not_begin_at_zero_stays_in_step(
    tmp_path: Path, codec: str, end_s: float | None
) -> None:
    ticks = [i * 512 for i in range(60)]
    source = make_clip(tmp_path / "in.ts", ticks, sound=codec, sound_s=2, start_s=2)
    with av.open(str(source)) as clip:
        assert (clip.start_time or 0) > 1_000_000
    sink = annotate_file(source, tmp_path / "out.mp4", end_s=end_s)
    assert sink.notes == ()
    name, start_s, sound_end_s = sound_extent(sink.path)
    assert name == codec
    assert start_s == pytest.approx(0, abs=0.05)
    assert sound_end_s == pytest.approx(end_s or 2, abs=0.1)
    assert float(frame_times(sink.path)[0]) == pytest.approx(0, abs=0.05)


def test_sound_that_cannot_be_written_costs_no_frame_and_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "in.mp4", [i * 512 for i in range(30)], sound="aac")

    def fail(*_: object) -> None:
        raise ValueError("no such packet")

    monkeypatch.setattr(AudioCopy, "_write", fail)
    sink = annotate_file(source, tmp_path / "out.mp4")
    assert len(frame_times(sink.path)) == 30
    assert [str(note) for note in sink.notes] == [
        "the sound of in.mp4 could not be copied to its end (no such packet)"
    ]


def test_a_title_in_another_encoding_does_not_end_the_job(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mkv", [i * 512 for i in range(10)], sound="aac")
    content = plain.read_bytes()
    assert b"Lavf" in content
    source = tmp_path / "latin.mkv"
    source.write_bytes(content.replace(b"Lavf", b"L\xe4vf"))
    sink = annotate_file(source, tmp_path / "out.mp4")
    assert len(frame_times(sink.path)) == 10
    assert sound_extent(sink.path)[0] == "aac"


def test_sound_of_a_relative_path_with_a_colon_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip(tmp_path / "in.mp4", [i * 512 for i in range(10)], sound="aac")
    (tmp_path / "in.mp4").rename(tmp_path / "10:30.mp4")
    monkeypatch.chdir(tmp_path)
    sink = annotate_file(Path("10:30.mp4"), tmp_path / "out.mp4")
    assert sound_extent(sink.path)[0] == "aac"
