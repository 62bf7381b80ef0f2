"""A stage of the pipeline fails: rows on disk are valid, and the reason is reported."""

from __future__ import annotations

import errno
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from steadymark.engine.core.types import Frame
from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.csv.row_file import RowFile
from steadymark.engine.output.csv.whole_recording import WholeRecordingSink
from steadymark.engine.pipeline.pipeline import FILE_QUEUE, FOLLOWED_QUEUE, SINK_QUEUE, Pipeline
from steadymark.engine.pipeline.pipeline_report import PipelineState
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.guarded_filters import GuardedOfflineFilter
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import ListSource, SquareDetector, SquareNetwork, square_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import SourceInfo, TrackResult
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.models.runtime.onnx_session import Prediction

FRAMES, FAULT_FRAME = 60, 25


def scene() -> list[Frame]:
    """Return frames of a face that is missing once, so that the detector runs again."""
    faces = [(100 + i, 100, 60) if i != FAULT_FRAME else None for i in range(FRAMES)]
    return [Frame(square_image(face), i, i / 25) for i, face in enumerate(faces)]


def tracker(network: SquareNetwork | None = None, detector: Any = None) -> Tracker:
    return Tracker(
        detector or SquareDetector(),
        network or SquareNetwork(),
        NoStabilizer(),
        load_schema("ibug68"),
    )


class FailingSource(ListSource):
    """A source whose device driver fails unexpectedly."""

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            if frame.index == FAULT_FRAME:
                raise OSError(errno.EIO, "Input/output error")
            yield frame


class BrokenNetwork(SquareNetwork):
    """A network that fails with an exception of ONNX Runtime."""

    steps = 0

    def step(self, *args: Any, **kwargs: Any) -> Prediction:
        self.steps += 1
        if self.steps > FAULT_FRAME:
            from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

            raise RuntimeException("[ONNXRuntimeError] : 6 : Failed to allocate memory")
        return super().step(*args, **kwargs)


class BrokenDetector(SquareDetector):
    def detect(self, image: Any) -> Any:
        if self.calls:
            raise MemoryError
        return super().detect(image)


@dataclass
class BrokenSink:
    path: str = "broken"
    count: int = 0

    def open(self, info: SourceInfo) -> None:
        pass

    def write(self, result: TrackResult) -> None:
        self.count += 1
        if self.count > FAULT_FRAME:
            raise ZeroDivisionError("planted")

    def close(self, *, complete: bool) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")


def run(
    table: Sink,
    *,
    source: ListSource | None = None,
    by: Tracker | None = None,
    more_sinks: tuple[Sink, ...] = (),
    on_result: Callable[[TrackResult], None] = lambda _: None,
) -> PipelineReport:
    """Run a pipeline to its end, and check that no thread is left."""
    before = set(threading.enumerate())
    pipeline = Pipeline(
        source or ListSource(scene()), by or tracker(), [table, *more_sinks], on_result=on_result
    )
    pipeline.start()
    assert pipeline.wait(30)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
    return pipeline.report


def valid_rows(path: str, *, whole: bool = False) -> list[int]:
    """Return the frames of a table whose only finding may be that it is partial."""
    findings = check_csv(path)
    assert [f.severity for f in findings] == ([] if whole else [Severity.WARNING]), findings
    return list(read_landmarks(Path(path)).frame)


def broken_hand_over(result: TrackResult) -> None:
    if result.frame.index == FAULT_FRAME:
        raise RuntimeError("wrapped C/C++ object of type Signal has been deleted")


STAGES: dict[str, tuple[dict[str, Any], str, int]] = {
    "source": (
        {"source": FailingSource(scene())},
        r"reading list failed: .*Input/output",
        FAULT_FRAME,
    ),
    "network": (
        {"by": tracker(BrokenNetwork())},
        r"frame \d+ at .* could not be tracked .*allocate memory.*earlier results are kept",
        0,
    ),
    "detector": ({"by": tracker(detector=BrokenDetector())}, "MemoryError", 0),
    "hand-over": (
        {"on_result": broken_hand_over},
        "tracking stopped after 26 frames",
        FAULT_FRAME + 1,
    ),
}


@pytest.mark.parametrize("stage", STAGES)
def test_rows_before_a_fault_are_on_disk_and_the_reason_is_reported(
    tmp_path: Path, stage: str
) -> None:
    parts, words, rows = STAGES[stage]
    sink = NativeCsvSink(tmp_path / "a.csv", Header(), load_schema("ibug68"))
    report = run(sink, **parts)
    assert report.state is PipelineState.FAILED
    (fault,) = report.faults
    assert "\n" not in fault
    assert re.search(words, fault), fault
    frames = valid_rows(sink.path)
    assert frames == list(range(len(frames)))
    assert len(frames) == rows or (rows == 0 and len(frames) == report.frames > 0)


def test_a_failing_sink_does_not_affect_the_table(
    tmp_path: Path,
) -> None:
    sink = NativeCsvSink(tmp_path / "a.csv", Header(), load_schema("ibug68"))
    report = run(sink, more_sinks=(BrokenSink(),))
    assert report.state is PipelineState.FAILED
    assert [fault.split(" failed")[0] for fault in report.faults] == [
        "writing broken",
        "closing broken",
    ]
    assert valid_rows(sink.path) == list(range(FRAMES))


@dataclass
class LimitedDisk:
    """A disk with room for a number of bytes."""

    room: int


class FileOnLimitedDisk:
    """A file on a limited disk, which writes only the part that fits."""

    def __init__(self, file: Any, disk: LimitedDisk) -> None:
        self._file, self._disk = file, disk

    def write(self, data: memoryview) -> int:
        if not self._disk.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written: int = self._file.write(data[: self._disk.room])
        self._disk.room -= written
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.fixture(params=[30_000, 220_000], ids=["soon", "later"])
def full_disk(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Limit the room of all files together."""
    original_open, disk = RowFile.open, LimitedDisk(request.param)

    def open_on_full_disk(file: RowFile, *, live: bool = False) -> None:
        original_open(file, live=live)
        file._file = FileOnLimitedDisk(file._file, disk)  # type: ignore[assignment]

    monkeypatch.setattr(RowFile, "open", open_on_full_disk)


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("style", ["native", "openface", "smoothed"])
def test_a_full_disk_ends_tracking_with_complete_rows(
    tmp_path: Path, style: str, request: pytest.FixtureRequest
) -> None:
    """With the larger disk, only the smoothed rows do not fit, which are written at the end."""
    later = "later" in request.node.callspec.id

    def native(path: Path) -> Sink:
        return NativeCsvSink(path, Header(), load_schema("ibug68"))

    path = tmp_path / "a.csv"
    sink = OpenFaceCsvSink(path, load_schema("ibug68")) if style == "openface" else native(path)
    if style == "smoothed":
        sink = WholeRecordingSink(path, native, GuardedOfflineFilter(Butterworth(6.0)))
    report = run(sink)
    if later and style != "smoothed":
        assert report.state is PipelineState.FINISHED
        return
    assert report.state is PipelineState.FAILED
    assert any("the disk is full: free some space" in fault for fault in report.faults)
    frames = valid_rows(sink.path)
    assert len(frames) == FRAMES if later else 5 < len(frames) < FRAMES
    assert [p.name for p in tmp_path.iterdir()] == ["a.partial.csv"]


class SlowSink(NativeCsvSink):
    """A sink on a disk that hangs until `may_write` is set."""

    def __init__(self, path: Path, may_write: Event) -> None:
        super().__init__(path, Header(), load_schema("ibug68"))
        self.may_write, self.blocked = may_write, Event()

    def write(self, result: TrackResult) -> None:
        self.blocked.set()
        assert self.may_write.wait(20)
        super().write(result)


class CountingSource(ListSource):
    """Sets an event when a number of frames was read."""

    def __init__(self, frames: list[Frame], most: int, *, live: bool = False) -> None:
        super().__init__(frames, live=live)
        self.given, self.most, self.reached = 0, most, Event()

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            self.given += 1
            if self.given == self.most:
                self.reached.set()
            yield frame


def test_a_slow_disk_delays_a_file_without_losing_frames(tmp_path: Path) -> None:
    may_write = Event()
    sink = SlowSink(tmp_path / "a.csv", may_write)
    in_threads = 4  # one frame or result in each thread
    source = CountingSource(scene(), FILE_QUEUE + FOLLOWED_QUEUE + SINK_QUEUE + in_threads)
    pipeline = Pipeline(source, tracker(), [sink])
    pipeline.start()
    assert source.reached.wait(10)
    assert not pipeline.wait(0.2)
    assert source.given <= source.most
    assert pipeline.waiting == (FILE_QUEUE, FOLLOWED_QUEUE, SINK_QUEUE)
    may_write.set()
    assert pipeline.wait(20)
    assert pipeline.report.state is PipelineState.FINISHED
    assert valid_rows(sink.path, whole=True) == list(range(FRAMES))


def test_a_slow_disk_drops_and_counts_frames_of_a_camera(tmp_path: Path) -> None:
    may_write = Event()
    sink = SlowSink(tmp_path / "a.csv", may_write)
    source = CountingSource(scene(), FRAMES, live=True)
    pipeline = Pipeline(source, tracker(), [sink])
    pipeline.start()
    assert source.reached.wait(10)
    assert sink.blocked.wait(10)
    may_write.set()
    assert pipeline.wait(20)
    frames = list(read_landmarks(tmp_path / "a.csv").frame)
    assert frames == sorted(set(frames))
    assert len(frames) + pipeline.report.dropped == FRAMES
    assert {f.severity for f in check_csv(sink.path)} <= {Severity.WARNING}  # dropped frames
