from __future__ import annotations

import threading
import time
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import SinkError, SourceError
from steadymark.engine.core.types import Frame
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.pipeline.pipeline_report import PipelineState
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_stabilizer import FlowStabilizer
from steadymark.models.runtime.zoo import FLOW_CELL, find_model
from support.fakes.fake_engine import (
    ListSink,
    ListSource,
    SquareDetector,
    SquareNetwork,
    square_image,
)

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.tracking.stabilization import FollowedFrame

FACE = (100.0, 100.0, 60.0)


def tracker() -> Tracker:
    return Tracker(SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68"))


def scene(count: int) -> list[Frame]:
    with_face, without = square_image(FACE), square_image(None)
    return [Frame(with_face if i % 10 < 8 else without, i, i / 25) for i in range(count)]


class BrokenTracker(Tracker):
    def __init__(self, at: int) -> None:
        super().__init__(SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68"))
        self.at = at

    def follow(self, frame: Frame) -> FollowedFrame:
        if frame.index == self.at:
            raise ZeroDivisionError("planted")
        return super().follow(frame)


class BrokenSource(ListSource):
    def frames(self):  # type: ignore[no-untyped-def]
        yield from super().frames()
        raise SourceError("the camera was unplugged")


def test_every_sink_gets_every_frame_of_a_file_once_in_order() -> None:
    sinks = [ListSink(), ListSink()]
    pipeline = Pipeline(ListSource(scene(200)), tracker(), sinks)
    pipeline.start()
    assert pipeline.wait(30)
    for sink in sinks:
        assert [r.frame.index for r in sink.results] == list(range(200))
        assert sink.closed == [True]
    report = pipeline.report
    assert report.state is PipelineState.FINISHED
    assert (report.frames, report.with_face, report.lost_spans) == (200, 160, 20)
    assert report.dropped == 0


def test_a_frame_is_finished_while_the_next_ones_are_followed() -> None:
    followed_third = Event()

    class WaitingTracker(Tracker):
        def follow(self, frame: Frame) -> FollowedFrame:
            if frame.index == 2:
                followed_third.set()
            return super().follow(frame)

        def finish(self, followed: FollowedFrame) -> TrackResult:
            assert followed_third.wait(10)
            return super().finish(followed)

    sink = ListSink()
    waiting = WaitingTracker(
        SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68")
    )
    pipeline = Pipeline(ListSource(scene(5)), waiting, [sink])
    pipeline.start()
    assert pipeline.wait(20)
    assert pipeline.report.faults == ()
    assert [result.frame.index for result in sink.results] == list(range(5))


def test_the_results_of_two_threads_are_those_of_one() -> None:
    def flow_tracker() -> Tracker:
        schema = load_schema("ibug68")
        flow = FlowStabilizer(find_model(FLOW_CELL, "stabilizer"), schema)
        return Tracker(SquareDetector(), SquareNetwork(), NoStabilizer(), schema, flow=flow)

    faces = [None if i in (9, 10) else (100.0 + 3 * i, 100.0, 60.0) for i in range(24)]
    frames = [Frame(square_image(face), i, i / 25) for i, face in enumerate(faces)]
    one = flow_tracker()
    expected = [one.track(frame) for frame in frames]
    sink = ListSink()
    pipeline = Pipeline(ListSource(frames), flow_tracker(), [sink])
    pipeline.start()
    assert pipeline.wait(30)
    for result, other in zip(sink.results, expected, strict=True):
        assert result.restarted == other.restarted
        (face,), (same,) = result.faces, other.faces
        assert (face.face_id, face.state, face.box) == (same.face_id, same.state, same.box)
        if face.stabilized is not None and same.stabilized is not None:
            np.testing.assert_array_equal(face.stabilized.xy_px, same.stabilized.xy_px)
            assert face.pose == same.pose


def test_a_frame_whose_faces_cannot_be_finished_is_reported_and_ends_the_tracking() -> None:
    class UnfinishedTracker(Tracker):
        def finish(self, followed: FollowedFrame) -> TrackResult:
            if followed.frame.index == 12:
                raise ZeroDivisionError("planted")
            return super().finish(followed)

    sink = ListSink()
    unfinished = UnfinishedTracker(
        SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68")
    )
    before = set(threading.enumerate())
    pipeline = Pipeline(ListSource(scene(200)), unfinished, [sink])
    pipeline.start()
    assert pipeline.wait(30)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
    assert len(sink.results) == 12
    assert sink.closed == [False]
    (fault,) = pipeline.report.faults
    assert "frame 12" in fault


def test_a_live_source_drops_old_frames_and_counts_them() -> None:
    release, started = Event(), Event()

    class SlowTracker(Tracker):
        def follow(self, frame: Frame) -> FollowedFrame:
            started.set()
            release.wait(5)
            return super().follow(frame)

    class GatedSource(ListSource):
        def frames(self):  # type: ignore[no-untyped-def]
            for item in super().frames():
                yield item
                if item.index == 0:
                    started.wait(5)
            release.set()

    sink = ListSink()
    slow = SlowTracker(SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68"))
    pipeline = Pipeline(GatedSource(scene(50), live=True), slow, [sink])
    pipeline.start()
    assert pipeline.wait(10)
    indices = [r.frame.index for r in sink.results]
    assert indices == sorted(set(indices))
    assert indices[-1] == 49
    assert len(indices) + pipeline.report.dropped == 50
    assert pipeline.report.dropped > 0


def test_a_failing_sink_is_reported_and_the_others_continue() -> None:
    good, bad = ListSink(), ListSink(fail_at=5)
    pipeline = Pipeline(ListSource(scene(100)), tracker(), [bad, good])
    pipeline.start()
    assert pipeline.wait(30)
    assert len(good.results) == 100
    assert bad.closed == [False]
    assert pipeline.report.state is PipelineState.FAILED
    assert pipeline.report.faults == ("the disk is full",)


def test_tracking_stops_when_every_sink_has_failed() -> None:
    pipeline = Pipeline(ListSource(scene(5000)), tracker(), [ListSink(fail_at=0)])
    pipeline.start()
    assert pipeline.wait(30)
    assert pipeline.report.frames < 5000
    assert "the disk is full" in pipeline.report.faults


def test_a_frame_that_cannot_be_tracked_is_reported_and_earlier_results_kept() -> None:
    sink = ListSink()
    pipeline = Pipeline(ListSource(scene(50)), BrokenTracker(20), [sink])
    pipeline.start()
    assert pipeline.wait(30)
    assert len(sink.results) == 20
    assert sink.closed == [False]
    assert "frame 20" in pipeline.report.faults[0]


def test_a_failing_source_is_reported_and_its_frames_are_kept() -> None:
    sink = ListSink()
    pipeline = Pipeline(BrokenSource(scene(30)), tracker(), [sink])
    pipeline.start()
    assert pipeline.wait(30)
    assert len(sink.results) == 30
    assert sink.closed == [False]
    assert pipeline.report.faults == ("the camera was unplugged",)


def test_a_sink_that_cannot_be_opened_stops_the_start_and_closes_the_others() -> None:
    first = ListSink()
    pipeline = Pipeline(ListSource(scene(3)), tracker(), [first, ListSink(fail_open=True)])
    before = set(threading.enumerate())
    with pytest.raises(SinkError):
        pipeline.start()
    assert first.closed == [False]
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("blocked", ["source", "sink", "nothing"])
def test_stop_returns_within_two_seconds_from_any_state(blocked: str) -> None:
    gate, may_write = Event(), Event()
    if blocked != "source":
        gate.set()
    sink = ListSink(held=may_write if blocked == "sink" else None)
    pipeline = Pipeline(ListSource(scene(5000), gate=gate), tracker(), [sink])
    pipeline.start()
    started = time.monotonic()
    report = pipeline.stop()
    assert time.monotonic() - started < 2.5
    may_write.set()
    assert sink.done.wait(10)
    assert sink.closed == [False]
    assert report.state is (PipelineState.FAILED if blocked == "sink" else PipelineState.STOPPED)


def test_stopping_a_live_source_completes_its_outputs() -> None:
    sink = ListSink()
    pipeline = Pipeline(ListSource(scene(5), live=True, gate=Event()), tracker(), [sink])
    pipeline.start()
    pipeline.stop()
    assert pipeline.wait(5)
    assert sink.closed == [True]
