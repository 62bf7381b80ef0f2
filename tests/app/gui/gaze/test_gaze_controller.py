"""The command for the gaze calibration in the real window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from steadymark.app.gui.gaze.gaze_controller import GazeController
from steadymark.app.session.gaze.screen_points import ScreenSetup
from steadymark.engine.core.gaze import GazeCalibration
from steadymark.engine.gaze.gaze_calibration import (
    CalibrationFit,
    read_gaze_calibration,
    write_gaze_calibration,
)
from support.gazing_faces import gazing_face, pose_at
from support.videos.square_video import square_video
from support.window.live_window_driver import start_live_view
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.gaze.gaze_dialog import GazeDialog
    from steadymark.app.gui.gaze.target_screen import TargetScreen
    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.preferences import Preferences
    from steadymark.engine.attributes.looked_at_points import LookedAtPoint
    from support.fakes.fake_live_sources import PacedDevice

OFFSET_DEG = np.array([[5.0, -3.0], [-4.0, -3.0]])
SETUP = ScreenSetup(520.0, 290.0, count=5)
ADA = GazeCalibration("Ada", (1.0, 1.0), ((4.0, -3.0), (6.0, 2.0)))
WAIT_MS = 20_000


class Clock:
    """A clock that the test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def dialog_of(window: MainWindow) -> GazeDialog:
    key(window, "gaze_calibration")
    dialog = window.gaze.dialog
    assert dialog is not None
    assert dialog.isVisible()
    return dialog


def begin(
    window: MainWindow, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> tuple[GazeDialog, TargetScreen]:
    """Begin a calibration in the live view, whose own frames are not used."""
    monkeypatch.setattr(window.gaze, "_add_frame", lambda: None)
    window.gaze.clock = clock
    dialog = dialog_of(window)
    dialog.screen_form.show_setup(SETUP)
    dialog.start.click()
    assert window.gaze.targets is not None
    return dialog, window.gaze.targets


def test_a_person_who_looks_at_all_points_gets_a_calibration_that_is_used_and_stored(
    qtbot: QtBot,
    window: MainWindow,
    device: PacedDevice,
    preferences: Preferences,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start_live_view(qtbot, window)
    gaze, clock = window.session.live_gaze, Clock()
    gaze.use(ADA)
    dialog, targets = begin(window, clock, monkeypatch)
    stream = window.session.live._open
    assert stream is not None
    assert stream.settings.gaze_calibration is None  # while the gaze is measured
    faces = {
        point: gazing_face(pose_at(), SETUP.place_mm(point), OFFSET_DEG) for point in SETUP.points
    }
    while not targets.fixations.done:
        targets.add([faces[targets.fixations.target]])
        clock.now_s += 0.1
        assert clock.now_s < 60
    assert window.gaze.targets is None
    assert stream.settings.gaze_calibration == ADA
    assert dialog.outcome.text().startswith("Mean error at the points: ")
    dialog.use.click()
    made = gaze.calibration
    assert made is not None
    assert np.array(made.offset_deg) == pytest.approx(OFFSET_DEG, abs=1.5)
    assert stream.settings.gaze_calibration == made
    assert dialog.state.text().endswith("is corrected with a calibration.")
    gaze.use(None)
    GazeController(window, session=window.session, preferences=preferences)
    assert gaze.calibration == made
    dialog.remove.click()
    assert (gaze.calibration, stream.settings.gaze_calibration) == (None, None)
    assert preferences.values("gaze_calibration") == {}


def test_escape_cancels_and_the_former_calibration_stays(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_live_view(qtbot, window)
    window.session.live_gaze.use(ADA)
    dialog, targets = begin(window, Clock(), monkeypatch)
    QTest.keyClick(targets, Qt.Key.Key_Escape)
    assert window.gaze.targets is None
    assert not dialog.use.isEnabled()
    assert not window.session.live_gaze.paused
    assert window.session.live_gaze.calibration == ADA
    dialog.screen_form.width_mm.setValue(0)
    dialog.start.click()
    assert window.gaze.targets is None
    assert dialog.fault.text() == "The size of the screen is unknown: measure and enter it."


def test_a_camera_that_stops_cancels_and_points_that_all_are_missed_are_told(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_live_view(qtbot, window)
    clock = Clock()
    dialog, targets = begin(window, clock, monkeypatch)
    while not targets.fixations.done:
        targets.add([])
        clock.now_s += 3
    assert "needs 3 points or more at which the gaze is known, not 0" in dialog.fault.text()
    dialog.start.click()
    assert window.gaze.targets is not None
    window.session.live.stop()
    assert window.gaze.targets is None
    assert not dialog.start.isEnabled()


def test_a_person_in_a_recording_is_calibrated_in_its_project(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_video(qtbot, window, str(square_video(tmp_path / "a.mp4", 12)))
    session = window.session
    qtbot.waitUntil(lambda: session.people.complete, timeout=WAIT_MS)
    asked: list[tuple[float, float]] = []

    def fit(person: int, points: Sequence[LookedAtPoint], name: str) -> CalibrationFit:
        asked.extend((one.start_s, one.end_s) for one in points)
        return CalibrationFit(ADA, 5.0, 12.0)

    monkeypatch.setattr(session.person_gazes, "fit", fit)
    dialog = dialog_of(window)
    assert not dialog.start.isEnabled()
    session.recording.set_loop((2, 5))
    assert dialog.points_form.add.text() == "&Add the loop"
    dialog.points_form.add.click()
    dialog.start.click()
    times_s = session.source.state.times_s
    assert asked == [(times_s[2], times_s[5])]
    assert "12.0° after. The points do not fit the gaze" in dialog.outcome.text()
    dialog.use.click()
    project = session.review.project
    assert project is not None
    person = session.people.rows()[0].number
    assert project.calibrations == {person: ADA}
    assert "is corrected with the calibration 'Ada'" in dialog.state.text()
    window.gaze.save(tmp_path / "ada.json")
    assert read_gaze_calibration(tmp_path / "ada.json") == ADA
    dialog.remove.click()
    assert session.review.project is not None
    assert session.review.project.calibrations == {}
    other = GazeCalibration("Bob")
    write_gaze_calibration(tmp_path / "bob.json", other)
    window.gaze.load(tmp_path / "bob.json")
    assert session.review.project.calibrations == {person: other}
    (tmp_path / "odd.json").write_text("{}", encoding="utf-8")
    window.gaze.load(tmp_path / "odd.json")
    assert "odd.json is no gaze calibration" in dialog.fault.text()
    dialog.reject()
    assert window.gaze.dialog is None
