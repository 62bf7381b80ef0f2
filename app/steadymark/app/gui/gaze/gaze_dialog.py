"""The dialog of the gaze calibration, for live views and for persons of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.gaze.looked_at_form import LookedAtForm
from steadymark.app.gui.gaze.screen_form import ScreenForm
from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.app.gui.widgets.scroll_area import in_scroll_area
from steadymark.engine.gaze.gaze_calibration import POOR_DEG
from steadymark.engine.output.video.draw_style import VERMILLION

if TYPE_CHECKING:
    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.gaze.gaze_calibration import CalibrationFit


class GazeDialog(QDialog):
    """Non-modal dialog that makes, uses, loads, saves and removes a calibration.

    It is passive: a controller answers its signals and says what it shows.

    Args:
        parent: The parent widget.

    Attributes:
        start_requested: Emitted when a calibration is to be made.
        use_requested: Emitted when the calibration that was made is to be used.
        load_requested, save_requested, remove_requested: Emitted when a calibration is to be read
            from a file, written to one, or used no longer.
        screen_form: The screen, for live views.
        points_form: What a person in a recording looked at.
    """

    start_requested = Signal()
    use_requested = Signal()
    load_requested = Signal()
    save_requested = Signal()
    remove_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Gaze calibration"))
        self.screen_form, self.points_form = ScreenForm(), LookedAtForm()
        self.parts = QStackedWidget()
        for form in (self.screen_form, self.points_form):
            self.parts.addWidget(in_scroll_area(form))
        self.start, self.use = QPushButton(), QPushButton(self.tr("&Use this calibration"))
        self.outcome, self.fault, self.state = QLabel(), QLabel(), QLabel()
        for label in (self.outcome, self.fault, self.state):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        colours = self.fault.palette()
        colours.setColor(QPalette.ColorRole.WindowText, QColor(VERMILLION))
        self.fault.setPalette(colours)
        self.load, self.save = QPushButton(self.tr("&Load…")), QPushButton(self.tr("&Save…"))
        self.remove = QPushButton(self.tr("R&emove"))
        self._lay_out()
        for button, signal in (
            (self.start, self.start_requested),
            (self.use, self.use_requested),
            (self.load, self.load_requested),
            (self.save, self.save_requested),
            (self.remove, self.remove_requested),
        ):
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
        self.show_source(live=False)
        self.show_fit(None)
        self.show_fault("")
        self.resize(470, 440)

    @property
    def is_live(self) -> bool:
        """Whether the dialog shows the part for live views."""
        return self.parts.currentIndex() == 0

    def show_source(self, *, live: bool) -> None:
        """Show the part for a live view, or the one for a recording."""
        self.parts.setCurrentIndex(0 if live else 1)
        self.start.setText(self.tr("S&tart") if live else self.tr("&Calibrate"))

    def show_fit(self, fit: CalibrationFit | None, *, missed: int = 0, count: int = 0) -> None:
        """Show how well the calibration fits that was made; None for none.

        Args:
            fit: The calibration.
            missed: How many of the points were missed.
            count: How many points there are.
        """
        self.use.setEnabled(fit is not None)
        words = ""
        if fit is not None:
            self.show_fault("")
            words = self.tr("Mean error at the points: {before} before, {after} after.").format(
                before=number_text(fit.before_deg, 1) + "°",
                after=number_text(fit.after_deg, 1) + "°",
            )
            if missed:
                words += " " + self.tr("{missed} of {count} points were missed.").format(
                    missed=missed, count=count
                )
            if fit.after_deg > POOR_DEG:
                words += " " + self.tr("The points do not fit the gaze: repeat the calibration.")
        self.outcome.setText(words)
        self.outcome.setVisible(bool(words))

    def show_fault(self, words: str) -> None:
        """Show what failed; nothing if the text is empty."""
        self.fault.setText(words)
        self.fault.setVisible(bool(words))

    def show_calibration(self, calibration: GazeCalibration | None, person: str = "") -> None:
        """Show which calibration is used; None for none.

        Args:
            calibration: The calibration.
            person: Title of the person in a recording; empty for a live view.
        """
        for button in (self.save, self.remove):
            button.setEnabled(calibration is not None)
        who = person or self.tr("the person before the camera")
        if calibration is None:
            words = self.tr("The gaze of {who} is not calibrated.")
        elif calibration.name and calibration.name != person:
            words = self.tr("The gaze of {who} is corrected with the calibration '{name}'.")
        else:
            words = self.tr("The gaze of {who} is corrected with a calibration.")
        name = "" if calibration is None else calibration.name
        self.state.setText(words.format(who=who, name=name))

    def _lay_out(self) -> None:
        top, files, line = QHBoxLayout(), QHBoxLayout(), QFrame()
        top.addWidget(self.start)
        top.addWidget(self.use)
        top.addStretch()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        line.setForegroundRole(QPalette.ColorRole.Mid)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        for button in (self.load, self.save, self.remove):
            files.addWidget(button)
        files.addStretch()
        files.addWidget(buttons)
        column = QVBoxLayout(self)
        column.addWidget(self.parts, 1)
        column.addLayout(top)
        for widget in (self.outcome, self.fault, line, self.state):
            column.addWidget(widget)
        column.addLayout(files)
