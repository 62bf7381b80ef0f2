"""Many videos in several processes: the tables are the same, and a crash costs one video."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from steadymark.engine.batch.run_jobs import Job, JobList, run_here, useful_processes
from steadymark.engine.batch.worker_processes import run_in_processes, run_queue
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.pipeline.pipeline_report import PipelineState
from support.fakes.blocking_fakes import slow_models
from support.fakes.crashing_models import (
    CRASHING_WIDTH,
    RecordedReports,
    crashing_models,
    jobs_of,
    models_unless_none,
    no_models,
)
from support.videos.square_video import square_models, square_video


def test_two_processes_write_the_same_bytes_as_one(tmp_path: Path) -> None:
    videos = [square_video(tmp_path / f"{name}.mp4", 30 + 5 * i) for i, name in enumerate("abc")]
    in_this_process, in_processes = RecordedReports(), RecordedReports()
    run_here(jobs_of(videos, tmp_path / "one"), square_models(), in_this_process, Event())
    run_in_processes(jobs_of(videos, tmp_path / "two"), 2, square_models, in_processes, Event())
    for video in videos:
        one, two = (tmp_path / k / f"{video.stem}.csv" for k in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        (report,) = in_processes.reports[video.name]
        assert report.error is None
        assert report.fingerprint == in_this_process.reports[video.name][0].fingerprint
        assert in_processes.frames[video.name] == in_this_process.frames[video.name]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_process_fails_only_its_own_video(tmp_path: Path) -> None:
    videos = [
        square_video(tmp_path / f"{name}.mp4", width=CRASHING_WIDTH if name in "ac" else 320)
        for name in "abcd"
    ]
    notes = RecordedReports()
    run_in_processes(jobs_of(videos, tmp_path / "out"), 2, crashing_models, notes, Event())
    assert {name: len(reports) for name, reports in notes.reports.items()} == {
        f"{name}.mp4": 1 for name in "abcd"
    }
    for name in "ac":
        (report,) = notes.reports[f"{name}.mp4"]
        assert report.error is not None
        assert "killed by signal 9" in report.error
        assert report.outputs == (str(tmp_path / "out" / f"{name}.partial.csv"),)
        assert len(read_landmarks(report.outputs[0]).frame) <= 12
    for name in "bd":
        assert len(read_landmarks(tmp_path / "out" / f"{name}.csv").frame) == 40


def test_networks_that_cannot_be_opened_in_a_process_are_reported(tmp_path: Path) -> None:
    videos = [square_video(tmp_path / f"{name}.mp4", 3) for name in "ab"]
    notes = RecordedReports()
    run_in_processes(jobs_of(videos, tmp_path / "out"), 1, no_models, notes, Event())
    for video in videos:
        (report,) = notes.reports[video.name]
        assert report.error == "there are no weights"


def test_stopping_is_quick_and_keeps_partial_results(tmp_path: Path) -> None:
    videos = [square_video(tmp_path / "a.mp4", 3000)]
    videos += [Path(shutil.copy(videos[0], tmp_path / f"{name}.mp4")) for name in "bc"]
    stop = Event()
    notes = RecordedReports()
    stopped: list[float] = []

    def stop_when_both_run() -> None:
        if len(notes.frames) == 2 and min(notes.frames.values()) > 0 and not stop.is_set():
            stopped.append(time.monotonic())
            stop.set()

    notes.on_progress = stop_when_both_run
    run_in_processes(jobs_of(videos, tmp_path / "out"), 2, square_models, notes, stop)
    assert time.monotonic() - stopped[0] < 3
    assert set(notes.reports) == {"a.mp4", "b.mp4"}
    for reports in notes.reports.values():
        assert reports[0].report.state is PipelineState.STOPPED
        (table,) = reports[0].outputs
        assert table.endswith(".partial.csv")
        assert len(read_landmarks(table).frame) == reports[0].report.frames > 0


def test_a_process_opens_the_networks_that_each_video_needs(tmp_path: Path) -> None:
    videos = [square_video(tmp_path / f"{name}.mp4", 3) for name in "abc"]
    jobs = jobs_of(videos, tmp_path / "out")
    jobs[1] = replace(jobs[1], settings=replace(jobs[1].settings, model="none"))
    notes = RecordedReports()
    run_in_processes(jobs, 1, models_unless_none, notes, Event())
    errors = [notes.reports[video.name][0].error for video in videos]
    assert errors == [None, "there are no weights", None]


class ShrinkingJobList(JobList):
    """Two jobs run at a time; when both run, one is cancelled, and then only one may run."""

    def __init__(self, jobs: list[Job], notes: RecordedReports) -> None:
        super().__init__(jobs, 2)
        self._notes = notes
        self.started: list[tuple[str, list[str]]] = []  # each with the jobs that had ended before

    def most(self) -> int:
        return 1 if self._notes.reports else 2

    def take(self) -> Job | None:
        job = super().take()
        if job is not None:
            self.started.append((Path(job.text).name, sorted(self._notes.reports)))
        return job

    def cancelled(self, job: Job) -> bool:
        if Path(job.text).name == "a.mp4":
            return len(self._notes.frames) == 2
        return "a.mp4" in self._notes.reports


def test_jobs_can_be_cancelled_and_limited_while_others_run(tmp_path: Path) -> None:
    videos = [square_video(tmp_path / "a.mp4", 600)]
    videos += [Path(shutil.copy(videos[0], tmp_path / f"{name}.mp4")) for name in "bc"]
    notes = RecordedReports()
    supply = ShrinkingJobList(jobs_of(videos, tmp_path / "out"), notes)
    run_queue(supply, slow_models, notes, Event())
    assert supply.started == [("a.mp4", []), ("b.mp4", []), ("c.mp4", ["a.mp4", "b.mp4"])]
    for video in videos:
        (report,) = notes.reports[video.name]
        assert report.report.state is PipelineState.STOPPED
        assert report.outputs == (str(tmp_path / "out" / f"{video.stem}.partial.csv"),)


def test_the_number_of_processes_is_limited_by_files_and_options() -> None:
    videos = ["a.mp4", "b.mp4", "c.mp4"]
    assert useful_processes(8, videos, on_gpu=False) == 3
    assert useful_processes(2, videos, on_gpu=False) == 2
    assert useful_processes(None, videos[:1], on_gpu=False) == 1
    assert useful_processes(None, [], on_gpu=False) == 1
    assert useful_processes(None, videos * 40, on_gpu=True) <= 4
    assert useful_processes(4, ["camera:0", *videos], on_gpu=False) == 1
