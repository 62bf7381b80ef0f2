"""Many films in several processes: the same tables, and one that dies costs one film."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from steadymark.engine.batch.run_jobs import Job, JobList, run_here, useful_processes
from steadymark.engine.batch.worker_processes import run_in_processes, run_supply
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.pipeline.pipeline_report import PipelineState
from support.fakes.blocking_fakes import slow_models
from support.fakes.crashing_models import (
    DEADLY_WIDTH,
    Notes,
    choosy_models,
    deadly_models,
    jobs_of,
    no_models,
)
from support.videos.square_video import square_models, square_video


def test_two_processes_write_the_bytes_that_one_does(tmp_path: Path) -> None:
    films = [square_video(tmp_path / f"{name}.mp4", 30 + 5 * i) for i, name in enumerate("abc")]
    here, there = Notes(), Notes()
    run_here(jobs_of(films, tmp_path / "one"), square_models(), here, Event())
    run_in_processes(jobs_of(films, tmp_path / "two"), 2, square_models, there, Event())
    for film in films:
        one, two = (tmp_path / k / f"{film.stem}.csv" for k in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        (report,) = there.reports[film.name]
        assert report.error is None
        assert report.made == here.reports[film.name][0].made
        assert there.frames[film.name] == here.frames[film.name]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_process_that_is_killed_fails_its_film_and_no_other(tmp_path: Path) -> None:
    films = [
        square_video(tmp_path / f"{name}.mp4", width=DEADLY_WIDTH if name in "ac" else 320)
        for name in "abcd"
    ]
    notes = Notes()
    run_in_processes(jobs_of(films, tmp_path / "out"), 2, deadly_models, notes, Event())
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


def test_networks_that_do_not_open_in_a_process_are_told(tmp_path: Path) -> None:
    films = [square_video(tmp_path / f"{name}.mp4", 3) for name in "ab"]
    notes = Notes()
    run_in_processes(jobs_of(films, tmp_path / "out"), 1, no_models, notes, Event())
    for film in films:
        (report,) = notes.reports[film.name]
        assert report.error == "there are no weights"


def test_stopping_ends_all_within_two_seconds_and_keeps_what_is_tracked(tmp_path: Path) -> None:
    films = [square_video(tmp_path / "a.mp4", 3000)]
    films += [Path(shutil.copy(films[0], tmp_path / f"{name}.mp4")) for name in "bc"]
    stop = Event()
    notes = Notes()
    stopped: list[float] = []

    def both_run() -> None:
        if len(notes.frames) == 2 and min(notes.frames.values()) > 0 and not stop.is_set():
            stopped.append(time.monotonic())
            stop.set()

    notes.on_progress = both_run
    run_in_processes(jobs_of(films, tmp_path / "out"), 2, square_models, notes, stop)
    assert time.monotonic() - stopped[0] < 3
    assert set(notes.reports) == {"a.mp4", "b.mp4"}
    for reports in notes.reports.values():
        assert reports[0].report.state is PipelineState.STOPPED
        (table,) = reports[0].outputs
        assert table.endswith(".partial.csv")
        assert len(read_landmarks(table).frame) == reports[0].report.frames > 0


def test_a_process_opens_the_networks_that_each_film_wants(tmp_path: Path) -> None:
    films = [square_video(tmp_path / f"{name}.mp4", 3) for name in "abc"]
    jobs = jobs_of(films, tmp_path / "out")
    jobs[1] = replace(jobs[1], settings=replace(jobs[1].settings, model="none"))
    notes = Notes()
    run_in_processes(jobs, 1, choosy_models, notes, Event())
    errors = [notes.reports[film.name][0].error for film in films]
    assert errors == [None, "there are no weights", None]


class Falling(JobList):
    """Two at a time; once both are under way, one is cancelled, then only one is allowed."""

    def __init__(self, jobs: list[Job], notes: Notes) -> None:
        super().__init__(jobs, 2)
        self._notes = notes
        self.taken: list[tuple[str, list[str]]] = []  # with those that had ended before

    def most(self) -> int:
        return 1 if self._notes.reports else 2

    def take(self) -> Job | None:
        job = super().take()
        if job is not None:
            self.taken.append((Path(job.text).name, sorted(self._notes.reports)))
        return job

    def cancelled(self, job: Job) -> bool:
        if Path(job.text).name == "a.mp4":
            return len(self._notes.frames) == 2
        return "a.mp4" in self._notes.reports


def test_one_is_cancelled_and_fewer_run_at_a_time_while_others_go_on(tmp_path: Path) -> None:
    films = [square_video(tmp_path / "a.mp4", 600)]
    films += [Path(shutil.copy(films[0], tmp_path / f"{name}.mp4")) for name in "bc"]
    notes = Notes()
    supply = Falling(jobs_of(films, tmp_path / "out"), notes)
    run_supply(supply, slow_models, notes, Event())
    assert supply.taken == [("a.mp4", []), ("b.mp4", []), ("c.mp4", ["a.mp4", "b.mp4"])]
    for film in films:
        (report,) = notes.reports[film.name]
        assert report.report.state is PipelineState.STOPPED
        assert report.outputs == (str(tmp_path / "out" / f"{film.stem}.partial.csv"),)


def test_there_are_never_more_processes_than_files_or_were_asked_for() -> None:
    films = ["a.mp4", "b.mp4", "c.mp4"]
    assert useful_processes(8, films, on_gpu=False) == 3
    assert useful_processes(2, films, on_gpu=False) == 2
    assert useful_processes(None, films[:1], on_gpu=False) == 1
    assert useful_processes(None, [], on_gpu=False) == 1
    assert useful_processes(None, films * 40, on_gpu=True) <= 4
    assert useful_processes(4, ["camera:0", *films], on_gpu=False) == 1
