"""Something breaks in a stage of the pipeline: rows on disk are valid, and the reason is told."""

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
from steadymark.engine.output.csv.offline_filter import OfflineFilterSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.csv.row_file import RowFile
from steadymark.engine.pipeline.pipeline import FILE_QUEUE, SINK_QUEUE, Pipeline
from steadymark.engine.pipeline.pipeline_report import PipelineState
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.guarded_filters import GuardedOfflineFilter
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import ListSource, SquareDetector, SquareNetwork, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import SourceInfo, TrackResult
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.models.runtime.onnx_session import Prediction

FRAMES, AT = 60, 25


def scene() -> list[Frame]:
    """The face is away for a moment, so that the detector is asked again."""
    faces = [(100 + i, 100, 60) if i != AT else None for i in range(FRAMES)]
    return [Frame(picture(face), i, i / 25) for i, face in enumerate(faces)]


def tracker(network: SquareNetwork | None = None, detector: Any = None) -> Tracker:
    return Tracker(
        detector or SquareDetector(), network or SquareNetwork(), NoStabilizer(), load_schema()
    )


class FailingSource(ListSource):
    """The device driver has a fault that nobody foresaw."""

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            if frame.index == AT:
                raise OSError(errno.EIO, "Input/output error")
            yield frame


class BrokenNetwork(SquareNetwork):
    """As ONNX Runtime fails: with an exception of its own."""

    steps = 0

    def step(self, *given: Any, **named: Any) -> Prediction:
        self.steps += 1
        if self.steps > AT:
            from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

            raise RuntimeException("[ONNXRuntimeError] : 6 : Failed to allocate memory")
        return super().step(*given, **named)


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
        if self.count > AT:
            raise ZeroDivisionError("planted")

    def close(self, *, complete: bool) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")


def run(
    table: Sink,
    *,
    source: ListSource | None = None,
    by: Tracker | None = None,
    more: tuple[Sink, ...] = (),
    on_result: Callable[[TrackResult], None] = lambda _: None,
) -> PipelineReport:
    """Until the end; no thread is left."""
    before = set(threading.enumerate())
    pipeline = Pipeline(
        source or ListSource(scene()), by or tracker(), [table, *more], on_result=on_result
    )
    pipeline.start()
    assert pipeline.wait(30)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
    return pipeline.report


def valid_rows(path: str, *, whole: bool = False) -> list[int]:
    """Frames in a table without faults: a partial one is told to be so, and nothing else."""
    findings = check_csv(path)
    assert [f.severity for f in findings] == ([] if whole else [Severity.WARNING]), findings
    return list(read_landmarks(Path(path)).frame)


def broken_hand_over(result: TrackResult) -> None:
    if result.frame.index == AT:
        raise RuntimeError("wrapped C/C++ object of type Signal has been deleted")


STAGES: dict[str, tuple[dict[str, Any], str, int]] = {
    "source": ({"source": FailingSource(scene())}, r"reading list failed: .*Input/output", AT),
    "network": (
        {"by": tracker(BrokenNetwork())},
        r"frame \d+ at .* could not be tracked .*allocate memory.*what came before it is kept",
        0,
    ),
    "detector": ({"by": tracker(detector=BrokenDetector())}, "MemoryError", 0),
    "hand-over": ({"on_result": broken_hand_over}, "tracking stopped after 26 frames", AT + 1),
}


@pytest.mark.parametrize("stage", STAGES)
def test_what_came_before_a_fault_is_on_disk_and_the_reason_is_told(
    tmp_path: Path, stage: str
) -> None:
    parts, words, rows = STAGES[stage]
    sink = NativeCsvSink(tmp_path / "a.csv", Header())
    report = run(sink, **parts)
    assert report.state is PipelineState.FAILED
    (fault,) = report.faults
    assert "\n" not in fault
    assert re.search(words, fault), fault
    frames = valid_rows(sink.path)
    assert frames == list(range(len(frames)))
    assert len(frames) == rows or (rows == 0 and len(frames) == report.frames > 0)


def test_a_sink_that_breaks_and_cannot_be_closed_takes_no_row_from_the_table(
    tmp_path: Path,
) -> None:
    sink = NativeCsvSink(tmp_path / "a.csv", Header())
    report = run(sink, more=(BrokenSink(),))
    assert report.state is PipelineState.FAILED
    assert [fault.split(" failed")[0] for fault in report.faults] == [
        "writing broken",
        "closing broken",
    ]
    assert valid_rows(sink.path) == list(range(FRAMES))


@dataclass
class Disk:
    """With room for so many bytes."""

    room: int


class OnDisk:
    """A file on a disk, which takes a part of what is too much."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def write(self, data: memoryview) -> int:
        if not self._disk.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken: int = self._file.write(data[: self._disk.room])
        self._disk.room -= taken
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.fixture(params=[30_000, 180_000], ids=["soon", "later"])
def full_disk(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """For all files together, as disks are."""
    opened, disk = RowFile.open, Disk(request.param)

    def open_on_full_disk(file: RowFile, *, live: bool = False) -> None:
        opened(file, live=live)
        file._file = OnDisk(file._file, disk)  # type: ignore[assignment]

    monkeypatch.setattr(RowFile, "open", open_on_full_disk)


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("style", ["native", "openface", "smoothed"])
def test_a_full_disk_ends_tracking_with_whole_rows(
    tmp_path: Path, style: str, request: pytest.FixtureRequest
) -> None:
    """Later, only the smoothed rows do not fit any more, which are written at the end."""
    later = "later" in request.node.callspec.id

    def native(path: Path) -> Sink:
        return NativeCsvSink(path, Header())

    path = tmp_path / "a.csv"
    sink = OpenFaceCsvSink(path) if style == "openface" else native(path)
    if style == "smoothed":
        sink = OfflineFilterSink(path, native, GuardedOfflineFilter(Butterworth(6.0)))
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
    """On a disk that hangs until it is let go."""

    def __init__(self, path: Path, go: Event) -> None:
        super().__init__(path, Header())
        self.go, self.waits = go, Event()

    def write(self, result: TrackResult) -> None:
        self.waits.set()
        assert self.go.wait(20)
        super().write(result)


class CountingSource(ListSource):
    """Tells when so many frames were given."""

    def __init__(self, frames: list[Frame], most: int, *, live: bool = False) -> None:
        super().__init__(frames, live=live)
        self.given, self.most, self.reached = 0, most, Event()

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            self.given += 1
            if self.given == self.most:
                self.reached.set()
            yield frame


def test_a_slow_disk_holds_a_file_back_and_loses_nothing(tmp_path: Path) -> None:
    go = Event()
    sink = SlowSink(tmp_path / "a.csv", go)
    hands = 3  # one frame or result in the hands of each thread
    source = CountingSource(scene(), FILE_QUEUE + SINK_QUEUE + hands)
    pipeline = Pipeline(source, tracker(), [sink])
    pipeline.start()
    assert source.reached.wait(10)
    assert not pipeline.wait(0.2)
    assert source.given <= source.most
    assert pipeline.waiting == (FILE_QUEUE, SINK_QUEUE)
    go.set()
    assert pipeline.wait(20)
    assert pipeline.report.state is PipelineState.FINISHED
    assert valid_rows(sink.path, whole=True) == list(range(FRAMES))


def test_a_slow_disk_drops_and_counts_pictures_of_a_camera(tmp_path: Path) -> None:
    go = Event()
    sink = SlowSink(tmp_path / "a.csv", go)
    source = CountingSource(scene(), FRAMES, live=True)
    pipeline = Pipeline(source, tracker(), [sink])
    pipeline.start()
    assert source.reached.wait(10)
    assert sink.waits.wait(10)
    go.set()
    assert pipeline.wait(20)
    frames = list(read_landmarks(tmp_path / "a.csv").frame)
    assert frames == sorted(set(frames))
    assert len(frames) + pipeline.report.dropped == FRAMES
    assert {f.severity for f in check_csv(sink.path)} <= {Severity.WARNING}  # frames left out
