"""Tells the user what an export has written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.export import ExportKind, ExportReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.messages import Messages

    Choice = tuple[str, Callable[[], None]]


class ExportMessages(QObject):
    """Shows a message when an export or the saving of a picture ends.

    Args:
        parent: The owner.
        exports: Runs the exports.
        messages: Show the messages.
        folder_choice: Returns the choice of a message that shows a folder.
    """

    def __init__(
        self,
        parent: QObject,
        *,
        exports: ExportsList,
        messages: Messages,
        folder_choice: Callable[[str], Choice],
    ) -> None:
        super().__init__(parent)
        self._messages, self._folder_choice = messages, folder_choice
        exports.ended.connect(self._on_exported)
        exports.saved.connect(self._on_saved)

    def _on_exported(self, report: ExportReport) -> None:
        name = Path(report.path or report.request.path).name
        text: str
        if report.fault:
            text = report.fault
        elif report.cancelled and report.path:
            text = self.tr("Cancelled. What was written so far is in {name}.").format(name=name)
        elif report.cancelled:
            text = self.tr("Cancelled: {name} was not written.").format(name=name)
        elif report.partial:
            text = self.tr(
                "{name} holds what has been tracked so far. Export again when tracking is finished."
            ).format(name=name)
        else:
            text = self.tr("{name} was written.").format(name=name)
        if report.segment_count > 1 and not report.fault:
            text += " " + self.tr(
                "It was tracked in {count} parts because of seeking; the tracker "
                "started anew at the beginning of each part. 'Track again from the "
                "beginning' gives one uninterrupted run."
            ).format(count=report.segment_count)
        for note in report.notes:
            text += "\n" + translated(note)
        passing = not (
            report.fault
            or report.cancelled
            or report.partial
            or report.segment_count > 1
            or _is_page(report)  # so that there is time to open it
        )
        self._messages.show_message(text, self._choices(report), passing=passing)

    def _choices(self, report: ExportReport) -> list[Choice]:
        """Return what can be done with what was written."""
        path = Path(report.path or report.request.path)
        if report.fault or (report.cancelled and not report.path):
            return []
        folder = self._folder_choice(str(path.parent))
        return [(self.tr("Open"), lambda: _open(path)), folder] if _is_page(report) else [folder]

    def _on_saved(self, path: str, fault: str) -> None:
        text = fault or self.tr("{name} was written.").format(name=Path(path).name)
        choices = [] if fault else [self._folder_choice(str(Path(path).parent))]
        self._messages.show_message(text, choices, passing=not fault)


def _is_page(report: ExportReport) -> bool:
    return report.request.kind is ExportKind.REPORT


def _open(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
