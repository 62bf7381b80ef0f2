"""The live view's state with real threads and a hand-made camera, without widgets."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from fake_live import HangingDevice, PacedDevice, camera_opener
from scenes import ListSink, ListSource, SquareDetector, SquareNetwork, picture
from square_film import square_models, square_video
from steadymark.app.session.live import open_feed
from steadymark.app.session.open_live import LiveTarget
from steadymark.app.session.opening import ModelCache
from steadymark.app.session.session import Session
from steadymark.app.session.state import Phase
from steadymark.engine.errors import SourceError, WeightsError
from steadymark.engine.recording.reading import read_landmarks
from steadymark.engine.recording.recorder import Recorder
from steadymark.engine.settings import Models, TrackSettings
from steadymark.engine.sources import Opening
from steadymark.engine.types import FaceState, Frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.engine.recording.recorder import RecorderReport
    from steadymark.models.runtime import Prediction

CAMERA = LiveTarget("camera:0")


@pytest.fixture
def device() -> PacedDevice:
    return PacedDevice()


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path, device: PacedDevice) -> Iterator[Session]:
    before = set(threading.enumerate())
    session = Session(
        TrackSettings(stabilizer="none"),
        state_root=tmp_path / "state",
        models=ModelCache(square_models),
        opener=camera_opener(device),
    )
    yield session
    assert session.close()
    assert set(threading.enumerate()) <= before


def watched(qtbot: QtBot, session: Session) -> None:
    session.open_live(CAMERA)
    assert session.display.phase is Phase.OPENING
    qtbot.waitUntil(lambda: session.frame is not None)


def live(session: Session) -> bool:
    return session.display.phase is Phase.LIVE


def came_on(qtbot: QtBot, session: Session, pictures: int = 3) -> None:
    """Some more pictures are shown."""
    assert session.frame is not None
    index = session.frame.index + pictures
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.index >= index)


def recorded(qtbot: QtBot, session: Session) -> RecorderReport:
    """What a recording that is stopped here has become."""
    with qtbot.waitSignal(session.live.recorded) as told:
        session.live.stop_recording()
    report: RecorderReport = told.args[0]
    return report


def test_a_camera_is_watched_and_tracked(qtbot: QtBot, session: Session) -> None:
    watched(qtbot, session)
    display = session.display
    assert (display.phase, display.name, display.size) == (Phase.LIVE, "fake camera", (320, 240))
    assert display.live is not None
    assert display.has_picture
    assert not display.has_film
    came_on(qtbot, session)


def test_landmarks_are_those_of_the_frame_that_is_shown(qtbot: QtBot, session: Session) -> None:
    wrong, seen = [], []

    def look() -> None:
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
                wrong.append((frame.index, middle))

    session.pictured.connect(look)
    watched(qtbot, session)
    came_on(qtbot, session, 20)
    session.pictured.disconnect(look)
    assert wrong == []
    assert len(set(seen)) > 5


def test_the_newest_frame_wins_and_passed_over_ones_are_counted(
    qtbot: QtBot, session: Session
) -> None:
    watched(qtbot, session)
    shown: list[int] = []
    session.pictured.connect(lambda: shown.append(session.frame.index if session.frame else -1))
    came_on(qtbot, session, 2)
    view = session.live
    threading.Event().wait(0.3)  # the GUI thread is busy with something else
    came_on(qtbot, session, 2)
    gaps = np.diff(shown)
    assert gaps.min() > 0
    assert gaps.max() > 5
    assert view.figures().dropped >= gaps.max() - 1


def test_a_view_is_stopped_and_started_again(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    watched(qtbot, session)
    session.live.stop()
    assert session.display.phase is Phase.STOPPED
    assert session.frame is not None
    assert session.display.live is not None
    assert device.wait_for(released=1)
    session.live.start_again()
    qtbot.waitUntil(lambda: live(session) and device.opened == 2)
    before = session.results
    came_on(qtbot, session, 0)
    session.live.toggle()
    session.live.toggle()
    qtbot.waitUntil(lambda: live(session) and session.results is not before)


def test_an_unplugged_camera_is_waited_for_and_the_recording_goes_on(
    qtbot: QtBot, session: Session, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, session)
    session.live.start_recording(tmp_path)
    came_on(qtbot, session, 5)
    device.unplug()
    qtbot.waitUntil(lambda: session.display.phase is Phase.RECONNECTING)
    assert session.display.playing
    device.plug_in()
    qtbot.waitUntil(lambda: live(session))
    came_on(qtbot, session, 5)
    report = recorded(qtbot, session)
    assert report.fault == ""
    check_recording(tmp_path, report)


def check_recording(folder: Path, report: RecorderReport) -> None:
    """Every frame of the video has its rows, with its time and what is seen in it."""
    video, table_file = sorted(folder.glob("*.mp4")) + sorted(folder.glob("*.csv"))
    assert report.paths == (str(video), str(table_file))
    table = read_landmarks(table_file)
    with av.open(str(video)) as film:
        base = film.streams.video[0].time_base
        assert base is not None
        frames = [(f.pts * base, f.to_ndarray(format="gray")) for f in film.decode(video=0)]  # type: ignore[operator]
    assert report.frames == len(frames) == len(table.frame)
    assert [f"{float(t):.6f}" for t, _ in frames] == [f"{t:.6f}" for t in table.timestamp_s]
    for row, (_, grey) in enumerate(frames):
        if np.isfinite(table.xy_px[row]).all():
            middle = float(np.flatnonzero(grey[100] > 100).mean())
            extent = table.xy_px[row, :, 0]
            assert abs(float(extent.min() + extent.max()) / 2 - middle) < 2.5


def test_recorded_rows_belong_exactly_to_the_recorded_frames(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    watched(qtbot, session)
    came_on(qtbot, session, 4)
    session.live.set_mirrored(True)
    session.live.start_recording(tmp_path)
    display = session.display
    assert display.live is not None
    assert display.live.recording.startswith("fake camera-")
    came_on(qtbot, session, 15)
    figures = session.live.figures()
    assert figures.recording is not None
    assert figures.recording.running
    report = recorded(qtbot, session)
    assert report.dropped == 0
    check_recording(tmp_path, report)
    assert not session.live.is_recording
    assert live(session)


def test_two_recordings_of_one_second_do_not_share_a_name(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    watched(qtbot, session)
    reports = []
    for _ in range(2):
        session.live.start_recording(tmp_path)
        came_on(qtbot, session)
        reports.append(recorded(qtbot, session))
    assert len({path for report in reports for path in report.paths}) == 4
    assert len(list(tmp_path.glob("*.csv"))) == 2


def test_a_recording_that_cannot_be_written_is_told_and_the_view_goes_on(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    watched(qtbot, session)
    with qtbot.waitSignal(session.live.recorded) as told:
        session.live.start_recording(tmp_path / "nowhere")
    assert "the folder does not exist" in told.args[0].fault
    assert not session.live.is_recording
    assert session.display.live is not None
    assert session.display.live.recording == ""
    came_on(qtbot, session)


def test_a_slow_recording_never_slows_the_view(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    watched(qtbot, session)
    view = session.live._open
    assert view is not None
    held = threading.Event()
    sink = ListSink(held=held, path=str(tmp_path / "slow"))
    recorder = Recorder([sink], view.source.info, capacity=4)
    view.record(recorder)
    tracked = view.report.frames
    begun_s = time.monotonic()
    came_on(qtbot, session, 20)
    assert time.monotonic() - begun_s < 5  # the sink alone takes longer for a single frame
    qtbot.waitUntil(lambda: recorder.report.dropped > 5)
    assert view.report.frames > tracked + 10
    held.set()
    view.stop_recording(within_s=1)
    assert recorder.join(5)


def test_filters_change_without_losing_the_face_or_the_stream(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    watched(qtbot, session)
    came_on(qtbot, session)
    session.use_settings(TrackSettings(stabilizer="one-euro"))
    assert not session.settings_wait
    came_on(qtbot, session, 10)
    assert session.results is not None
    rows = session.results.rows()
    assert (rows.state == list(FaceState).index(FaceState.DETECTED)).sum() == 1
    assert np.abs(rows.raw[-3:] - rows.steady[-3:]).max() > 0.01
    assert device.opened == 1


def test_other_networks_take_over_while_the_stream_goes_on(
    qtbot: QtBot, session: Session, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, session)
    session.live.start_recording(tmp_path)
    came_on(qtbot, session, 5)
    changed = replace(session.settings, tracker=replace(session.settings.tracker, max_faces=3))
    with qtbot.waitSignal(session.live.recorded):
        session.use_settings(changed)
    view = session.live._open
    assert view is not None
    assert view.settings == changed
    came_on(qtbot, session, 5)
    report = recorded(qtbot, session)
    assert device.opened == 1
    tables = sorted(tmp_path.glob("*.csv"))
    settings = [str(read_landmarks(table).header["settings"]) for table in tables]
    assert sum("'max_faces': 3" in text for text in settings) == 1
    assert len(settings) == 2
    assert report.frames > 0


def test_networks_that_cannot_be_opened_leave_the_old_ones(
    qtbot: QtBot, tmp_path: Path, device: PacedDevice
) -> None:
    def models(settings: TrackSettings) -> Models:
        if settings.model == "missing":
            raise WeightsError("no weights at missing")
        return square_models()

    session = Session(
        TrackSettings(),
        state_root=tmp_path,
        models=ModelCache(models),
        opener=camera_opener(device),
    )
    told: list[str] = []
    session.told.connect(told.append)
    watched(qtbot, session)
    session.use_settings(TrackSettings(model="missing"))
    qtbot.waitUntil(lambda: told == ["no weights at missing"])
    came_on(qtbot, session)
    assert session.close()


def test_butterworth_is_refused_with_the_reason_and_points_stay_raw(
    qtbot: QtBot, session: Session
) -> None:
    told: list[str] = []
    session.told.connect(told.append)
    watched(qtbot, session)
    session.use_settings(TrackSettings(stabilizer="butterworth"))
    assert "frames to come" in told[0]
    came_on(qtbot, session)


def test_a_camera_that_cannot_be_opened_is_told_and_the_program_is_empty_again(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    device.plugged = False
    told: list[str] = []
    session.told.connect(told.append)
    session.open_live(CAMERA)
    qtbot.waitUntil(lambda: bool(told))
    assert "cannot be opened" in told[0]
    assert session.display.phase is Phase.EMPTY


def test_starting_again_without_the_camera_stays_stopped(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    watched(qtbot, session)
    session.live.stop()
    device.unplug()
    told: list[str] = []
    session.told.connect(told.append)
    session.live.start_again()
    qtbot.waitUntil(lambda: bool(told))
    assert session.display.phase is Phase.STOPPED
    device.plug_in()
    session.live.start_again()
    qtbot.waitUntil(lambda: live(session))


def test_a_recording_opened_while_live_takes_over_and_back(
    qtbot: QtBot, session: Session, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, session)
    session.open(str(square_video(tmp_path / "a.mp4")))
    assert not session.live.is_open
    qtbot.waitUntil(lambda: session.display.has_film and session.frame is not None)
    assert device.wait_for(released=1)
    assert session.display.live is None
    watched(qtbot, session)
    assert session.film is None
    session.close_film()
    assert session.display.phase is Phase.EMPTY
    assert session.frame is None


@pytest.mark.parametrize("state", ["opening", "live", "lost", "recording", "stopped", "stopping"])
def test_quitting_in_any_state_ends_within_two_seconds(
    qtbot: QtBot, tmp_path: Path, state: str
) -> None:
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
        watched(qtbot, session)
    if state == "recording":
        session.live.start_recording(tmp_path)
        came_on(qtbot, session)
    elif state == "lost":
        device.unplug()
        qtbot.waitUntil(lambda: session.display.phase is Phase.RECONNECTING)
    elif state in ("stopped", "stopping"):
        session.live.stop()
        if state == "stopping":
            session.live.start_again()
    begun_s = time.monotonic()
    ended = session.close()
    assert time.monotonic() - begun_s < 2.5
    assert ended
    device.unplug()  # a read that hangs in a driver cannot be ended by us
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
    if state == "recording":
        (table,) = tmp_path.glob("*.csv")
        assert len(read_landmarks(table).frame) > 0


class Finite(ListSource):
    """A stream that comes to its end."""

    def join(self, timeout_s: float) -> bool:
        return True


class FailingNetwork(SquareNetwork):
    """Fails at its 20th look."""

    looks = 0

    def step(self, *args: Any, **more: Any) -> Prediction:
        self.looks += 1
        if self.looks == 20:
            raise ZeroDivisionError("planted")
        return super().step(*args, **more)


@pytest.mark.parametrize("end", ["stream", "fault"])
def test_a_view_that_ends_by_itself_is_told_and_can_be_started_again(
    qtbot: QtBot, tmp_path: Path, end: str
) -> None:
    pictures = [Frame(picture((100, 100, 60)), i, i / 25) for i in range(40)]
    network = FailingNetwork() if end == "fault" else SquareNetwork()
    models = Models(network, SquareDetector(), (network.card,))  # type: ignore[arg-type]
    opener = camera_opener(PacedDevice())
    if end == "stream":
        opener = lambda *_: Finite(pictures, live=True)  # noqa: E731
    session = Session(
        TrackSettings(),
        state_root=tmp_path,
        models=ModelCache(lambda _: models),
        opener=opener,
    )
    told: list[str] = []
    session.told.connect(told.append)
    watched(qtbot, session)
    qtbot.waitUntil(lambda: session.display.phase is Phase.STOPPED)
    assert ("came to its end" if end == "stream" else "could not be tracked") in told[0]
    before = session.results
    session.live.start_again()
    qtbot.waitUntil(lambda: session.results is not before)
    assert session.close()


def test_the_real_opener_says_what_is_wrong() -> None:
    with pytest.raises(SourceError, match="not a camera here"):
        open_feed(LiveTarget("camera:no such camera"), lambda _: None, Opening())
    with pytest.raises(SourceError, match="refuses the connection"):
        open_feed(LiveTarget("http://127.0.0.1:9/"), lambda _: None, Opening())
