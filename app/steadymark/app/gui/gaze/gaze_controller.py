"""The window's command for the gaze calibration."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.gaze.gaze_dialog import GazeDialog
from steadymark.app.gui.gaze.screen_form import setup_of_screen
from steadymark.app.gui.gaze.target_screen import TargetScreen
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.gaze.screen_points import COUNTS, ScreenSetup
from steadymark.app.session.settings_values import with_valid_values
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.gaze.gaze_calibration import (
    calibration_of,
    read_gaze_calibration,
    write_gaze_calibration,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.session import Session
    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.gaze.gaze_calibration import CalibrationFit

_STORED, _STORED_SCREEN = "gaze_calibration", "calibration_screen"
_SUFFIX = ".json"
_HALF_S = 0.5  # of the second around the shown frame


class GazeController(QObject):
    """Opens the dialog of the gaze calibration, and does what it asks for.

    The calibration of live views is stored with the preferences, and that of a person in a
    recording in its project.

    Args:
        parent: The window over which the dialog opens.
        session: Has the calibrations, and the faces of the shown frame.
        preferences: Store the calibration of live views and the setup of the screen.
    """

    def __init__(self, parent: QWidget, *, session: Session, preferences: Preferences) -> None:
        super().__init__(parent)
        self._parent, self._session, self._preferences = parent, session, preferences
        self._fit: CalibrationFit | None = None
        self.clock = time.perf_counter  # for the screen with the points
        self.dialog: GazeDialog | None = None
        self.targets: TargetScreen | None = None
        session.live_gaze.use(calibration_of(preferences.values(_STORED)))

    def connect_actions(self, action: QAction) -> None:
        """Connect the command after the window's widgets were built or rebuilt."""
        action.triggered.connect(lambda _=False: self.show_dialog())

    def show_dialog(self) -> None:
        """Open the dialog, or bring the open one to the front."""
        if self.dialog is None:
            self._make_dialog()
        assert self.dialog is not None
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def close(self) -> None:
        """Close the dialog when the program ends."""
        if self.targets is not None:
            self.targets.end(complete=False)
        if self.dialog is not None:
            self.dialog.reject()

    def _make_dialog(self) -> None:
        self.dialog = dialog = GazeDialog(self._parent)
        for signal, slot in (
            (dialog.start_requested, self._start),
            (dialog.use_requested, self._use),
            (dialog.load_requested, self._ask_load),
            (dialog.save_requested, self._ask_save),
            (dialog.remove_requested, self._remove),
            (dialog.points_form.add_requested, self._add_stretch),
            (dialog.points_form.changed, self._forget_fit),
            (dialog.screen_form.changed, self._on_setup_changed),
        ):
            signal.connect(slot)
        dialog.finished.connect(self._on_dialog_finished)
        stored = with_valid_values(ScreenSetup(), self._preferences.values(_STORED_SCREEN))
        stored = replace(stored, count=stored.count if stored.count in COUNTS else COUNTS[-1])
        if not stored.has_size:
            stored = setup_of_screen(self._parent.screen(), stored)
        dialog.screen_form.show_setup(stored)
        for changed in self._signals:
            changed.connect(self._show_state)
        self._show_state()

    @property
    def _signals(self) -> tuple[Any, ...]:
        session = self._session
        return session.changed, session.review.changed, session.people.changed

    # -- what is shown

    def _show_state(self) -> None:
        dialog, session = self.dialog, self._session
        if dialog is None:
            return
        live = session.source is session.live
        if live != dialog.is_live:
            dialog.show_source(live=live)
            self._forget_fit()
            dialog.show_fault("")
        rows = session.people.rows()
        dialog.points_form.show_persons([(row.number, row.title) for row in rows])
        dialog.points_form.show_stretch(is_loop=session.user_state.loop is not None)
        dialog.points_form.add.setEnabled(bool(rows))
        can = session.live.running if live else bool(rows and dialog.points_form.points)
        dialog.start.setEnabled(can)
        dialog.load.setEnabled(live or bool(rows))
        title = "" if live or self._person is None else session.people.title_of(self._person)
        dialog.show_calibration(self._calibration, title)

    @property
    def _person(self) -> int | None:
        """The person of the recording that is chosen; None for none."""
        number = None if self.dialog is None else self.dialog.points_form.person.currentData()
        return number if isinstance(number, int) else None

    @property
    def _calibration(self) -> GazeCalibration | None:
        session = self._session
        if session.source is session.live:
            return session.live_gaze.calibration
        return None if self._person is None else session.person_gazes.calibration(self._person)

    def _forget_fit(self) -> None:
        self._show_fit(None)
        self._show_state()

    def _show_fit(self, fit: CalibrationFit | None, *, missed: int = 0, count: int = 0) -> None:
        self._fit = fit
        if self.dialog is not None:
            self.dialog.show_fit(fit, missed=missed, count=count)

    # -- what the user does

    def _start(self) -> None:
        if self.dialog is not None:
            self.dialog.show_fault("")
            if self.dialog.is_live:
                self._show_targets(self.dialog.screen_form.setup)
            else:
                self._try(self._fit_person)

    def _fit_person(self) -> None:
        person = self._person
        if self.dialog is not None and person is not None:
            self._show_fit(None)
            rows, points = self._session.people.rows(), self.dialog.points_form.points
            name = next((row.name for row in rows if row.number == person), "")
            self._show_fit(self._session.person_gazes.fit(person, points, name))

    def _add_stretch(self) -> None:
        session = self._session
        times_s, loop = session.source.state.times_s, session.user_state.loop
        if self.dialog is None or not len(times_s):
            return
        if loop is not None:
            start_s, end_s = float(times_s[loop[0]]), float(times_s[loop[1]])
        else:
            middle_s = session.marked_time_s
            start_s, end_s = max(0.0, middle_s - _HALF_S), middle_s + _HALF_S
        self.dialog.points_form.add_stretch(start_s, end_s)

    def _use(self) -> None:
        if self.dialog is not None and self._fit is not None:
            self._use_calibration(self._fit.calibration)
            self.dialog.use.setEnabled(False)

    def _use_calibration(self, calibration: GazeCalibration) -> None:
        session, person = self._session, self._person
        if session.source is session.live:
            session.live_gaze.use(calibration)
            self._preferences.set_values(_STORED, asdict(calibration))
        elif person is not None:
            session.person_gazes.use(person, calibration)
        self._show_state()

    def _remove(self) -> None:
        session, person = self._session, self._person
        if session.source is session.live:
            session.live_gaze.use(None)
            self._preferences.set_values(_STORED, {})
        elif person is not None:
            session.person_gazes.remove(person)
        self._show_state()

    def load(self, path: Path) -> None:
        """Use the calibration of a file, or say why that is not possible."""
        self._try(lambda: self._use_calibration(read_gaze_calibration(path)))

    def save(self, path: Path) -> None:
        """Write the calibration to a file, or say why that is not possible."""
        calibration = self._calibration
        if calibration is not None:
            self._try(lambda: write_gaze_calibration(path, calibration))

    def _ask_load(self) -> None:
        kinds = self.tr("Gaze calibrations ({kind})").format(kind=f"*{_SUFFIX}")
        words = self.tr("Load a gaze calibration")
        path, _ = QFileDialog.getOpenFileName(self.dialog, words, "", kinds)
        if path:
            self.load(Path(path))

    def _ask_save(self) -> None:
        kinds = self.tr("Gaze calibrations ({kind})").format(kind=f"*{_SUFFIX}")
        words = self.tr("Save the gaze calibration")
        path, _ = QFileDialog.getSaveFileName(self.dialog, words, "", kinds)
        if path:
            file = Path(path)
            self.save(file if file.suffix else file.with_suffix(_SUFFIX))

    def _on_setup_changed(self) -> None:
        if self.dialog is not None:
            setup = self.dialog.screen_form.setup
            self._preferences.set_values(_STORED_SCREEN, asdict(setup))
            self._forget_fit()

    def _try(self, action: Callable[[], object]) -> None:
        if self.dialog is None:
            return
        self.dialog.show_fault("")
        try:
            action()
        except SteadymarkError as error:
            self.dialog.show_fault(translated(error.sentence))

    # -- the points on the screen

    def _show_targets(self, setup: ScreenSetup) -> None:
        session, dialog = self._session, self.dialog
        if dialog is None or self.targets is not None:
            return
        if not setup.has_size:
            dialog.show_fault(self.tr("The size of the screen is unknown: measure and enter it."))
            return
        if session.live.is_recording:
            dialog.show_fault(self.tr("The view is recorded: stop the recording first."))
            return
        self._show_fit(None)
        session.live_gaze.pause(paused=True)
        self.targets = targets = TargetScreen(setup, clock=self.clock)
        targets.finished.connect(self._on_targets_finished)
        session.frame_changed.connect(self._add_frame)
        session.changed.connect(self._check_live)
        targets.begin(dialog.screen())

    def _add_frame(self) -> None:
        """Hand the faces of the newest frame to the screen with the points."""
        frame, results = self._session.frame, self._session.live.results
        if self.targets is not None and frame is not None and results is not None:
            self.targets.add(results.faces(frame.index) or ())

    def _check_live(self) -> None:
        """Cancel when the camera stops."""
        if self.targets is not None and not self._session.live.running:
            self.targets.end(complete=False)

    def _on_targets_finished(self, complete: bool) -> None:
        session, targets, self.targets = self._session, self.targets, None
        session.frame_changed.disconnect(self._add_frame)
        session.changed.disconnect(self._check_live)
        session.live_gaze.pause(paused=False)
        if targets is None:
            return
        fixations = targets.fixations
        targets.deleteLater()
        if complete:
            self._try(
                lambda: self._show_fit(
                    fixations.fit(""), missed=fixations.missed, count=fixations.count
                )
            )
        if self.dialog is not None:
            self.dialog.activateWindow()

    def _on_dialog_finished(self) -> None:
        if self.targets is not None:
            self.targets.end(complete=False)
        dialog, self.dialog = self.dialog, None
        self._fit = None
        for changed in self._signals:
            changed.disconnect(self._show_state)
        if dialog is not None:
            dialog.deleteLater()
