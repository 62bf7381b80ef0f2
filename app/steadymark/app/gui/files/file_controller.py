"""The window's commands for files: opening recordings, exporting and saving."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox

from steadymark.app.gui.files.export_messages import ExportMessages
from steadymark.app.gui.files.export_options import (
    ExportOptionsDialog,
    as_values,
    remembered_options,
)
from steadymark.app.gui.files.exports_list import suggested_path, unused_path
from steadymark.app.gui.files.queue_window import QueueWindow
from steadymark.app.gui.files.recent_menu import RecentMenu
from steadymark.app.gui.help.about import diagnostics
from steadymark.app.gui.i18n.display_names import variant_name
from steadymark.app.gui.video.snapshot import paint_snapshot
from steadymark.app.session.analysis.variants import RAW_AND_STABILIZED
from steadymark.app.session.export import ExportKind, ExportRequest, source_of
from steadymark.app.session.report.report_export import ReportExport, table_reader
from steadymark.app.session.report.write_page import HTML, PDF
from steadymark.app.session.state import ShownLandmarks
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.review.project_file import SUFFIX
from steadymark.engine.sources.input_paths import VIDEO_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PySide6.QtGui import QAction, QImage
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.panels.plots import Plots
    from steadymark.app.gui.panels.settings_panel import SettingsPanel
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.gui.video.video_view import VideoView
    from steadymark.app.session.recording.crash_recovery import RecoverableSession
    from steadymark.app.session.session import Session

_DRAWN = "export_drawn"  # name of the stored choice of what is drawn into videos
_REVIEWED = "export_video"  # name of the stored choice whether the review is applied to videos


class FileController(QObject):
    """Opens, exports and saves what the user chooses.

    Args:
        parent: The window over which dialogs open.
        session: Holds the open recording and its results.
        preferences: Store the recent files.
        messages: Tell the user what was written and what failed.
        exports: Runs the exports.
        view: Shows the frame that is saved as a picture.
        log_file: Shown and copied on request.
        open_path: Opens a recording in the window.
        recordings_folder: Returns the folder for recordings of live views.
    """

    def __init__(
        self,
        parent: QWidget,
        *,
        session: Session,
        preferences: Preferences,
        messages: Messages,
        exports: ExportsList,
        view: VideoView,
        log_file: Path | None,
        open_path: Callable[[str], None],
        recordings_folder: Callable[[], str],
    ) -> None:
        super().__init__(parent)
        self._parent, self._session, self._preferences = parent, session, preferences
        self._messages, self._exports, self._view = messages, exports, view
        self._log_file, self._open_path, self._recordings_folder = (
            log_file,
            open_path,
            recordings_folder,
        )
        ExportMessages(self, exports=exports, messages=messages, folder_choice=self.folder_choice)

    def connect_actions(
        self, actions: Mapping[str, QAction], *, plots: Plots, settings: SettingsPanel
    ) -> None:
        """Connect the file commands after the window's widgets were built or rebuilt."""
        self._plots, self._settings = plots, settings
        for name, slot in (
            ("open", self._open),
            ("open_folder", self._open_folder),
            ("load_truth", self._load_ground_truth),
            ("export_video", lambda: self._export_video(ExportKind.VIDEO, "_landmarks.mp4")),
            ("queue", self.show_queue),
            ("export_side", lambda: self._export_video(ExportKind.SIDE, "_compared.mp4")),
            ("export_frame", self._export_frame),
            ("copy_frame", self._copy_frame),
            ("export_plots", self._export_plots),
            ("diagnostics", self._copy_diagnostics),
            ("log", self._show_log),
        ):
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        actions["log"].setEnabled(self._log_file is not None)

    def rebuild_recent_menu(self) -> RecentMenu:
        """Build the menu of recent recordings."""
        self.recent_menu = RecentMenu(self._parent, self._preferences, self._open_path)
        return self.recent_menu

    def offer_recovery(self, found: RecoverableSession) -> None:
        """Ask whether to recover the results of a crashed session."""
        words = self.tr(
            "Steadymark ended unexpectedly. %n tracked frame(s) of {name} were saved.",
            "",
            found.frames,
        ).format(name=Path(found.source).name)
        self._messages.show_message(
            words,
            [
                (self.tr("Recover"), lambda: self._recover(found)),
                (self.tr("Discard"), lambda: _discard(found)),
            ],
        )

    def export(
        self,
        kind: ExportKind,
        path: Path,
        table: str = "native",
        draw: DrawOptions | None = None,
        *,
        review: bool = False,
        only_loop: bool = False,
    ) -> None:
        """Export the results that exist now to this file.

        Args:
            kind: What is exported.
            path: The file.
            table: Name of the table's format, see `TABLE_FORMATS`.
            draw: What is drawn into a video; None draws what the window shows.
            review: Whether the review is applied to the landmarks.
            only_loop: Whether only the looped region is exported.
        """
        session = self._session
        recording = session.recording.current
        if recording is None:
            return
        draw = draw or self._drawn_in_window()
        variants, compared = session.display.variants, session.analysis.compared
        if kind is ExportKind.SIDE:
            if variants != RAW_AND_STABILIZED and compared is None:
                self._messages.show_message(
                    self.tr("The comparison is not ready yet: export it when it is.")
                )
                return
            draw = replace(draw, beside=(variant_name(variants[0]), variant_name(variants[1])))
        loop = session.display.loop if only_loop else None
        project = session.review.project if review else None
        expressions = session.expressions.settings
        request = ExportRequest(kind, path, draw, table, loop, project, expressions)
        self._exports.start(request, source_of(recording, compared))

    def show_queue(self, paths: Sequence[str] = ()) -> None:
        """Show the queue window and add these recordings to it."""
        session, exports = self._session, self._exports
        if exports.queue_window is None:
            exports.queue_window = QueueWindow(
                self._parent,
                session.models,
                lambda: session.settings,
                lambda: session.display.live is not None,
                lambda: session.expressions.settings,
            )
            exports.queue_window.report_requested.connect(self._report_on_queue)
        exports.queue_window.add(paths)
        exports.queue_window.show()
        exports.queue_window.raise_()

    def save_frame(self, path: Path) -> None:
        """Save the shown frame in its own size, with the overlay drawn on it."""
        image = self._snapshot()
        if image is not None:
            self._exports.save(image, str(path))

    def save_plots(self, path: Path) -> None:
        """Save the plots as they are shown; as vector graphics if the suffix is .svg."""
        plots = self._plots
        vectors = path.suffix.lower() == ".svg"
        self._exports.save(plots.as_svg() if vectors else plots.as_image(), str(path))

    def _open(self) -> None:
        tables = {each.suffix for each in TABLE_FORMATS.all() if each.is_readable}
        kinds = " ".join(f"*{suffix}" for suffix in sorted({*VIDEO_SUFFIXES, *tables, SUFFIX}))
        path, _ = QFileDialog.getOpenFileName(
            self._parent,
            self.tr("Open a video, or a table or project of one"),
            self._folder(),
            self.tr("Videos, tables and projects ({kinds});;All files (*)").format(kinds=kinds),
        )
        if path:
            self._open_path(path)

    def _open_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(
            self._parent, self.tr("Open folder of images"), self._folder()
        )
        if path:
            self._open_path(path)

    def _load_ground_truth(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self._parent,
            self.tr("Load ground truth: a table, or one of the .pts files of a folder"),
            str(Path(self._session.display.path).parent),
            self.tr("Ground truth ({kinds});;All files (*)").format(kinds="*.csv *.pts *.txt"),
        )
        if path:
            self._session.analysis.load_ground_truth(Path(path))

    def _export_video(self, kind: ExportKind, ending: str) -> None:
        """Ask what is drawn and where it is written; the answer is remembered."""
        shown = self._drawn_in_window()
        options = remembered_options(self._preferences.values(_DRAWN), shown)
        one_side, session = kind is ExportKind.VIDEO, self._session
        project = session.review.project
        dialog = ExportOptionsDialog(
            options,
            shown,
            one_side=one_side,
            has_review=one_side and project is not None and project.changes_tables,
            has_loop=session.display.loop is not None,
            parent=self._parent,
        )
        dialog.review.setChecked(self._preferences.values(_REVIEWED).get("review") is not False)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._export_drawn(kind, ending, dialog))
        dialog.open()

    def _export_drawn(self, kind: ExportKind, ending: str, dialog: ExportOptionsDialog) -> None:
        self._preferences.set_values(_DRAWN, as_values(dialog.options))
        if dialog.review.isVisibleTo(dialog):
            self._preferences.set_values(_REVIEWED, {"review": dialog.review.isChecked()})
        draw, review, loop = dialog.options, dialog.applies_review, dialog.only_loop.isChecked()
        path = self.ask_save_path(self.tr("Export"), ending)
        if path is not None:
            self.export(kind, path, draw=draw, review=review, only_loop=loop)

    def _drawn_in_window(self) -> DrawOptions:
        display, current = self._session.display, self._session.recording.current
        return DrawOptions(
            points=display.overlay.points,
            contours=display.overlay.contours,
            box=display.overlay.boxes,
            face_id=display.overlay.ids,
            raw=display.shown_landmarks is ShownLandmarks.RAW,
            attributes=display.overlay.drawings,
            schema="" if current is None else current.results.schema.name,
        )

    def _export_frame(self) -> None:
        """Save the frame that is shown when the command is chosen.

        The picture is taken before the dialog opens, because playback or a camera continues
        meanwhile.
        """
        image, name = self._snapshot(), self._session.source.frame_name()
        path = self.ask_save_path(self.tr("Save this frame"), f"_{name}.png", free=True)
        if image is not None and path is not None:
            self._exports.save(image, str(path))

    def _copy_frame(self) -> None:
        image = self._snapshot()
        if image is not None:
            QGuiApplication.clipboard().setImage(image)
            self._messages.show_message(self.tr("The frame is on the clipboard."), note=True)

    def _snapshot(self) -> QImage | None:
        shown = self._view.shown
        return None if shown is None else paint_snapshot(shown, self._session.display)

    def _export_plots(self) -> None:
        path = self.ask_save_path(self.tr("Save the plots"), "_plots.png", "*.svg")
        if path is not None:
            self.save_plots(path)

    def ask_save_path(
        self, title: str, ending: str, *others: str, free: bool = False
    ) -> Path | None:
        """Ask for a file name, and return the path or None if the user cancels.

        The suffix of `ending` is added unless the name already has it or one of `others`.

        Args:
            title: The title of the dialog.
            ending: What is appended to the recording's name for the suggested name.
            others: Patterns of other suffixes that are allowed, such as "*.svg".
            free: Whether the suggested name must not be that of an existing file.
        """
        suffix = Path(ending).suffix or ending
        name = suggested_path(self._session.source.export_base(self._recordings_folder()), ending)
        suffixes = (suffix, *(other.removeprefix("*") for other in others))
        return self._ask_path(self._parent, title, unused_path(name) if free else name, suffixes)

    def _ask_path(
        self, parent: QWidget, title: str, name: str, suffixes: Sequence[str]
    ) -> Path | None:
        """Ask for a file name with one of these suffixes; the first one is added if it has none."""
        kinds = ";;".join(f"*{suffix}" for suffix in suffixes)
        text, _ = QFileDialog.getSaveFileName(parent, title, name, kinds)
        if not text:
            return None
        path = Path(text)
        if path.suffix.lower() in suffixes:
            return path  # The dialog has already asked whether to replace an existing file.
        path = path.with_name(path.name + suffixes[0])
        return path if not path.exists() or self._confirm_replacing(path) else None

    def _report_on_queue(self, tables: Sequence[tuple[Path, Path]]) -> None:
        """Write a report about videos of the queue: their tables, and the videos."""
        window = self._exports.queue_window
        if window is None:
            return
        name = str(tables[0][0].parent / f"report{HTML}")
        path = self._ask_path(window, self.tr("Write a report"), name, (HTML, PDF))
        if path is not None:
            videos = [table_reader(table, video) for table, video in tables]
            self._exports.run(lambda on_change: ReportExport(path, videos, on_change))

    def _confirm_replacing(self, path: Path) -> bool:
        answer = QMessageBox.question(
            self._parent,
            self.tr("Replace the file?"),
            self.tr("{name} exists already. Replace it?").format(name=path.name),
        )
        return answer is QMessageBox.StandardButton.Yes

    def _folder(self) -> str:
        recent = self._preferences.recent()
        return str(Path(recent[0]).parent) if recent else ""

    def _recover(self, found: RecoverableSession) -> None:
        from steadymark.app.session.settings_values import restored_settings

        settings = restored_settings(found.settings)
        self._settings.show_settings(settings)
        self._session.close_source()
        self._session.use_settings(settings)
        self._session.open(found.source, recover_from=found)

    def folder_choice(self, folder: str) -> tuple[str, Callable[[], None]]:
        """Return the choice of a message that shows a folder."""

        def show() -> None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

        return self.tr("Show folder"), show

    def _copy_diagnostics(self) -> None:
        QGuiApplication.clipboard().setText(diagnostics(self._session, self._log_file))
        self._messages.show_message(
            self.tr("The diagnostics are on the clipboard: paste them into your report."),
            passing=True,
        )

    def _show_log(self) -> None:
        if self._log_file is not None:
            self._messages.show_message(
                self.tr("The log file is {path}").format(path=self._log_file),
                [self.folder_choice(str(self._log_file.parent))],
            )


def _discard(found: RecoverableSession) -> None:
    from steadymark.app.session.recording.crash_recovery import delete_session

    delete_session(found)
