"""The questions before the window closes while something is still being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.messages import Messages
    from steadymark.app.session.export import ExportReport
    from steadymark.app.session.live.live_view import LiveView
    from steadymark.engine.output.live_recorder import RecorderReport

_ROLES = (
    QMessageBox.ButtonRole.AcceptRole,
    QMessageBox.ButtonRole.DestructiveRole,
    QMessageBox.ButtonRole.RejectRole,
)


class CloseQuestions(QObject):
    """Asks what happens to a recording and to exports, and closes the window when they have ended.

    Args:
        window: The window that is to be closed.
        live: Its live view.
        exports: Its exports, those of the queue included.
        messages: Tell that the window closes later.
    """

    def __init__(
        self, window: QWidget, *, live: LiveView, exports: ExportsList, messages: Messages
    ) -> None:
        super().__init__(window)
        self._window, self._live = window, live
        self._exports, self._messages = exports, messages
        self.asks = True  # False: everything is saved as far as possible, and the window closes
        self._after_recording = self._after_exports = False  # what the window closes after
        live.recorded.connect(self._on_recorded)
        exports.ended.connect(self._on_exported, Qt.ConnectionType.QueuedConnection)

    def may_close(self) -> bool:
        """Return whether the window may close now; ask if something is still being written."""
        if not self.asks:
            return True
        if self._live.is_recording:
            return self._may_end_recording()
        return not self._exports.running or self._may_end_exports()

    def _may_end_recording(self) -> bool:
        choice = self.ask(
            self.tr("Recording in progress"),
            self.tr("The live view is being recorded. Save the recording and quit?"),
            (self.tr("Save and quit"), self.tr("Continue recording")),
        )
        if choice == 0:
            self._after_recording = True
            self._live.stop_recording()  # `recorded` follows when the files are complete
        return False

    def _may_end_exports(self) -> bool:
        choice = self.ask(
            self.tr("Export in progress"),
            self.tr("An export is not finished. If it is cancelled, what was written is kept."),
            (
                self.tr("Wait, then quit"),
                self.tr("Cancel the export and quit"),
                self.tr("Do not quit"),
            ),
        )
        if choice == 0:
            self._wait_for_exports()
        return choice == 1

    def ask(self, title: str, text: str, choices: Sequence[str]) -> int:
        """Ask the user.

        Args:
            title: The title of the question.
            text: The question.
            choices: The answers. The first one is the default and loses nothing; the last one
                leaves everything as it is.

        Returns:
            The index of the answer.
        """
        box = QMessageBox(
            QMessageBox.Icon.Question,
            title,
            text,
            QMessageBox.StandardButton.NoButton,
            self._window,
        )
        roles = (*_ROLES[: len(choices) - 1], _ROLES[-1])
        buttons = [box.addButton(c, role) for c, role in zip(choices, roles, strict=True)]
        box.setDefaultButton(buttons[0])
        box.setEscapeButton(buttons[-1])
        box.exec()
        clicked = box.clickedButton()
        box.deleteLater()
        return next((i for i, b in enumerate(buttons) if b is clicked), len(buttons) - 1)

    def _wait_for_exports(self) -> None:
        self._after_exports = True
        queue = self._exports.queue_window
        if queue is not None:
            queue.changed.connect(self._close_after_exports, Qt.ConnectionType.UniqueConnection)
        self._messages.show_message(
            self.tr("Steadymark quits when the export is finished."),
            [(self.tr("Do not quit"), self._stay)],
        )

    def _stay(self) -> None:
        self._after_exports = False

    def _on_recorded(self, report: RecorderReport) -> None:
        closes, self._after_recording = self._after_recording, False
        if closes and not report.fault:  # the user must see a fault
            self._window.close()

    def _on_exported(self, report: ExportReport) -> None:
        if report.fault:
            self._stay()
        self._close_after_exports()

    def _close_after_exports(self) -> None:
        if self._after_exports and not self._exports.running:
            self._stay()
            self._window.close()
