"""Connects the panel of the errors with the session, and copies and saves them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu

from steadymark.app.gui.errors.shown_errors import ShownErrors, errors_text
from steadymark.app.gui.i18n.display_names import variant_name
from steadymark.app.gui.i18n.local_numbers import share_text
from steadymark.app.session.analysis.error_set import videos_of_folder, videos_of_tables
from steadymark.app.session.analysis.variants import RAW, STABILIZED
from steadymark.app.session.video_queue import tables_of

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDockWidget, QPushButton, QWidget

    from steadymark.app.gui.errors.errors_panel import ErrorsPanel
    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.files.table_exports import AskSavePath
    from steadymark.app.gui.messages import Messages
    from steadymark.app.session.analysis.landmark_errors import ErrorPair
    from steadymark.app.session.recording.open_recording import OpenRecording
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
        self._parent, self._set_name = parent, ""
        self._session, self._exports, self._messages = session, exports, messages
        self._ask_save_path = ask_save_path
        self._panel: ErrorsPanel | None = None
        self._set: tuple[str, ErrorPair] | None = None  # the title and the errors of a set
        self._next_place: FacePlace | None = None  # shown when its video is open
        session.measures_changed.connect(self.refresh)
        session.error_set.changed.connect(self._on_set_changed)
        session.changed.connect(self._on_changed)
        session.recording.recording_opened.connect(self._on_opened)

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
        panel.cancel_button.clicked.connect(lambda _=False: self._session.error_set.cancel())
        self._fill_menu(panel)
        more.clicked.connect(lambda _=False: self._show_dock())
        dock.visibilityChanged.connect(lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show the newest errors, unless the panel is hidden."""
        if self._panel is not None and self._dock.isVisible():
            shown = self._errors()
            self._panel.show_errors(shown, "" if shown is not None else self._notice())
            self._panel.show_progress(self._progress())

    def _fill_menu(self, panel: ErrorsPanel) -> None:
        menu = QMenu(panel.set_button)
        for text, slot in (
            (self.tr("&This recording"), self._show_recording),
            (self.tr("&Folder of videos with ground truth…"), self._choose_folder),
            (self.tr("Finished videos of the &queue"), self._measure_queue),
        ):
            menu.addAction(text).triggered.connect(lambda _=False, slot=slot: slot())
        panel.set_button.setMenu(menu)

    def _errors(self) -> ShownErrors | None:
        if self._set is not None:
            title, pair = self._set
            return ShownErrors(title, (variant_name(RAW), variant_name(STABILIZED)), pair, None)
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
            "Load ground truth (menu File) to see in which frames and at which landmarks the "
            "errors are large."
        )

    def _progress(self) -> str:
        report = self._session.error_set.report
        if not report.running:
            return ""
        return self.tr("Measuring {name} ({number} of {total}), {share}").format(
            name=report.name,
            number=report.number,
            total=report.total,
            share=share_text(report.share),
        )

    # -- several videos

    def _show_recording(self) -> None:
        self._set = None
        self.refresh()

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self._parent, self.tr("Folder of videos with ground truth")
        )
        if folder:
            self.measure_folder(Path(folder))

    def measure_folder(self, folder: Path) -> None:
        """Track the videos with ground truth in a folder, and show their errors as one set."""
        self._set_name = folder.name
        self._session.error_set.start(lambda: videos_of_folder(folder), self._session.settings)

    def _measure_queue(self) -> None:
        window = self._exports.queue_window
        tables = [] if window is None else tables_of(window.queue.items)
        self._set_name = self.tr("queue")
        self._session.error_set.start(lambda: videos_of_tables(tables), self._session.settings)

    def _on_set_changed(self) -> None:
        report = self._session.error_set.report
        if report.fault:
            self._messages.show_message(report.fault)
        elif report.pair is not None:
            name = self.tr("{name}, %n video(s)", "", report.total).format(name=self._set_name)
            self._set = name, report.pair
        self.refresh()

    def _on_opened(self, recording: OpenRecording) -> None:
        """Show the errors of a recording that was opened by other means."""
        place = self._next_place
        if place is None or place.source != recording.media.info.path:
            self._set = self._next_place = None
            self.refresh()

    def _on_changed(self) -> None:
        """Show the frame of another video that was clicked, as soon as the video is open."""
        place, display = self._next_place, self._session.display
        if place is None or place.source != display.path or place.frame is None:
            return
        if display.last >= place.frame:
            self._next_place = None
            self._session.recording.pause()
            self._session.recording.seek(place.frame)

    def _show_dock(self) -> None:
        self._dock.show()
        self._dock.raise_()

    def _go_to(self, place: FacePlace) -> None:
        path = self._session.recording.state.path
        if self._set is not None and place.source != path:
            self._next_place = place
            self._session.open(place.source)
        elif place.frame is not None:
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
