"""The export commands for tables of landmarks, as they were tracked or with the review applied."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt

from steadymark.app.gui.actions.actions import table_export_name
from steadymark.app.gui.files.table_export_dialog import (
    PARQUET,
    TableChoice,
    TableExportDialog,
    as_values,
    remembered_choice,
)
from steadymark.app.session.export import ExportKind, ExportRequest, source_of
from steadymark.app.session.review.review_export import ReviewExport, reviewed_writer
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.review.export_reviewed import ExportOptions
from steadymark.engine.review.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.export import ExportReport
    from steadymark.app.session.session import Session
    from steadymark.engine.output.table_formats import TableFormat

_CHOICE = "export_table"  # name of the stored choice


class AskSavePath(Protocol):
    """Asks for a file name; see `FileController.ask_save_path`."""

    def __call__(self, title: str, ending: str, *others: str) -> Path | None:
        """Return the path, or None if the user cancels."""


class TableExports(QObject):
    """Exports tables of the open recording, and lists them in its project.

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
        exports.ended.connect(self._list_in_project)

    def connect_actions(self, actions: Mapping[str, QAction]) -> None:
        """Connect the commands after the window's widgets were built or rebuilt."""
        for each in TABLE_FORMATS.all():
            export = partial(self._export_format, each)
            actions[table_export_name(each.name)].triggered.connect(lambda _=False, do=export: do())
        actions["export_reviewed"].triggered.connect(lambda _=False: self._ask(self._remembered))

    @property
    def _remembered(self) -> TableChoice:
        return remembered_choice(self._preferences.values(_CHOICE))

    def _export_format(self, table: TableFormat) -> None:
        """Export in this format; ask how if there is a review or a loop."""
        project, loop = self._session.review.project, self._session.display.loop
        if loop is not None or (project is not None and project.changes_tables):
            self._ask(replace(self._remembered, format=table.name))
        else:
            self._export(TableChoice(table.name, review=False))

    def _ask(self, choice: TableChoice) -> None:
        """Ask how the table is written; the answer is remembered."""
        has_loop = self._session.display.loop is not None
        dialog = TableExportDialog(choice, has_loop=has_loop, parent=self._parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._export_chosen(dialog.choice))
        dialog.open()

    def _export_chosen(self, choice: TableChoice) -> None:
        self._preferences.set_values(_CHOICE, as_values(choice))
        self._export(choice)

    def _export(self, choice: TableChoice) -> None:
        path = self._ask_save_path(self.tr("Export table"), _ending(choice))
        recording, project = self._session.recording.current, self._session.review.project
        if path is None or recording is None or project is None:
            return
        source, loop = source_of(recording), self._session.display.loop
        loop = loop if choice.only_loop else None
        if choice.as_tracked or not choice.has_layout:
            request = ExportRequest(
                ExportKind.TABLE,
                path,
                DrawOptions(schema=""),
                choice.format,
                loop,
                project if choice.review else None,
                self._session.expressions.settings,
            )
            self._exports.start(request, source)
            return
        applied = project if choice.review else Project(project.video)
        options = self._options(choice, loop)
        write = reviewed_writer(applied, options, per_person=choice.per_person)
        self._exports.run(lambda on_change: ReviewExport(path, source, write, on_change))

    def _options(self, choice: TableChoice, loop: tuple[int, int] | None) -> ExportOptions:
        options = ExportOptions(wide=choice.wide, drop_excluded=choice.drop_excluded)
        if loop is None:
            return options
        times_s = self._session.recording.state.times_s
        # half a microsecond on either side, since tables round times
        start_s, end_s = (float(times_s[frame]) for frame in loop)
        return replace(options, start_s=start_s - 5e-7, end_s=end_s + 5e-7)

    def _list_in_project(self, report: ExportReport) -> None:
        """List a complete table of what was tracked here, if its recording is still open."""
        recording, request = self._session.recording.current, report.request
        if report.fault or report.cancelled or report.partial or not request.whole_table:
            return
        if recording is None or recording.table is not None:
            return
        if report.source == recording.media.info.path:
            table = TABLE_FORMATS.find(request.table)
            if table.is_readable:
                self._session.review.list_table(Path(report.path), first=table.has_header)


def _ending(choice: TableChoice) -> str:
    """Return what is added to the recording's name for the suggested name."""
    if choice.format == PARQUET:
        return "_reviewed.parquet" if choice.review else ".parquet"
    table = TABLE_FORMATS.find(choice.format)
    ending = table.export_ending or table.suffix
    return f"_reviewed{ending}" if choice.review else ending
