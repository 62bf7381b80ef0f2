"""Recording of a live view."""

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


def test_rows_and_frames_of_a_recording_have_the_same_times(tmp_path: Path) -> None:
    recorder = Recorder(sinks(tmp_path), source_info())
    recorder.start()
    results = moving_results(40)[7:]  # a recording starts in the middle of a stream
    for i, result in enumerate(results):
        if i % 5 != 3:  # some frames are missing
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


def test_offering_a_result_never_blocks_and_drops_are_counted(tmp_path: Path) -> None:
    may_write = Event()
    slow = ListSink(held=may_write, path=str(tmp_path / "slow"))
    recorder = Recorder([slow], source_info(), capacity=4)
    recorder.start()
    for result in moving_results(50):
        recorder.offer(result)
    may_write.set()
    recorder.finish(within_s=20)
    assert recorder.join(20)
    report = recorder.report
    assert report.frames + report.dropped == 50
    assert 4 <= report.frames <= 6
    assert [r.frame.index for r in slow.results] == list(range(report.frames))


def test_results_that_cannot_be_written_in_time_are_dropped_at_the_end(tmp_path: Path) -> None:
    may_write = Event()
    slow = ListSink(held=may_write, path=str(tmp_path / "slow"))
    recorder = Recorder([slow], source_info(), capacity=40)
    recorder.start()
    for result in moving_results(40):
        recorder.offer(result)
    recorder.finish(within_s=0.0)
    may_write.set()
    assert recorder.join(10)
    assert recorder.report.frames <= 1
    assert recorder.report.frames + recorder.report.dropped == 40
    assert slow.closed == [True]


def test_a_change_of_the_image_size_ends_the_recording_with_complete_files(tmp_path: Path) -> None:
    recorder = Recorder(sinks(tmp_path), source_info())
    recorder.start()
    for result in (*moving_results(5), track_result(5, size=(320, 240)), *moving_results(5)):
        recorder.offer(result)
    assert recorder.join(10)
    assert "320x240 instead of 160x120" in recorder.report.fault
    assert recorder.report.frames == 5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.mp4"]


@pytest.mark.parametrize("failure", ["at once", "later", "no room"])
def test_faults_are_reported_and_the_outputs_closed(tmp_path: Path, failure: str) -> None:
    reports: list[RecorderReport] = []
    good = ListSink(path=str(tmp_path / "good"))
    bad = ListSink(
        fail_open=failure == "at once",
        fail_at=5 if failure == "later" else None,
        path=str(tmp_path / "bad"),
    )
    recorder = Recorder(
        [good, bad],
        source_info(),
        on_end=reports.append,
        free=lambda _: LEAST_FREE - 1 if failure == "no room" else LEAST_FREE,
    )
    recorder.start()
    for result in moving_results(20):
        recorder.offer(result)
    assert recorder.join(10)
    (report,) = reports
    words = {
        "at once": "cannot be opened",
        "later": "the disk is full",
        "no room": "200 MB are left",
    }
    assert words[failure] in report.fault
    assert not report.running
    assert good.closed == [failure != "later"]
    recorder.offer(moving_results(1)[0])
    recorder.finish(within_s=1)


def test_recording_without_a_frame_leaves_no_file(tmp_path: Path) -> None:
    recorder = Recorder(sinks(tmp_path)[:1], source_info())
    recorder.start()
    recorder.finish(within_s=1)
    assert recorder.join(10)
    assert list(tmp_path.iterdir()) == []
