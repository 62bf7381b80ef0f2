"""One input tracked into its files, from a network camera and from damaged outputs."""

from __future__ import annotations

import collections
import gc
import hashlib
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.output_paths import output_stem
from steadymark.engine.pipeline.fingerprint import source_digest
from steadymark.engine.pipeline.job import OutputSettings, run_job
from steadymark.engine.pipeline.pipeline_report import PipelineReport, PipelineState
from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from support.fakes.fake_camera import mjpeg_server
from support.fakes.fake_engine import SquareDetector, SquareNetwork
from support.videos.video_corpus import Recipe, make

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.types import SourceInfo

STEADYMARK_CLASS = "<class 'steadymark."


def fake_models() -> OpenModels:
    network = SquareNetwork()
    return OpenModels(network, SquareDetector(), (network.card,))


def test_a_stopped_network_camera_leaves_a_complete_table(
    tmp_path: Path,
) -> None:
    stop = Event()

    def stop_after_20_frames(info: SourceInfo, report: PipelineReport) -> None:
        assert info.live
        if report.frames > 20:
            stop.set()

    with mjpeg_server() as server:
        job = run_job(
            server.url,
            fake_models(),
            TrackSettings(),
            OutputSettings(tmp_path),
            used_stems=set(),
            stop=stop,
            on_progress=stop_after_20_frames,
            progress_s=0.01,
        )
    assert job.error is None
    assert job.report.state is PipelineState.STOPPED
    (table,) = tmp_path.iterdir()
    assert table.name.endswith(".csv")
    assert ".partial" not in table.name
    assert all(f.severity is Severity.WARNING for f in check_csv(table))
    rows = read_landmarks(table)
    assert len(np.unique(rows.frame)) > 20
    assert (np.diff(rows.timestamp_s) >= 0).all()


def test_a_finished_job_frees_its_objects_without_the_garbage_collector(tmp_path: Path) -> None:
    """The encoder of each job would otherwise keep dozens of frames alive."""

    def living_objects() -> collections.Counter[str]:
        kinds = (repr(type(thing)) for thing in gc.get_objects())
        return collections.Counter(
            k for k in kinds if k.startswith(("<class 'av.", STEADYMARK_CLASS))
        )

    def track() -> None:
        output = OutputSettings(tmp_path / "out", video=True, overwrite=True)
        job = run_job(
            str(video), fake_models(), TrackSettings(), output, used_stems=set(), stop=Event()
        )
        assert job.error is None
        assert job.report.frames == 12

    video = make(tmp_path, Recipe("film.mp4", frames=12))
    track()  # creates the objects that are kept on purpose
    gc.collect()
    before = living_objects()
    gc.disable()
    try:
        track()
        leaked = living_objects() - before
    finally:
        gc.enable()
    assert not leaked


def test_the_digest_of_a_source_can_be_stopped(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # of two parts
    parts: list[int] = []
    path = tmp_path / "a.mp4"
    path.write_bytes(content)

    def stop() -> bool:
        parts.append(len(parts))
        return len(parts) > 1

    assert source_digest(str(path)) == hashlib.sha256(content).hexdigest()
    assert source_digest(str(path), stop=stop) is None
    assert len(parts) == 2


def test_names_of_results_are_safe_and_distinct() -> None:
    taken: set[str] = set()

    def stem(name: str) -> str:
        return output_stem(name, taken)

    assert stem("a.mp4") == "a"
    assert stem("A.mov") == "A-2"
    assert "/" not in stem("http://host:80/video?x=1")
    assert stem("") == "source"
