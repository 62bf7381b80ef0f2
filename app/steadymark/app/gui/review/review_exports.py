"""The export commands of the review."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt

from steadymark.app.gui.review.reviewed_export_dialog import (
    ReviewedChoice,
    ReviewedExportDialog,
    as_values,
    remembered_choice,
)
from steadymark.app.session.export import ExportSource
from steadymark.app.session.review.report_export import ReportExport, recording_reader
from steadymark.app.session.review.review_export import (
    ReviewExport,
    reviewed_writer,
    statistics_writer,
    stretches_writer,
)
from steadymark.app.session.review.write_page import HTML, PDF
from steadymark.engine.review.export_reviewed import ExportOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.review.review_export import ReviewWriter
    from steadymark.app.session.session import Session

_CHOICE = "export_reviewed"  # name of the stored choice


class AskSavePath(Protocol):
    """Asks for a file name; see `FileController.ask_save_path`."""

    def __call__(self, title: str, ending: str, *others: str) -> Path | None:
        """Return the path, or None if the user cancels."""


class ReviewExports(QObject):
    """Exports what was reviewed of the open recording.

    Args:
        parent: The window over which dialogs open.
        session: Holds the open recording, its results and its project.
        preferences: Store the choices.
        exports: Runs the exports.
        ask_save_path: Asks for the name of a file.
    """

    def __init__(
        self,
        parent: QWidget,
        *,
        session: Session,
        preferences: Preferences,
        exports: ExportsList,
        ask_save_path: AskSavePath,
    ) -> None:
        super().__init__(parent)
        self._parent, self._session, self._preferences = parent, session, preferences
        self._exports, self._ask_save_path = exports, ask_save_path

    def connect_actions(self, actions: Mapping[str, QAction]) -> None:
        """Connect the commands after the window's widgets were built or rebuilt."""
        actions["export_stretches"].triggered.connect(lambda _=False: self._export_stretches())
        actions["export_reviewed"].triggered.connect(lambda _=False: self._ask_choice())
        actions["export_statistics"].triggered.connect(lambda _=False: self._export_statistics())
        actions["export_report"].triggered.connect(lambda _=False: self._export_report())

    def _export_stretches(self) -> None:
        path = self._ask_save_path(self.tr("Export doubtful stretches"), "_doubts.csv")
        project = self._session.review.project
        if path is not None and project is not None:
            self._start(path, stretches_writer(project, Path(project.video.path).name))

    def _export_statistics(self) -> None:
        path = self._ask_save_path(self.tr("Export statistics of intervals"), "_statistics.csv")
        project = self._session.review.project
        if path is not None and project is not None:
            self._start(path, statistics_writer(project))

    def _export_report(self) -> None:
        path = self._ask_save_path(self.tr("Write a report"), f"_report{HTML}", f"*{PDF}")
        project, source = self._session.review.project, self._source()
        if path is not None and project is not None and source is not None:
            videos = [recording_reader(source, project)]
            self._exports.run(lambda on_change: ReportExport(path, videos, on_change))

    def _ask_choice(self) -> None:
        """Ask how the reviewed table is written; the answer is remembered."""
        choice = remembered_choice(self._preferences.values(_CHOICE))
        has_loop = self._session.display.loop is not None
        dialog = ReviewedExportDialog(choice, has_loop=has_loop, parent=self._parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._export_reviewed(dialog.choice))
        dialog.open()

    def _export_reviewed(self, choice: ReviewedChoice) -> None:
        self._preferences.set_values(_CHOICE, as_values(choice))
        ending = f"_reviewed{choice.suffix}"
        path = self._ask_save_path(self.tr("Export reviewed table"), ending)
        project = self._session.review.project
        if path is not None and project is not None:
            self._start(path, reviewed_writer(project, self._options(choice)))

    def _options(self, choice: ReviewedChoice) -> ExportOptions:
        display, times_s = self._session.display, self._session.recording.state.times_s
        wide, drop = choice.wide, choice.drop_excluded
        if not choice.only_loop or display.loop is None:
            return ExportOptions(wide=wide, drop_excluded=drop)
        start_s, end_s = (float(times_s[frame]) for frame in display.loop)
        return ExportOptions(wide=wide, drop_excluded=drop, start_s=start_s, end_s=end_s)

    def _start(self, path: Path, write: ReviewWriter) -> None:
        source = self._source()
        if source is not None:
            self._exports.run(lambda on_change: ReviewExport(path, source, write, on_change))

    def _source(self) -> ExportSource | None:
        """Return the data of exports of the open recording, or None if none is open."""
        recording = self._session.recording.current
        if recording is None:
            return None
        return ExportSource(
            recording.media.info,
            recording.tracking.filtered_results,
            recording.models,
            recording.settings,
        )
