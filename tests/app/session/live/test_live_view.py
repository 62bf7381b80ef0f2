"""The state of the live view with real threads and a fake camera, without widgets."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.live.open_stream import LiveTarget, open_feed
from steadymark.app.session.session import Session
from steadymark.app.session.state import Phase
from steadymark.engine.core.errors import SourceError, WeightsError
from steadymark.engine.core.types import FaceState, Frame
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.sources import OpenAttempt
from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from support.fakes.fake_engine import ListSource, SquareDetector, SquareNetwork, square_image
from support.fakes.fake_live_sources import HangingDevice, PacedDevice, camera_opener
from support.videos.square_video import square_models, square_video
from support.window.live_session_driver import (
    CAMERA,
    is_live,
    start_live_view,
    stop_recording,
    wait_for_frames,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.models.runtime.onnx_session import Prediction


def test_a_camera_is_opened_and_tracked(qtbot: QtBot, session: Session) -> None:
    start_live_view(qtbot, session)
    display = session.display
    assert (display.phase, display.name, display.size) == (Phase.LIVE, "fake camera", (320, 240))
    assert display.live is not None
    assert display.has_source
    assert not display.has_recording
    wait_for_frames(qtbot, session)


def test_landmarks_belong_to_the_frame_that_is_shown(qtbot: QtBot, session: Session) -> None:
    mismatches, seen = [], []

    def record_mismatches() -> None:
        frame, results = session.frame, session.results
        if frame is None or results is None:
            return
        faces = results.faces(frame.index)
        assert faces is not None
        middle = float(np.flatnonzero(frame.image[100, :, 0]).mean())
        for face in faces:
            assert face.raw is not None
            extent = face.raw.xy_px[:, 0]
            seen.append(middle)
            if abs(float(extent.min() + extent.max()) / 2 - middle) > 1.5:
                mismatches.append((frame.index, middle))

    session.frame_changed.connect(record_mismatches)
    start_live_view(qtbot, session)
    wait_for_frames(qtbot, session, 20)
    session.frame_changed.disconnect(record_mismatches)
    assert mismatches == []
    assert len(set(seen)) > 5


def test_the_newest_frame_is_shown_and_skipped_ones_are_counted(
    qtbot: QtBot, session: Session
) -> None:
    start_live_view(qtbot, session)
    shown: list[int] = []
    session.frame_changed.connect(
        lambda: shown.append(session.frame.index if session.frame else -1)
    )
    wait_for_frames(qtbot, session, 2)
    view = session.live
    threading.Event().wait(0.3)  # the GUI thread is busy with something else
    wait_for_frames(qtbot, session, 2)
    gaps = np.diff(shown)
    assert gaps.min() > 0
    assert gaps.max() > 5
    assert view.figures().dropped >= gaps.max() - 1


def test_a_live_view_can_be_stopped_and_started_again(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    start_live_view(qtbot, session)
    session.live.stop()
    assert session.display.phase is Phase.STOPPED
    assert session.frame is not None
    assert session.display.live is not None
    assert device.wait_for(released=1)
    session.live.start_again()
    qtbot.waitUntil(lambda: is_live(session) and device.opened == 2)
    before = session.results
    wait_for_frames(qtbot, session, 0)
    session.live.toggle()
    session.live.toggle()
    qtbot.waitUntil(lambda: is_live(session) and session.results is not before)


def test_changing_the_filter_keeps_the_face_and_the_stream(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    start_live_view(qtbot, session)
    wait_for_frames(qtbot, session)
    session.use_settings(TrackSettings(stabilizer="one-euro"))
    assert not session.source.settings_need_retracking
    wait_for_frames(qtbot, session, 10)
    assert session.results is not None
    rows = session.results.rows()
    assert (rows.state == list(FaceState).index(FaceState.DETECTED)).sum() == 1
    assert np.abs(rows.raw[-3:] - rows.stabilized[-3:]).max() > 0.01
    assert device.opened == 1


def test_changing_the_networks_keeps_the_stream_open(
    qtbot: QtBot, session: Session, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, session)
    session.live.start_recording(tmp_path)
    wait_for_frames(qtbot, session, 5)
    changed = replace(session.settings, tracker=replace(session.settings.tracker, max_faces=3))
    with qtbot.waitSignal(session.live.recorded):
        session.use_settings(changed)
    view = session.live._open
    assert view is not None
    assert view.settings == changed
    wait_for_frames(qtbot, session, 5)
    report = stop_recording(qtbot, session)
    assert device.opened == 1
    tables = sorted(tmp_path.glob("*.csv"))
    settings = [str(read_landmarks(table).header["settings"]) for table in tables]
    assert sum("'max_faces': 3" in text for text in settings) == 1
    assert len(settings) == 2
    assert report.frames > 0


def test_a_network_of_another_schema_begins_new_results_and_a_new_recording(
    qtbot: QtBot, session: Session, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, session)
    session.models.opener = lambda _: square_models(schema="jd106")
    session.live.start_recording(tmp_path)
    wait_for_frames(qtbot, session, 5)
    with qtbot.waitSignal(session.live.recorded):
        session.use_settings(replace(session.settings, model="wide"))
    qtbot.waitUntil(lambda: session.results is not None and session.results.schema.count == 106)
    wait_for_frames(qtbot, session, 5)
    report = stop_recording(qtbot, session)
    assert not report.fault
    tables = [read_landmarks(table) for table in tmp_path.glob("*.csv")]
    assert sorted(table.schema for table in tables) == ["ibug68", "jd106"]


def test_the_old_networks_stay_when_new_ones_cannot_be_opened(
    qtbot: QtBot, tmp_path: Path, device: PacedDevice
) -> None:
    def models(settings: TrackSettings) -> OpenModels:
        if settings.model == "missing":
            raise WeightsError("no weights at missing")
        return square_models()

    session = Session(
        TrackSettings(),
        state_root=tmp_path,
        models=ModelCache(models),
        opener=camera_opener(device),
    )
    messages: list[str] = []
    session.message_posted.connect(messages.append)
    start_live_view(qtbot, session)
    session.use_settings(TrackSettings(model="missing"))
    qtbot.waitUntil(lambda: messages == ["no weights at missing"])
    wait_for_frames(qtbot, session)
    assert session.close()


def test_butterworth_is_refused_with_the_reason(qtbot: QtBot, session: Session) -> None:
    messages: list[str] = []
    session.message_posted.connect(messages.append)
    start_live_view(qtbot, session)
    session.use_settings(TrackSettings(stabilizer="butterworth"))
    assert "frames to come" in messages[0]
    wait_for_frames(qtbot, session)


def test_a_camera_that_cannot_be_opened_is_reported_and_the_session_is_empty(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    device.plugged = False
    messages: list[str] = []
    session.message_posted.connect(messages.append)
    session.open_live(CAMERA)
    qtbot.waitUntil(lambda: bool(messages))
    assert "cannot be opened" in messages[0]
    assert session.display.phase is Phase.EMPTY


def test_restarting_without_the_camera_leaves_the_view_stopped(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    start_live_view(qtbot, session)
    session.live.stop()
    device.unplug()
    messages: list[str] = []
    session.message_posted.connect(messages.append)
    session.live.start_again()
    qtbot.waitUntil(lambda: bool(messages))
    assert session.display.phase is Phase.STOPPED
    device.plug_in()
    session.live.start_again()
    qtbot.waitUntil(lambda: is_live(session))


def test_opening_a_recording_closes_the_camera_and_the_other_way_round(
    qtbot: QtBot, session: Session, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, session)
    session.open(str(square_video(tmp_path / "a.mp4")))
    assert session.live.running  # until the recording is open
    qtbot.waitUntil(lambda: session.display.has_recording and session.frame is not None)
    assert session.live.state.phase is Phase.EMPTY
    assert device.wait_for(released=1)
    assert session.display.live is None
    start_live_view(qtbot, session)
    assert session.recording.current is None
    session.close_source()
    assert session.display.phase is Phase.EMPTY
    assert session.frame is None


@pytest.mark.parametrize("state", ["opening", "live", "lost", "recording", "stopped", "stopping"])
def test_closing_in_any_state_takes_two_seconds(qtbot: QtBot, tmp_path: Path, state: str) -> None:
    before = set(threading.enumerate())
    device = HangingDevice() if state == "opening" else PacedDevice()
    session = Session(
        TrackSettings(),
        state_root=tmp_path,
        models=ModelCache(square_models),
        opener=camera_opener(device),
    )
    if state == "opening":
        session.open_live(CAMERA)
        assert device.wait_for(opened=1)
    else:
        start_live_view(qtbot, session)
    if state == "recording":
        session.live.start_recording(tmp_path)
        wait_for_frames(qtbot, session)
    elif state == "lost":
        device.unplug()
        qtbot.waitUntil(lambda: session.display.phase is Phase.RECONNECTING)
    elif state in ("stopped", "stopping"):
        session.live.stop()
        if state == "stopping":
            session.live.start_again()
    start_s = time.monotonic()
    ended = session.close()
    assert time.monotonic() - start_s < 2.5
    assert ended
    device.unplug()  # the test ends a read that hangs in the driver
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
    if state == "recording":
        (table,) = tmp_path.glob("*.csv")
        assert len(read_landmarks(table).frame) > 0


class FiniteStream(ListSource):
    """A stream that ends."""

    def join(self, timeout_s: float) -> bool:
        return True


class FailingNetwork(SquareNetwork):
    """A network that fails at its 20th call."""

    calls = 0

    def step(self, *args: Any, **more: Any) -> Prediction:
        self.calls += 1
        if self.calls == 20:
            raise ZeroDivisionError("planted")
        return super().step(*args, **more)


@pytest.mark.parametrize("end", ["stream", "fault"])
def test_a_view_that_ends_unexpectedly_is_reported_and_can_be_restarted(
    qtbot: QtBot, tmp_path: Path, end: str
) -> None:
    frames = [Frame(square_image((100, 100, 60)), i, i / 25) for i in range(40)]
    network = FailingNetwork() if end == "fault" else SquareNetwork()
    models = OpenModels(network, SquareDetector(), (network.card,))
    opener = camera_opener(PacedDevice())
    if end == "stream":
        opener = lambda *_: FiniteStream(frames, live=True)  # noqa: E731
    session = Session(
        TrackSettings(), state_root=tmp_path, models=ModelCache(lambda _: models), opener=opener
    )
    messages: list[str] = []
    session.message_posted.connect(messages.append)
    start_live_view(qtbot, session)
    qtbot.waitUntil(lambda: session.display.phase is Phase.STOPPED)
    assert ("has ended" if end == "stream" else "could not be tracked") in messages[0]
    before = session.results
    session.live.start_again()
    qtbot.waitUntil(lambda: session.results is not before)
    assert session.close()


def test_the_real_opener_reports_what_is_wrong() -> None:
    with pytest.raises(SourceError, match="was not found"):
        open_feed(LiveTarget("camera:no such camera"), lambda _: None, OpenAttempt())
    with pytest.raises(SourceError, match="connection was refused"):
        open_feed(LiveTarget("http://127.0.0.1:9/"), lambda _: None, OpenAttempt())


def test_latency_and_rate_begin_anew_when_the_view_is_started_again(
    qtbot: QtBot, session: Session
) -> None:
    def paint() -> None:
        if session.frame is not None:
            session.live.painted(session.frame)

    session.frame_changed.connect(paint)
    start_live_view(qtbot, session)
    wait_for_frames(qtbot, session, 60)
    session.live.stop()
    last, stopped_s = session.frame, time.perf_counter()
    assert last is not None
    session.changed.connect(lambda: session.live.painted(last))  # the old frame is painted again
    session.live.start_again()
    qtbot.waitUntil(lambda: is_live(session))
    qtbot.waitUntil(lambda: session.frame is not None and session.frame is not last)
    wait_for_frames(qtbot, session)
    index = -1 if session.frame is None else session.frame.index
    assert 0 < index < last.index
    assert session.live._meter._newest == index
    assert session.live.figures().latency.p95_ms < 1e3 * (time.perf_counter() - stopped_s)
