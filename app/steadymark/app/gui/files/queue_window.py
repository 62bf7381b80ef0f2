"""The window that tracks and exports many videos.

It shows what to write, how many videos to track at a time, the progress and the results.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.files.queue_list import QueueList
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.video_queue import QueueStage, VideoQueue, tables_of
from steadymark.app.session.worker_threads import CoalescedCallback
from steadymark.engine.batch.run_jobs import cores
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.expressions.expression_settings import AS_MEASURED
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.pipeline.job import OutputSettings
from steadymark.engine.sources.input_paths import VIDEO_SUFFIXES
from steadymark.engine.sources.resolve_input import expand_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.session.background_opening import ModelCache
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
    from steadymark.engine.tracking.settings import TrackSettings

_STOP_S = 2.0
_ROW_PX = 24
_LIVE_VIEW_CORES = 2  # cores that a live view and the window need for themselves


class QueueWindow(QDialog):
    """Window of the video queue, which is open beside the main window.

    Attributes:
        changed: Emitted when the list has changed.
        report_requested: Emitted with (table, video) paths of the finished videos to report on.

    Args:
        parent: The main window.
        models: The loaded models.
        settings: Returns the settings; called when the queue begins.
        live: Returns whether a live view is open; then fewer videos are tracked at a time.
        expressions: Returns the settings of animations; called when the queue begins.
    """

    _updated = Signal()
    changed = Signal()
    report_requested = Signal(object)

    def __init__(
        self,
        parent: QWidget,
        models: ModelCache,
        settings: Callable[[], TrackSettings],
        live: Callable[[], bool],
        expressions: Callable[[], ExpressionSettings] = lambda: AS_MEASURED,
    ) -> None:
        super().__init__(parent)
        self.resize(860, 480)
        self._settings, self._live, self._expressions = settings, live, expressions
        self._call = CoalescedCallback(self._updated.emit)
        self.queue = VideoQueue(models, self._call)
        self.pending: list[str] = []  # recordings that have not begun yet
        self.list = QueueList()
        self.folder = QLineEdit()
        self.table_format = QComboBox()
        self.video, self.replace_files = QCheckBox(), QCheckBox()
        self.processes = QSpinBox()
        self._processes_chosen = False
        self.summary, self.fault = QLabel(), QLabel()
        self._output_label, self._folder_label, self._processes_label = QLabel(), QLabel(), QLabel()
        self.start_button = self._button(self._on_start)
        self.cancel_button = self._button(self._on_cancel)
        self.cancel_all_button = self._button(self.queue.cancel_all)
        self.open_folder_button = self._button(self._on_open_folder)
        self.clear_button = self._button(self.queue.clear)
        self.report_button = self._button(
            lambda: self.report_requested.emit(tables_of(self.queue.items))
        )
        self._add_button = self._button(self._choose_videos)
        self._add_folder = self._button(self._choose_videos_folder)
        self._choose_button = self._button(self._choose_folder)
        self._lay_out()
        self._retranslate()
        self._updated.connect(self._on_updated, Qt.ConnectionType.QueuedConnection)
        self.processes.valueChanged.connect(self._on_processes)
        self._refresh()

    def add(self, paths: Sequence[str]) -> None:
        """Add recordings, which are tracked when the user presses 'Begin'.

        A folder stands for all videos in it and in its subfolders.
        """
        for path in paths:
            try:
                found = expand_inputs([path]) if Path(path).is_dir() else [path]
            except SteadymarkError as error:
                self.fault.setText(translated(error.sentence))
                continue
            self.fault.clear()
            self.pending += [each for each in found if each not in self.pending]
        self.fault.setVisible(bool(self.fault.text()))
        if self.pending and not self.folder.text():
            self.folder.setText(str(Path(self.pending[0]).parent / "steadymark"))
        self._refresh()

    def close_all(self) -> bool:
        """Cancel everything, and return whether it ended in time."""
        self.close()
        self.queue.close()
        return self.queue.join(_STOP_S)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
            self._refresh()

    def _button(self, act: Callable[[], None]) -> QPushButton:
        button = QPushButton()
        button.setAutoDefault(False)
        button.clicked.connect(lambda _=False: act())
        return button

    def _retranslate(self) -> None:
        """Set all texts in the current language."""
        self.setWindowTitle(self.tr("Track and export many videos"))
        self.list.setAccessibleName(self.tr("Videos"))
        self.list.retranslate()
        for row, each in enumerate(TABLE_FORMATS.all()):
            self.table_format.setItemText(row, translated(each.label))
        self.table_format.setAccessibleName(self.tr("Table format"))
        self.folder.setAccessibleName(self.tr("Folder of the results"))
        for thing, text in (
            (self._output_label, self.tr("Write")),
            (self._folder_label, self.tr("to")),
            (self._processes_label, self.tr("Videos at a time")),
            (self.video, self.tr("and a video with landmarks")),
            (self.replace_files, self.tr("replace existing files")),
            (self.start_button, self.tr("&Start")),
            (self.cancel_button, self.tr("&Cancel selected")),
            (self.cancel_all_button, self.tr("Cancel &all")),
            (self.open_folder_button, self.tr("&Open folder")),
            (self.clear_button, self.tr("C&lear finished")),
            (self.report_button, self.tr("&Report…")),
            (self._add_button, self.tr("Add &videos…")),
            (self._add_folder, self.tr("Add &folder…")),
            (self._choose_button, self.tr("Choose…")),
        ):
            thing.setText(text)
        self.report_button.setToolTip(self.tr("Write one page about all finished videos"))
        self.processes.setAccessibleName(self._processes_label.text())
        self.processes.setToolTip(
            self.tr("At most the number of processor cores; a live view needs some of them.")
        )

    def _lay_out(self) -> None:
        self.list.itemSelectionChanged.connect(self._show_buttons)
        self.list.removed.connect(self._on_removed)
        self.list.folder_opened.connect(self._on_open_folder)
        self.list.result_opened.connect(
            lambda path: QDesktopServices.openUrl(QUrl.fromLocalFile(path))
        )
        self.fault.setWordWrap(True)
        self.fault.hide()
        for name in TABLE_FORMATS.names():
            self.table_format.addItem("", name)
        self.summary.setWordWrap(True)
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(self._choose_button)
        what = QHBoxLayout()
        for widget in (self.table_format, self.video, self.replace_files):
            what.addWidget(widget)
        what.addStretch(1)
        form = QFormLayout()
        form.addRow(self._output_label, what)
        form.addRow(self._folder_label, where)
        self.processes.setRange(1, cores())
        how = QHBoxLayout()
        how.addWidget(self.processes)
        how.addStretch(1)
        form.addRow(self._processes_label, how)
        below = QGridLayout()
        buttons = (
            self._add_button,
            self._add_folder,
            self.start_button,
            self.cancel_button,
            self.cancel_all_button,
            self.open_folder_button,
            self.clear_button,
            self.report_button,
        )
        for column, button in enumerate(buttons):
            below.addWidget(button, column // 4, column % 4)
        column_of_all = QVBoxLayout(self)
        column_of_all.addWidget(self.list, 1)
        column_of_all.addWidget(self.fault)
        column_of_all.addLayout(form)
        column_of_all.addWidget(self.summary)
        column_of_all.addLayout(below)

    def _choose_videos(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        paths, _ = QFileDialog.getOpenFileNames(
            self,
            self.tr("Add videos"),
            "",
            self.tr("Videos ({kinds});;All files (*)").format(kinds=kinds),
        )
        self.add(paths)

    def _choose_videos_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Add a folder of videos"))
        if folder:
            self.add([folder])

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, self.tr("Folder of the results"), self.folder.text()
        )
        if folder:
            self.folder.setText(folder)

    def _on_start(self) -> None:
        output = OutputSettings(
            Path(self.folder.text()),
            csv=str(self.table_format.currentData()),
            video=self.video.isChecked(),
            overwrite=self.replace_files.isChecked(),
            expressions=self._expressions(),
        )
        pending, self.pending = self.pending, []
        self.queue.add(pending, self._settings(), output)

    def _on_cancel(self) -> None:
        for video in self.list.chosen():
            if isinstance(video, str):
                self.pending.remove(video)
            else:
                self.queue.cancel(video)
        self._refresh()

    def _on_removed(self) -> None:
        for video in self.list.chosen():
            if isinstance(video, str):
                self.pending.remove(video)
            else:
                self.queue.remove(video)
        self._refresh()

    def _on_open_folder(self) -> None:
        chosen = self.list.chosen()
        outputs = [item.outputs for item in self.queue.items if item.number in chosen]
        written = [Path(paths[0]).parent for paths in outputs if paths]
        folder = str(written[0]) if written else self.folder.text()
        QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

    def _on_processes(self, count: int) -> None:
        self._processes_chosen = True
        self.queue.processes = count

    def _suggest_processes(self) -> None:
        if self._processes_chosen:
            return
        live = self._live()
        with QSignalBlocker(self.processes):
            self.processes.setValue(cores() - (_LIVE_VIEW_CORES if live else 0))
        self.queue.processes = self.processes.value() if live else None

    def _on_updated(self) -> None:
        self._call.mark_handled()
        self._refresh()

    def _refresh(self) -> None:
        self._suggest_processes()
        self.list.show_videos([*self.queue.items, *self.pending])
        self._show_buttons()
        self.changed.emit()

    def _show_buttons(self) -> None:
        items = self.queue.items
        running = self.queue.running
        done = sum(item.stage in (QueueStage.DONE, QueueStage.DAMAGED) for item in items)
        failed = sum(item.stage is QueueStage.FAILED for item in items)
        self.start_button.setEnabled(bool(self.pending) and bool(self.folder.text().strip()))
        ended = {item.number for item in items if item.ended}
        self.cancel_button.setEnabled(any(video not in ended for video in self.list.chosen()))
        self.cancel_all_button.setEnabled(running > 0)
        self.open_folder_button.setEnabled(any(item.outputs for item in items))
        self.clear_button.setEnabled(running < len(items))
        self.report_button.setEnabled(bool(tables_of(items)))
        words = self.tr("{waiting} waiting, {done} finished, {failed} failed.")
        self.summary.setText(
            words.format(waiting=running, done=done, failed=failed)
            if items
            else self.tr(
                "The videos are tracked with the settings of the main window, each "
                "from beginning to end, as 'steadymark track' does it."
            )
        )
