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
from steadymark.app.session.video_queue import QueueStage, VideoQueue
from steadymark.app.session.worker_threads import CoalescedCallback
from steadymark.engine.batch.run_jobs import cores
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.pipeline.job import OutputSettings
from steadymark.engine.sources.input_paths import VIDEO_SUFFIXES
from steadymark.engine.sources.resolve_input import expand_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.session.background_opening import ModelCache
    from steadymark.engine.tracking.settings import TrackSettings

_STOP_S = 2.0
_ROW_PX = 24
_CORES_OF_LIVE = 2  # cores that a live view and the window need for themselves


class QueueWindow(QDialog):
    """Window of the video queue, which is open beside the main window.

    Args:
        parent: The main window.
        models: The loaded models.
        settings: Returns the settings; called when the queue begins.
        live: Returns whether a live view is open; then fewer videos are tracked at a time.
    """

    _came = Signal()
    changed = Signal()

    def __init__(
        self,
        parent: QWidget,
        models: ModelCache,
        settings: Callable[[], TrackSettings],
        live: Callable[[], bool],
    ) -> None:
        super().__init__(parent)
        self.resize(860, 480)
        self._settings, self._live = settings, live
        self._call = CoalescedCallback(self._came.emit)
        self.queue = VideoQueue(models, self._call)
        self.chosen: list[str] = []  # recordings that have not begun yet
        self.list = QueueList()
        self.folder = QLineEdit()
        self.style_of_table = QComboBox()
        self.video, self.replace_files = QCheckBox(), QCheckBox()
        self.processes = QSpinBox()
        self._processes_chosen = False
        self.hint, self.fault = QLabel(), QLabel()
        self._write, self._to, self._at_a_time = QLabel(), QLabel(), QLabel()
        self.begin = self._button(self._on_begin)
        self.cancel = self._button(self._on_cancel)
        self.cancel_all = self._button(self.queue.cancel_all)
        self.open_folder = self._button(self._on_open_folder)
        self.clear = self._button(self.queue.clear)
        self._add = self._button(self._choose_videos)
        self._add_folder = self._button(self._choose_videos_folder)
        self._choose = self._button(self._choose_folder)
        self._lay_out()
        self._name_all()
        self._came.connect(self._on_came, Qt.ConnectionType.QueuedConnection)
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
            self.chosen += [each for each in found if each not in self.chosen]
        self.fault.setVisible(bool(self.fault.text()))
        if self.chosen and not self.folder.text():
            self.folder.setText(str(Path(self.chosen[0]).parent / "steadymark"))
        self._refresh()

    def close_all(self) -> bool:
        """Cancel everything, and return whether it ended in time."""
        self.close()
        self.queue.close()
        return self.queue.join(_STOP_S)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._name_all()
            self._refresh()

    def _button(self, act: Callable[[], None]) -> QPushButton:
        button = QPushButton()
        button.setAutoDefault(False)
        button.clicked.connect(lambda _=False: act())
        return button

    def _name_all(self) -> None:
        """Set all texts in the current language."""
        self.setWindowTitle(self.tr("Track and export many videos"))
        self.list.setAccessibleName(self.tr("Videos"))
        self.list.retranslate()
        for row, each in enumerate(TABLE_FORMATS.all()):
            self.style_of_table.setItemText(row, translated(each.label))
        self.style_of_table.setAccessibleName(self.tr("Table format"))
        self.folder.setAccessibleName(self.tr("Folder of the results"))
        for thing, text in (
            (self._write, self.tr("Write")),
            (self._to, self.tr("to")),
            (self._at_a_time, self.tr("Videos at a time")),
            (self.video, self.tr("and a video with landmarks")),
            (self.replace_files, self.tr("replace existing files")),
            (self.begin, self.tr("&Start")),
            (self.cancel, self.tr("&Cancel selected")),
            (self.cancel_all, self.tr("Cancel &all")),
            (self.open_folder, self.tr("&Open folder")),
            (self.clear, self.tr("C&lear finished")),
            (self._add, self.tr("Add &videos…")),
            (self._add_folder, self.tr("Add &folder…")),
            (self._choose, self.tr("Choose…")),
        ):
            thing.setText(text)
        self.processes.setAccessibleName(self._at_a_time.text())
        self.processes.setToolTip(
            self.tr("At most the number of processor cores; a live view needs some of them.")
        )

    def _lay_out(self) -> None:
        self.list.itemSelectionChanged.connect(self._show_buttons)
        self.list.removed.connect(self._on_removed)
        self.list.result_opened.connect(
            lambda path: QDesktopServices.openUrl(QUrl.fromLocalFile(path))
        )
        self.fault.setWordWrap(True)
        self.fault.hide()
        for name in TABLE_FORMATS.names():
            self.style_of_table.addItem("", name)
        self.hint.setWordWrap(True)
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(self._choose)
        what = QHBoxLayout()
        for widget in (self.style_of_table, self.video, self.replace_files):
            what.addWidget(widget)
        what.addStretch(1)
        form = QFormLayout()
        form.addRow(self._write, what)
        form.addRow(self._to, where)
        self.processes.setRange(1, cores())
        how = QHBoxLayout()
        how.addWidget(self.processes)
        how.addStretch(1)
        form.addRow(self._at_a_time, how)
        below = QGridLayout()
        buttons = (
            self._add,
            self._add_folder,
            self.begin,
            self.cancel,
            self.cancel_all,
            self.open_folder,
            self.clear,
        )
        for column, button in enumerate(buttons):
            below.addWidget(button, column // 4, column % 4)
        column_of_all = QVBoxLayout(self)
        column_of_all.addWidget(self.list, 1)
        column_of_all.addWidget(self.fault)
        column_of_all.addLayout(form)
        column_of_all.addWidget(self.hint)
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

    def _on_begin(self) -> None:
        output = OutputSettings(
            Path(self.folder.text()),
            csv=str(self.style_of_table.currentData()),
            video=self.video.isChecked(),
            overwrite=self.replace_files.isChecked(),
        )
        chosen, self.chosen = self.chosen, []
        self.queue.add(chosen, self._settings(), output)

    def _on_cancel(self) -> None:
        for video in self.list.chosen():
            if isinstance(video, str):
                self.chosen.remove(video)
            else:
                self.queue.cancel(video)
        self._refresh()

    def _on_removed(self) -> None:
        for video in self.list.chosen():
            if isinstance(video, str):
                self.chosen.remove(video)
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
            self.processes.setValue(cores() - (_CORES_OF_LIVE if live else 0))
        self.queue.processes = self.processes.value() if live else None

    def _on_came(self) -> None:
        self._call.mark_handled()
        self._refresh()

    def _refresh(self) -> None:
        self._suggest_processes()
        self.list.show_videos([*self.queue.items, *self.chosen])
        self._show_buttons()
        self.changed.emit()

    def _show_buttons(self) -> None:
        items, rows = self.queue.items, self.list.selectedItems()
        running = self.queue.running
        done = sum(item.stage in (QueueStage.DONE, QueueStage.DAMAGED) for item in items)
        failed = sum(item.stage is QueueStage.FAILED for item in items)
        self.begin.setEnabled(bool(self.chosen) and bool(self.folder.text().strip()))
        self.cancel.setEnabled(bool(rows))
        self.cancel_all.setEnabled(running > 0)
        self.open_folder.setEnabled(any(item.outputs for item in items))
        self.clear.setEnabled(running < len(items))
        words = self.tr("{waiting} waiting, {done} finished, {failed} failed.")
        self.hint.setText(
            words.format(waiting=running, done=done, failed=failed)
            if items
            else self.tr(
                "The videos are tracked with the settings of the main window, each "
                "from beginning to end, as 'steadymark track' does it."
            )
        )
