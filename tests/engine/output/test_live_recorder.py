"""Recording what is watched live."""

from __future__ import annotations

from fractions import Fraction
from threading import Event
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.live_recorder import LEAST_FREE, Recorder, RecorderReport
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import ListSink
from support.fakes.fake_results import moving_results, source_info, track_result

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = DrawOptions(
    points=False, contours=False, box=False, face_id=False, status=False, schema="ibug68"
)


def sinks(folder: Path) -> tuple[AnnotatedVideoSink, NativeCsvSink]:
    return (
        AnnotatedVideoSink(folder / "a.mp4", None, NOTHING, hurried=True),
        NativeCsvSink(folder / "a.csv", Header(), load_schema("ibug68")),
    )


def test_rows_belong_to_the_videos_frames_with_the_same_times(tmp_path: Path) -> None:
    recorder = Recorder(sinks(tmp_path), source_info())
    recorder.start()
    given = moving_results(40)[7:]  # a recording begins somewhere in the middle
    for i, result in enumerate(given):
        if i % 5 != 3:  # and some frames never came
            recorder.offer(result)
    recorder.finish(within_s=20)
    assert recorder.join(20)
    assert recorder.report.fault == ""
    table = read_landmarks(tmp_path / "a.csv")
    with av.open(str(tmp_path / "a.mp4")) as video:
        base = video.streams.video[0].time_base
        times = [
            frame.pts * (base or Fraction(1))
            for frame in video.decode(video=0)
            if frame.pts is not None
        ]
    frames, rows = np.unique(table.frame, return_index=True)  # some have two faces
    assert list(frames) == list(range(len(times)))
    assert len(times) == recorder.report.frames == 27
    assert [f"{float(t):.6f}" for t in times] == [f"{t:.6f}" for t in table.timestamp_s[rows]]
    assert times[0] == 0


def test_giving_never_waits_and_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    hold = Event()
    slow = ListSink(held=hold, path=str(tmp_path / "slow"))
    recorder = Recorder([slow], source_info(), capacity=4)
    recorder.start()
    for result in moving_results(50):
        recorder.offer(result)
    hold.set()
    recorder.finish(within_s=20)
    assert recorder.join(20)
    report = recorder.report
    assert report.frames + report.dropped == 50
    assert 4 <= report.frames <= 6
    assert [r.frame.index for r in slow.results] == list(range(report.frames))


def test_what_cannot_be_written_in_time_is_dropped_at_the_end(tmp_path: Path) -> None:
    hold = Event()
    slow = ListSink(held=hold, path=str(tmp_path / "slow"))
    recorder = Recorder([slow], source_info(), capacity=40)
    recorder.start()
    for result in moving_results(40):
        recorder.offer(result)
    recorder.finish(within_s=0.0)
    hold.set()
    assert recorder.join(10)
    assert recorder.report.frames <= 1
    assert recorder.report.frames + recorder.report.dropped == 40
    assert slow.closed == [True]


def test_pictures_of_another_size_end_a_recording_that_is_whole(tmp_path: Path) -> None:
    recorder = Recorder(sinks(tmp_path), source_info())
    recorder.start()
    for result in (*moving_results(5), track_result(5, size=(320, 240)), *moving_results(5)):
        recorder.offer(result)
    assert recorder.join(10)
    assert "320x240 now and were 160x120" in recorder.report.fault
    assert recorder.report.frames == 5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.mp4"]


@pytest.mark.parametrize("fails", ["at once", "later", "no room"])
def test_faults_are_told_and_the_outputs_closed(tmp_path: Path, fails: str) -> None:
    told: list[RecorderReport] = []
    good = ListSink(path=str(tmp_path / "good"))
    bad = ListSink(
        fail_open=fails == "at once",
        fail_at=5 if fails == "later" else None,
        path=str(tmp_path / "bad"),
    )
    recorder = Recorder(
        [good, bad],
        source_info(),
        on_end=told.append,
        free=lambda _: LEAST_FREE - 1 if fails == "no room" else LEAST_FREE,
    )
    recorder.start()
    for result in moving_results(20):
        recorder.offer(result)
    assert recorder.join(10)
    (report,) = told
    words = {
        "at once": "cannot be opened",
        "later": "the disk is full",
        "no room": "200 MB are left",
    }
    assert words[fails] in report.fault
    assert not report.running
    assert good.closed == [fails != "later"]
    recorder.offer(moving_results(1)[0])
    recorder.finish(within_s=1)


def test_recording_without_a_frame_leaves_nothing(tmp_path: Path) -> None:
    recorder = Recorder(sinks(tmp_path)[:1], source_info())
    recorder.start()
    recorder.finish(within_s=1)
    assert recorder.join(10)
    assert list(tmp_path.iterdir()) == []
