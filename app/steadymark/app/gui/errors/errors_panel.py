"""The panel of the errors against ground truth: worst frames, errors by landmark, and curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.errors.error_curves import ErrorCurves
from steadymark.app.gui.errors.face_diagram import FaceDiagram
from steadymark.app.gui.errors.worst_frames import WorstFrames
from steadymark.app.gui.widgets.menu_button import MenuButton

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap, QResizeEvent

    from steadymark.app.gui.errors.shown_errors import ShownErrors

_LEAST_PX = QSize(240, 130)
_SHARES = (3, 4, 4)  # of the room: the list, the face, the curves


class ErrorsPanel(QWidget):
    """The panel of the errors; it says what is missing while there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Errors"))
        self.shown: ShownErrors | None = None
        self.worst, self.face, self.curves = WorstFrames(), FaceDiagram(), ErrorCurves()
        self.title, self.notice = QLabel(), QLabel()
        self.copy_button = _button(
            self.tr("Copy"), self.tr("Copy all errors as a table with tabs, for a spreadsheet")
        )
        self.save_button = _button(
            self.tr("Save…"), self.tr("Save all errors as CSV, or the views as a picture")
        )
        self.set_button = MenuButton()
        self.set_button.setText(self.tr("Videos"))
        self.set_button.setToolTip(self.tr("Whose errors are shown"))
        self.cancel_button = _button(self.tr("Cancel"), "")
        self.cancel_button.hide()
        self._views = QSplitter(Qt.Orientation.Horizontal)
        for number, (view, share) in enumerate(
            zip((self.worst, self.face, self.curves), _SHARES, strict=True)
        ):
            self._views.addWidget(view)
            self._views.setStretchFactor(number, share)
            self._views.setCollapsible(number, False)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        above = QHBoxLayout()
        above.addWidget(self.title, 1)
        above.addWidget(self.cancel_button)
        above.addWidget(self.set_button)
        above.addWidget(self.copy_button)
        above.addWidget(self.save_button)
        self.notice.setWordWrap(True)
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.notice.setMargin(12)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self._views)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(4)
        column.addLayout(above)
        column.addWidget(self._pages, 1)

    def minimumSizeHint(self) -> QSize:
        return _LEAST_PX

    def show_errors(self, shown: ShownErrors | None, notice: str = "") -> None:
        """Show errors.

        Args:
            shown: The errors; None if there are none.
            notice: Why there are none.
        """
        self.shown = shown
        self.notice.setText(notice)
        for view in (self.worst, self.face, self.curves):
            view.show_errors(shown)
        for button in (self.copy_button, self.save_button):
            button.setEnabled(shown is not None)
        self.title.clear()
        if shown is not None:
            scores = shown.pair[1].scores
            self.title.setText(
                self.tr("{name}: {count} frames compared, {missed} without a face").format(
                    name=shown.title, count=scores.faces, missed=scores.missed
                )
            )
            self.title.setToolTip(self.title.text())
        self._pages.setCurrentWidget(self.notice if shown is None else self._views)

    def show_progress(self, text: str) -> None:
        """Show which video of a set is being measured instead of the title; empty for none."""
        self.cancel_button.setVisible(bool(text))
        self.set_button.setEnabled(not text)
        if text:
            self.title.setText(text)

    def as_picture(self) -> QPixmap:
        """Return a picture of the face diagram and the curves with their scores."""
        return self._views.grab()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= self.height()
        self._views.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAutoDefault(False)
    return button
