"""A camera that stops sending: all rows are valid, nothing hangs, and it is reported."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.pipeline.pipeline_report import PipelineState
from steadymark.engine.sources.live.network_camera import NetworkCamera
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_camera import mjpeg_server
from support.fakes.fake_engine import SquareDetector, SquareNetwork
from support.program_runs import start_program

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.types import TrackResult


def tracker() -> Tracker:
    return Tracker(SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68"))


def test_rows_continue_after_a_stall_and_the_gap_is_reported(tmp_path: Path) -> None:
    reconnected = threading.Event()

    def let_server_continue(result: TrackResult) -> None:
        if camera.problems:  # the stall was noticed
            server.pictures = 10_000
        if len(camera.problems) >= 2:
            reconnected.set()

    with mjpeg_server() as server:
        server.pictures, server.stalls = 12, True
        camera = NetworkCamera(server.url, read_timeout_s=0.3, retry_s=(0.01,))
        sink = NativeCsvSink(tmp_path / "a.csv", Header(), load_schema("ibug68"))
        pipeline = Pipeline(camera, tracker(), [sink], on_result=let_server_continue)
        pipeline.start()
        assert reconnected.wait(20)
        report = pipeline.stop()
        assert camera.join(5)
    assert report.state is PipelineState.STOPPED
    assert report.faults == ()
    assert "the camera delivered no more frames at" in report.problems[0]
    assert "the camera delivers frames again at" in report.problems[1]
    assert sink.path == str(tmp_path / "a.csv")
    assert {f.severity for f in check_csv(sink.path)} <= {Severity.WARNING}  # skipped frames
    times = read_landmarks(tmp_path / "a.csv").timestamp_s
    gaps = times[1:] - times[:-1]
    assert (gaps > 0).all()
    assert gaps.max() >= 0.3  # time did not stand still


def test_stopping_in_a_stall_is_quick_and_keeps_every_row(tmp_path: Path) -> None:
    first_result = threading.Event()
    with mjpeg_server() as server:
        server.pictures, server.stalls = 12, True
        camera = NetworkCamera(server.url, read_timeout_s=20)
        sink = NativeCsvSink(tmp_path / "a.csv", Header(), load_schema("ibug68"))
        pipeline = Pipeline(camera, tracker(), [sink], on_result=lambda _: first_result.set())
        pipeline.start()
        assert first_result.wait(20)
        start_s = time.monotonic()
        report = pipeline.stop()
        assert time.monotonic() - start_s < 2
    assert report.faults == ()
    table = read_landmarks(tmp_path / "a.csv")
    assert len(set(table.frame)) == report.frames > 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_sigterm_in_a_stall_ends_the_program_with_a_valid_table(tmp_path: Path) -> None:
    with mjpeg_server() as server:
        server.pictures, server.stalls = 12, True
        process = start_program("track", server.url, "--out", tmp_path, "--device", "cpu")
        end_s = time.monotonic() + 30
        while not any(p.stat().st_size > 12_000 for p in tmp_path.glob("*.csv.part")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end_s
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=10)
    assert process.returncode == 130, text
    assert "Traceback" not in text
    (table,) = [p for p in tmp_path.glob("*.csv") if p.name.startswith("127")]
    assert {f.severity for f in check_csv(table)} <= {Severity.WARNING}
    assert len(read_landmarks(table).frame) > 1
