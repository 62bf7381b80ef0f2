"""Recording of a live view, without widgets."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import av
import numpy as np

from steadymark.app.session.state import Phase
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.live_recorder import Recorder
from support.fakes.fake_engine import ListSink
from support.window.live_session_driver import (
    is_live,
    start_live_view,
    stop_recording,
    wait_for_frames,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session
    from steadymark.engine.output.live_recorder import RecorderReport
    from support.fakes.fake_live_sources import PacedDevice


def test_a_recording_continues_after_the_camera_is_unplugged_and_plugged_in(
    qtbot: QtBot, session: Session, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, session)
    session.live.start_recording(tmp_path)
    wait_for_frames(qtbot, session, 5)
    device.unplug()
    qtbot.waitUntil(lambda: session.display.phase is Phase.RECONNECTING)
    assert session.display.playing
    device.plug_in()
    qtbot.waitUntil(lambda: is_live(session))
    wait_for_frames(qtbot, session, 5)
    report = stop_recording(qtbot, session)
    assert report.fault == ""
    check_recording(tmp_path, report)


def check_recording(folder: Path, report: RecorderReport) -> None:
    """Assert that every frame of the video has a row with its time and its face."""
    video, table_file = sorted(folder.glob("*.mp4")) + sorted(folder.glob("*.csv"))
    assert report.paths == (str(video), str(table_file))
    table = read_landmarks(table_file)
    with av.open(str(video)) as container:
        base = container.streams.video[0].time_base
        assert base is not None
        frames = [(f.pts * base, f.to_ndarray(format="gray")) for f in container.decode(video=0)]  # type: ignore[operator]
    assert report.frames == len(frames) == len(table.frame)
    assert [f"{float(t):.6f}" for t, _ in frames] == [f"{t:.6f}" for t in table.timestamp_s]
    for row, (_, grey) in enumerate(frames):
        if np.isfinite(table.xy_px[row]).all():
            middle = float(np.flatnonzero(grey[100] > 100).mean())
            extent = table.xy_px[row, :, 0]
            assert abs(float(extent.min() + extent.max()) / 2 - middle) < 2.5


def test_every_recorded_row_belongs_to_a_recorded_frame(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    start_live_view(qtbot, session)
    wait_for_frames(qtbot, session, 4)
    session.live.set_mirrored(True)
    session.live.start_recording(tmp_path)
    display = session.display
    assert display.live is not None
    assert display.live.recording.startswith("fake camera-")
    wait_for_frames(qtbot, session, 15)
    figures = session.live.figures()
    assert figures.recording is not None
    assert figures.recording.running
    report = stop_recording(qtbot, session)
    assert report.dropped == 0
    check_recording(tmp_path, report)
    assert not session.live.is_recording
    assert is_live(session)


def test_two_recordings_within_one_second_get_different_names(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    start_live_view(qtbot, session)
    reports = []
    for _ in range(2):
        session.live.start_recording(tmp_path)
        wait_for_frames(qtbot, session)
        reports.append(stop_recording(qtbot, session))
    assert len({path for report in reports for path in report.paths}) == 4
    assert len(list(tmp_path.glob("*.csv"))) == 2


def test_a_recording_that_cannot_be_written_is_reported_and_the_view_continues(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    start_live_view(qtbot, session)
    with qtbot.waitSignal(session.live.recorded) as recorded_signal:
        session.live.start_recording(tmp_path / "nowhere")
    assert "the folder does not exist" in recorded_signal.args[0].fault
    assert not session.live.is_recording
    assert session.display.live is not None
    assert session.display.live.recording == ""
    wait_for_frames(qtbot, session)


def test_a_slow_recording_never_slows_the_view(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    start_live_view(qtbot, session)
    view = session.live._open
    assert view is not None
    sink_may_continue = threading.Event()
    sink = ListSink(held=sink_may_continue, path=str(tmp_path / "slow"))
    recorder = Recorder([sink], view.source.info, capacity=4)
    view.record(recorder)
    tracked = view.report.frames
    start_s = time.monotonic()
    wait_for_frames(qtbot, session, 20)
    assert time.monotonic() - start_s < 5  # the sink alone takes longer for a single frame
    qtbot.waitUntil(lambda: recorder.report.dropped > 5)
    assert view.report.frames > tracked + 10
    sink_may_continue.set()
    view.stop_recording(within_s=1)
    assert recorder.join(5)
