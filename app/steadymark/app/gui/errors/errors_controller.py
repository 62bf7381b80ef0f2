"""Connects the panel of the errors with the session, and copies and saves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from steadymark.app.gui.errors.shown_errors import ShownErrors, errors_text
from steadymark.app.gui.i18n.display_names import variant_name

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDockWidget, QPushButton, QWidget

    from steadymark.app.gui.errors.errors_panel import ErrorsPanel
    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.review.review_exports import AskSavePath
    from steadymark.app.session.session import Session
    from steadymark.engine.metrics.accuracy_scores import FacePlace

_CSV, _PNG = ".csv", ".png"


class ErrorsController(QObject):
    """Shows the errors of the open recording against its ground truth.

    Args:
        parent: The window.
        session: Holds the open recording and its measures.
        exports: Writes pictures and tables.
        messages: Tell the user what was copied.
        ask_save_path: Asks for the name of a file.
    """

    def __init__(
        self,
        parent: QWidget,
        *,
        session: Session,
        exports: ExportsList,
        messages: Messages,
        ask_save_path: AskSavePath,
    ) -> None:
        super().__init__(parent)
        self._session, self._exports, self._messages = session, exports, messages
        self._ask_save_path = ask_save_path
        self._panel: ErrorsPanel | None = None
        session.measures_changed.connect(self.refresh)

    def connect_panel(self, panel: ErrorsPanel, dock: QDockWidget, more: QPushButton) -> None:
        """Connect the panel after it was built or rebuilt.

        Args:
            panel: The panel.
            dock: Its dock.
            more: The button beside other figures that shows the dock.
        """
        self._panel, self._dock = panel, dock
        panel.worst.chosen.connect(self._go_to)
        panel.copy_button.clicked.connect(lambda _=False: self._copy())
        panel.save_button.clicked.connect(lambda _=False: self._save())
        more.clicked.connect(lambda _=False: self._show_dock())
        dock.visibilityChanged.connect(lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show the newest errors, unless the panel is hidden."""
        if self._panel is not None and self._dock.isVisible():
            shown = self._errors()
            self._panel.show_errors(shown, "" if shown is not None else self._notice())

    def _errors(self) -> ShownErrors | None:
        measures, variants = self._session.measures, self._session.analysis.variants
        if measures is None or measures.truth is None or measures.truth.errors is None:
            return None
        names = variant_name(variants[0]), variant_name(variants[1])
        return ShownErrors(measures.truth.name, names, measures.truth.errors, measures.times_s)

    def _notice(self) -> str:
        display = self._session.display
        if display.newest_only:
            return self.tr("A live view has no ground truth: record it and open the recording.")
        if display.truth:
            return self.tr("No frame with ground truth was compared yet.")
        return self.tr(
            "Load ground truth (Ctrl+Shift+G) to see in which frames and at which landmarks the "
            "errors are large."
        )

    def _show_dock(self) -> None:
        self._dock.show()
        self._dock.raise_()

    def _go_to(self, place: FacePlace) -> None:
        if place.frame is not None:
            self._session.recording.seek(place.frame)

    def _copy(self) -> None:
        if self._panel is not None and self._panel.shown is not None:
            QGuiApplication.clipboard().setText(errors_text(self._panel.shown, "excel-tab"))
            self._messages.show_message(self.tr("The errors are on the clipboard."), note=True)

    def _save(self) -> None:
        panel = self._panel
        if panel is None or panel.shown is None:
            return
        picture = panel.as_picture().toImage()
        path = self._ask_save_path(self.tr("Save the errors"), f"_errors{_CSV}", f"*{_PNG}")
        if path is None:
            return
        table = errors_text(panel.shown, "excel").encode()
        self._exports.save(picture if path.suffix.lower() == _PNG else table, str(path))
