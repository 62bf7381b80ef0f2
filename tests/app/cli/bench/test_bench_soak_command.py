"""`steadymark bench soak`: it passes with the shipped code and detects every kind of leak."""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.engine.bench.soak import soak_test
from steadymark.engine.bench.soak.soak_limits import SoakSample, memory_figure, soak_figures
from steadymark.engine.bench.soak.soak_sources import PICTURES, LoopedVideo, stamp_of, stamped
from steadymark.engine.bench.soak.soak_test import run_soak
from steadymark.engine.core.errors import SourceError
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.pipeline.job import JobReport, run_job
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import load_schema
from steadymark.models.user_text import UserText
from support.fakes.fake_engine import ListSink
from support.fakes.fake_results import moving_results, source_info
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.engine.core.types import SourceInfo, TrackResult


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return square_video(tmp_path_factory.mktemp("film") / "a.mp4", 100)


@pytest.fixture(scope="module")
def short_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return square_video(tmp_path_factory.mktemp("short") / "a.mp4", 40)


@pytest.mark.slow
def test_a_run_without_leaks_passes_and_its_table_is_printed(tmp_path: Path, video: Path) -> None:
    table = tmp_path / "soak.json"
    script = "support.soak_process"
    command: list[str | Path] = [sys.executable, "-m", script, video, tmp_path / "tables", table]
    tests = Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    assert "FAIL" not in done.stdout
    content = json.loads(table.read_text())
    cases = {case["name"]: case for case in content["cases"]}
    assert list(cases) == ["looped file", "live camera", "job after job"]
    assert all(case["frames"] > 20 for case in cases.values())
    assert content["window"][0]["value"] > 100  # MiB: 68 landmarks thrice, 10⁵ times
    names = {figure["what"] for figure in cases["live camera"]["figures"]}
    assert {"age of pictures: growth", "table: frames missing", "handles left behind"} <= names
    assert sorted(p.name for p in (tmp_path / "tables").iterdir()) == [
        "job-after-job.csv",
        "job-after-job.mp4",
        "live-camera.csv",
        "looped-file.csv",
    ]


@dataclass
class Leak:
    """A sink that never releases images, threads and files."""

    file: Path
    end: threading.Event
    kept: list[Any] = field(default_factory=list)
    path: str = "leak"

    def open(self, info: SourceInfo) -> None:
        pass

    def write(self, result: TrackResult) -> None:
        self.kept.append(mmap.mmap(-1, 480_000))  # new memory, not what earlier tests freed
        self.kept[-1].write(bytes(480_000))
        if result.frame.index % 2 == 0:
            self.kept.append(self.file.open("rb"))
            self.kept.append(threading.Thread(target=self.end.wait, daemon=True))
            self.kept[-1].start()

    def close(self, *, complete: bool) -> None:
        pass


@pytest.fixture
def leaks(video: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Leak]]:
    monkeypatch.setattr("steadymark.engine.bench.soak.soak_test._JOIN_S", 0.01)  # they never end
    created: list[Leak] = []
    end = threading.Event()
    yield created
    end.set()
    for leak in created:
        leak.end.set()
        for resource in leak.kept:
            if hasattr(resource, "close"):
                resource.close()


@pytest.mark.slow
def test_leaks_in_a_sink_exceed_the_limits(tmp_path: Path, video: Path, leaks: list[Leak]) -> None:
    def leak() -> list[Leak]:
        leaks.append(Leak(video, threading.Event()))
        return leaks[-1:]

    models, settings = square_models(), TrackSettings()
    cases = run_soak(video, models, settings, seconds=2, fps=100, folder=tmp_path, more_sinks=leak)
    assert len(cases) == 3
    for case in cases[:2]:
        broken = {figure.what for figure in case.figures if not figure.passed}
        assert broken >= {
            "memory: growth in 10⁵ frames",
            "threads: growth",
            "handles: growth",
            "threads left behind",
            "handles left behind",
        }, case.figures
        assert not case.passed


@pytest.mark.slow
def test_a_failing_sink_is_reported(tmp_path: Path, video: Path) -> None:
    cases = run_soak(
        video,
        square_models(),
        TrackSettings(),
        seconds=1,
        fps=100,
        folder=tmp_path,
        more_sinks=lambda: [ListSink(fail_at=0)],
    )
    assert all("the disk is full" in case.faults for case in cases[:2]), cases
    assert not any(case.passed for case in cases[:2])


def test_leaks_in_jobs_exceed_the_limits(
    tmp_path: Path, short_video: Path, monkeypatch: pytest.MonkeyPatch, leaks: list[Leak]
) -> None:
    leaks.append(Leak(short_video, threading.Event()))

    def leaking_job(*arguments: Any, **others: Any) -> JobReport:
        for result in moving_results(30):
            leaks[0].write(result)
        return run_job(*arguments, **others)

    monkeypatch.setattr(soak_test, "run_job", leaking_job)
    *_, jobs = run_soak(
        short_video, square_models(), TrackSettings(), seconds=1, fps=100, folder=tmp_path
    )
    assert {figure.what for figure in jobs.figures if not figure.passed} == {
        figure.what for figure in jobs.figures
    }, jobs.figures
    assert jobs.frames >= 8 * 40


def test_a_failing_job_is_reported(
    tmp_path: Path, short_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = UserText("the disk is full")
    monkeypatch.setattr(soak_test, "run_job", lambda *_, **__: JobReport("a.mp4", error=fault))
    *_, jobs = run_soak(
        short_video, square_models(), TrackSettings(), seconds=1, fps=100, folder=tmp_path
    )
    assert jobs.faults == ("the disk is full",)
    assert not jobs.passed


def samples(count: int, **changes: Any) -> list[SoakSample]:
    """Return samples of a steady run; `changes` gives one value per sample for a field."""
    steady = SoakSample(at_s=0, frames=0, rss_mib=300.0, threads=9, handles=12, waiting=(0, 0))
    result = [replace(steady, at_s=i, frames=1000 * i, late_ms=8.0) for i in range(count)]
    for name, values in changes.items():
        result = [replace(s, **{name: v}) for s, v in zip(result, values, strict=True)]
    return result


@pytest.mark.parametrize(
    ("mib_in_100_000", "passes"), [(0, True), (-30, True), (19, True), (21, False), (400, False)]
)
def test_memory_growth_is_fitted_despite_short_peaks(mib_in_100_000: float, passes: bool) -> None:
    rss = [300 + mib_in_100_000 * i / 100 + (50 if i % 17 == 3 else 0) for i in range(80)]
    figure = memory_figure(samples(80, rss_mib=rss))
    assert figure.value == pytest.approx(mib_in_100_000, abs=0.5)
    assert figure.passed is passes


@pytest.mark.parametrize(("mib", "passes"), [(7, True), (9, False)])
def test_a_short_run_may_grow_while_the_allocator_settles(mib: float, passes: bool) -> None:
    rss = [300 + mib * i / 18 for i in range(19)]
    assert memory_figure(samples(19, rss_mib=rss)).passed is passes


def write_table(path: Path, results: list[TrackResult]) -> Path:
    sink = NativeCsvSink(path, Header(), load_schema("ibug68"))
    sink.open(source_info())
    for result in results:
        sink.write(result)
    sink.close(complete=True)
    return path


@pytest.mark.parametrize(
    ("live", "what", "changes", "error_s"),
    [
        (False, "PTS: most that one is off", {}, 1e-5),
        (True, "PTS: drift from when pictures were sent", {}, 2e-3),
        (True, "age of pictures: growth", {}, 0.0),
        (False, "queue before the table: growth", {"waiting": [(0, i) for i in range(80)]}, 0.0),
        (False, "queue before the tracker: most", {"waiting": [(5, 0)] * 80}, 0.0),
        (True, "threads: growth", {"threads": range(80)}, 0.0),
        (True, "handles: growth", {"handles": range(80)}, 0.0),
        (False, "table: frames missing", {}, None),
    ],
)
def test_each_fault_exceeds_only_its_own_limit(
    tmp_path: Path, live: bool, what: str, changes: dict[str, Any], error_s: float | None
) -> None:
    results = moving_results(80)
    due = np.array([[r.frame.pts_s, 0.008] for r in results])
    due[:, 0] += np.arange(80) * (error_s or 0)
    due[:, 1] += np.arange(80) * (0.002 if "age" in what else 0)
    if live:
        due[:, 0] -= 1234.5  # the camera has its own clock
    path = write_table(tmp_path / "a.csv", results[: 79 if error_s is None else 80])
    samples_with_frames = [replace(s, frames=i) for i, s in enumerate(samples(80, **changes))]
    figures = soak_figures(samples_with_frames, path, due, live=live, not_released=(0, 0))
    assert [figure.what for figure in figures if not figure.passed] == [what]


def test_a_looped_video_continues_frame_numbers_and_times(short_video: Path) -> None:
    source = LoopedVideo(short_video)
    frames = [frame for frame, _ in zip(source.frames(), range(90), strict=False)]
    source.close()
    assert [f.index for f in frames] == list(range(90))
    np.testing.assert_allclose([f.pts_s for f in frames], np.arange(90) / 25, atol=1e-9)
    assert [source.due_s(f.index) for f in frames] == pytest.approx([f.pts_s for f in frames])
    once = VideoFile(short_video)
    np.testing.assert_array_equal(frames[45].image, once.frame_at(5).image)
    once.close()
    assert source.rounds == 2


def test_a_looped_video_that_disappears_raises_an_error(video: Path) -> None:
    source = LoopedVideo(video)
    source._path = video.with_name("gone.mp4")
    with pytest.raises(SourceError, match=r"gone\.mp4"):
        list(source.frames())


def test_a_frame_number_survives_jpeg_compression() -> None:
    import cv2

    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    for number in range(PICTURES):
        jpeg = cv2.imencode(".jpg", stamped(noise, number))[1]
        decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
        assert decoded is not None
        assert stamp_of(decoded.astype(np.uint8)) == number


def test_an_input_that_is_not_a_video_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    result = CliRunner().invoke(cli.app, ["bench", "soak", str(tmp_path / "a.mp4")])
    assert result.exit_code == 2
    assert "a.mp4" in result.output
    assert "Traceback" not in result.output
