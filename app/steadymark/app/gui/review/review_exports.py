"""The export commands of the review."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from steadymark.app.session.export import source_of
from steadymark.app.session.report.report_export import ReportExport, recording_reader
from steadymark.app.session.report.write_page import HTML, PDF
from steadymark.app.session.review.review_export import (
    ReviewExport,
    statistics_writer,
    stretches_writer,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.files.table_exports import AskSavePath
    from steadymark.app.session.export import ExportSource
    from steadymark.app.session.review.review_export import ReviewWriter
    from steadymark.app.session.session import Session


class ReviewExports(QObject):
    """Exports what was reviewed of the open recording.

    Args:
        parent: The window over which dialogs open.
        session: Holds the open recording, its results and its project.
        exports: Runs the exports.
        ask_save_path: Asks for the name of a file.
    """

    def __init__(
        self,
        parent: QWidget,
        *,
        session: Session,
        exports: ExportsList,
        ask_save_path: AskSavePath,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._exports, self._ask_save_path = exports, ask_save_path

    def connect_actions(self, actions: Mapping[str, QAction]) -> None:
        """Connect the commands after the window's widgets were built or rebuilt."""
        actions["export_stretches"].triggered.connect(lambda _=False: self._export_stretches())
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

    def _start(self, path: Path, write: ReviewWriter) -> None:
        source = self._source()
        if source is not None:
            self._exports.run(lambda on_change: ReviewExport(path, source, write, on_change))

    def _source(self) -> ExportSource | None:
        """Return the data of exports of the open recording, or None if none is open."""
        recording = self._session.recording.current
        return None if recording is None else source_of(recording)
