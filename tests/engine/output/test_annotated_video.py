"""The annotated video keeps its source's times and sound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.types import Frame, TrackResult
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.drawing import DrawOptions
from support.fakes.fake_results import face_points, source_info, track_result, tracked_face
from support.videos.sound_clips import VARIABLE, frame_times, make_clip, sound_extent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
    sink = AnnotatedVideoSink(out, str(source), DrawOptions(schema="ibug68"), hurried=hurried)
    sink.open(source_info(path=str(source), size=(64, 48)))
    times = []
    face = tracked_face(points=face_points(32, 24, 30))
    with av.open(str(source)) as clip:
        for i, picture in enumerate(clip.decode(video=0)):
            if first <= i <= last and picture.time is not None:
                image = picture.to_ndarray(format="bgr24").astype(np.uint8)
                sink.write(TrackResult(Frame(image, i, picture.time), (face,)))
                times.append(picture.time)
    before_close()
    sink.close(complete=True)
    return times


def boxes(path: Path) -> list[str]:
    """Kinds of an MP4 file's parts."""
    content, at, found = path.read_bytes(), 0, []
    while at + 8 <= len(content):
        found.append(content[at + 4 : at + 8].decode())
        at += int.from_bytes(content[at : at + 4], "big")
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
def test_a_video_that_is_being_written_can_be_played_up_to_then(
    tmp_path: Path, *, hurried: bool, sound_s: int
) -> None:
    """So a full disk, or a killed program, takes the last seconds only."""
    ticks = [700 + i * 512 for i in range(180)]
    source = make_clip(tmp_path / "in.mp4", ticks, sound="aac", sound_s=sound_s)
    copies = []

    def left() -> None:
        copies.append(tmp_path / "left.mp4")
        copies[0].write_bytes((tmp_path / "out.mp4.part").read_bytes())

    annotate(source, tmp_path / "out.mp4", hurried=hurried, before_close=left)
    whole, found = frame_times(source), frame_times(copies[0])
    assert len(whole) == 180
    assert len(found) >= 110  # all but two seconds and what the encoder holds
    assert found == whole[: len(found)]
    assert frame_times(tmp_path / "out.mp4") == whole
    assert sound_extent(copies[0])[2] > min(sound_s, 4) - 0.1
    assert "moof" in boxes(copies[0])
    assert "moof" not in boxes(tmp_path / "out.mp4")  # a plain file, which any program can seek in


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
def test_a_part_starts_at_zero_with_its_own_sound(tmp_path: Path, codec: str) -> None:
    source = make_clip(tmp_path / "in.mkv", [i * 512 for i in range(90)], sound=codec, sound_s=3)
    times = annotate(source, tmp_path / "out.mp4", first=30, last=59)
    found = frame_times(tmp_path / "out.mp4")
    assert [float(t) for t in found] == pytest.approx([t - times[0] for t in times], abs=1e-6)
    _, start_s, end_s = sound_extent(tmp_path / "out.mp4")
    assert start_s == pytest.approx(0, abs=0.05)
    assert end_s == pytest.approx(1, abs=0.08)


def test_a_source_that_cannot_be_opened_only_lacks_sound(tmp_path: Path) -> None:
    sink = AnnotatedVideoSink(
        tmp_path / "out.mp4", str(tmp_path / "folder of pictures"), DrawOptions(schema="ibug68")
    )
    sink.open(source_info())
    sink.write(track_result(0))
    sink.close(complete=True)
    assert len(frame_times(sink.path)) == 1


def test_odd_sizes_are_padded_and_new_sizes_fitted(tmp_path: Path) -> None:
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", None, DrawOptions(schema="ibug68"))
    sink.open(source_info(live=True))
    sizes = [(101, 75), (101, 75), (300, 40), (30, 30)]
    for i, size in enumerate(sizes):
        sink.write(track_result(i, size=size))
    sink.close(complete=True)
    with av.open(sink.path) as clip:
        pictures = [f.to_ndarray(format="bgr24") for f in clip.decode(video=0)]
    assert [p.shape for p in pictures] == [(76, 102, 3)] * 4
    assert pictures[2][2].max() < 30  # letterboxed
    assert pictures[1][75, 101] == pytest.approx(90, abs=8)  # padded with what is beside it


def test_the_same_time_twice_does_not_stop_the_video(tmp_path: Path) -> None:
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", None, DrawOptions(schema="ibug68"))
    sink.open(source_info())
    for i, pts_s in enumerate([0.0, 0.04, 0.04, 0.08]):
        sink.write(track_result(i, pts_s=pts_s))
    sink.close(complete=True)
    assert len(frame_times(sink.path)) == 4


def test_the_landmarks_are_in_the_video(tmp_path: Path) -> None:
    options = DrawOptions(status=False, face_id=False, contours=False, schema="ibug68")
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", None, options)
    sink.open(source_info())
    result = track_result(0, tracked_face(points=face_points(80, 60, 100)))
    sink.write(result)
    sink.write(replace(result, faces=(), frame=replace(result.frame, index=1, pts_s=0.04)))
    sink.close(complete=True)
    with av.open(sink.path) as clip:
        drawn, plain = (f.to_ndarray(format="bgr24").astype(int) for f in clip.decode(video=0))
    assert np.abs(drawn - plain).max() > 60
    assert plain == pytest.approx(np.full_like(plain, 90), abs=6)


def test_without_an_encoder_the_user_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(SinkError, match=r"libx264.*pip install"):
        AnnotatedVideoSink(tmp_path / "out.mp4", None, DrawOptions(schema="ibug68")).open(
            source_info()
        )
