"""Jobs on a local Dask cluster: each video is tracked once, even if workers die."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from steadymark.engine.batch import dask_cluster
from steadymark.engine.batch.dask_cluster import run_on_cluster
from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.batch.run_jobs import run_here
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.pipeline.pipeline_report import PipelineState
from support.fakes.crashing_models import (
    CRASHING_WIDTH,
    RecordedReports,
    crashing_once_models,
    jobs_of,
)
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def killed_marker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a file that a worker creates before it kills itself."""
    return tmp_path_factory.mktemp("mark") / "killed"


@pytest.fixture(scope="module")
def address(killed_marker: Path) -> Iterator[str]:
    """Return the address of a scheduler with two worker processes of one thread each."""
    from distributed import LocalCluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEADYMARK_TEST_MARK", str(killed_marker))
        start: Any = LocalCluster
        with start(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as local:
            yield local.scheduler_address


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_every_video_is_tracked_once_although_a_worker_is_killed(
    tmp_path: Path, address: str, killed_marker: Path
) -> None:
    videos = [
        square_video(tmp_path / f"{name}.mp4", 60, width=CRASHING_WIDTH if name == "b" else 320)
        for name in "abcd"
    ]
    local, on_cluster = RecordedReports(), RecordedReports()
    run_here(jobs_of(videos, tmp_path / "here"), square_models(), local, Event())
    jobs = jobs_of(videos, tmp_path / "far")
    run_on_cluster(jobs, address, on_cluster, Event(), opens=crashing_once_models)
    assert killed_marker.exists()
    index = ResultsIndex(tmp_path / "far")
    for job, video in zip(jobs, videos, strict=True):
        (report,) = on_cluster.reports[video.name]
        assert report.error is None
        index.end(job.text, report)
        here = (tmp_path / "here" / f"{video.stem}.csv").read_bytes()
        assert (tmp_path / "far" / f"{video.stem}.csv").read_bytes() == here
    names = sorted(path.name for path in (tmp_path / "far").iterdir())
    assert names == ["a.csv", "b.csv", "c.csv", "d.csv", "index.csv"]
    lines = (tmp_path / "far" / "index.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [[str(f), "done"] for f in videos]


def test_stopping_ends_running_jobs_and_keeps_their_partial_results(
    tmp_path: Path, address: str
) -> None:
    videos = [square_video(tmp_path / "a.mp4", 3000)]
    videos += [Path(shutil.copy(videos[0], tmp_path / f"{name}.mp4")) for name in "bc"]
    stop, notes = Event(), RecordedReports()
    notes.on_progress = stop.set
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dask_cluster, "PROGRESS_S", 0.2)
        started = time.monotonic()
        run_on_cluster(jobs_of(videos, tmp_path / "o"), address, notes, stop, opens=square_models)
    assert time.monotonic() - started < 20
    assert 1 <= len(notes.reports) <= 2
    for reports in notes.reports.values():
        assert reports[0].report.state is PipelineState.STOPPED
        rows = len(read_landmarks(reports[0].outputs[0]).frame)
        assert 0 < rows == reports[0].report.frames < 3000
    assert all(".partial." in path.name for path in (tmp_path / "o").iterdir())


def test_workers_with_another_version_are_refused(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "version", lambda: "99.0")
    jobs = jobs_of([square_video(tmp_path / "a.mp4", 3)], tmp_path / "o")
    with pytest.raises(UsageError, match=r"install the same version everywhere|cannot run"):
        run_on_cluster(jobs, address, RecordedReports(), Event())


def test_an_address_without_a_scheduler_is_reported_quickly(tmp_path: Path) -> None:
    with socket.socket() as silent_server:
        silent_server.bind(("127.0.0.1", 0))
        silent_server.listen()  # it never answers
        address = f"tcp://127.0.0.1:{silent_server.getsockname()[1]}"
        jobs = jobs_of([tmp_path / "a.mp4"], tmp_path / "o")
        started = time.monotonic()
        with pytest.raises(UsageError, match=r"no Dask scheduler answers at .* within 0.5 s"):
            run_on_cluster(jobs, address, RecordedReports(), Event(), connect_s=0.5)
        assert time.monotonic() - started < 5
    with pytest.raises(UsageError, match="no Dask scheduler answers at nonsense"):
        run_on_cluster(jobs, "nonsense", RecordedReports(), Event(), connect_s=0.5)


def test_without_dask_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    jobs = jobs_of([tmp_path / "a.mp4"], tmp_path / "o")
    with pytest.raises(UsageError, match=r"pip install 'steadymark\[cluster\]'"):
        run_on_cluster(jobs, "tcp://127.0.0.1:8786", RecordedReports(), Event())
