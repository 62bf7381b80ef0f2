"""The window that tracks and exports many videos.

It shows what to write, how many videos to track at a time, the progress and the results.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.local_numbers import share_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.video_queue import QueueItem, QueueStage, VideoQueue
from steadymark.app.session.worker_threads import CoalescedCallback
from steadymark.engine.batch.run_jobs import cores
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.pipeline.job import OutputSettings
from steadymark.engine.sources.input_paths import VIDEO_SUFFIXES

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
        self.resize(760, 460)
        self._settings, self._live = settings, live
        self._call = CoalescedCallback(self._came.emit)
        self.queue = VideoQueue(models, self._call)
        self.chosen: list[str] = []  # recordings that have not begun yet
        self._bars: dict[int, QProgressBar] = {}
        self._rows: dict[int, QTreeWidgetItem] = {}
        self._shown: dict[int, QueueItem] = {}
        self._keys: list[int | str] = []  # what the rows of the list show
        self.list = QTreeWidget()
        self.folder = QLineEdit()
        self.style_of_table = QComboBox()
        self.video, self.replace_files = QCheckBox(), QCheckBox()
        self.processes = QSpinBox()
        self._processes_chosen = False
        self.hint, self._write, self._to, self._at_a_time = (QLabel() for _ in range(4))
        self.begin = self._button(self._on_begin)
        self.cancel = self._button(self._on_cancel)
        self.cancel_all = self._button(self.queue.cancel_all)
        self.open_folder = self._button(self._on_open_folder)
        self.clear = self._button(self.queue.clear)
        self._add = self._button(self._choose_videos)
        self._choose = self._button(self._choose_folder)
        self._lay_out()
        self._name_all()
        self._came.connect(self._on_came, Qt.ConnectionType.QueuedConnection)
        self.processes.valueChanged.connect(self._on_processes)
        self._refresh()

    def add(self, paths: Sequence[str]) -> None:
        """Add recordings, which are tracked when the user presses 'Begin'."""
        self.chosen += [path for path in paths if path not in self.chosen]
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
            self._keys = []  # The rows contain translated text, too.
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
        self.list.setHeaderLabels([self.tr("Video"), self.tr("Progress"), self.tr("Result")])
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
            (self._choose, self.tr("Choose…")),
        ):
            thing.setText(text)
        self.processes.setAccessibleName(self._at_a_time.text())
        self.processes.setToolTip(
            self.tr("At most the number of processor cores; a live view needs some of them.")
        )

    def _lay_out(self) -> None:
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setUniformRowHeights(True)
        header = self.list.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, 220)
        header.resizeSection(1, 150)
        self.list.itemSelectionChanged.connect(self._show_buttons)
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
            self.begin,
            self.cancel,
            self.cancel_all,
            self.open_folder,
            self.clear,
        )
        for column, button in enumerate(buttons):
            below.addWidget(button, 0, column)
        column_of_all = QVBoxLayout(self)
        column_of_all.addWidget(self.list, 1)
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
        for row in self.list.selectedItems():
            number = row.data(0, Qt.ItemDataRole.UserRole)
            if number is None:
                self.chosen.remove(row.text(0))
            else:
                self.queue.cancel(int(number))
        self._refresh()

    def _on_open_folder(self) -> None:
        rows = self.list.selectedItems()
        folder = rows[0].data(2, Qt.ItemDataRole.UserRole) if rows else None
        QDesktopServices.openUrl(QUrl.fromLocalFile(folder or self.folder.text()))

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
        items = self.queue.items
        wanted: list[QueueItem | str] = [*items, *self.chosen]
        keys = [(item if isinstance(item, str) else item.number) for item in wanted]
        if self._keys != keys:
            self._keys = keys
            self._fill(wanted)
        for item in items:
            if self._shown.get(item.number) != item:
                self._shown[item.number] = item
                self._show_item(item)
        self._show_buttons()
        self.changed.emit()

    def _fill(self, wanted: Sequence[QueueItem | str]) -> None:
        self.list.clear()
        self._bars.clear()
        self._rows.clear()
        self._shown.clear()
        for item in wanted:
            path = item if isinstance(item, str) else item.path
            row = QTreeWidgetItem([path, "", ""])
            row.setToolTip(0, path)
            row.setSizeHint(0, QSize(0, _ROW_PX))
            self.list.addTopLevelItem(row)
            if isinstance(item, str):
                row.setText(2, self.tr("not started"))
                continue
            row.setText(0, Path(path).name)
            row.setData(0, Qt.ItemDataRole.UserRole, item.number)
            bar = QProgressBar()
            bar.setAccessibleName(Path(path).name)
            bar.setMaximumHeight(_ROW_PX)
            self._bars[item.number], self._rows[item.number] = bar, row
            self.list.setItemWidget(row, 1, _cell(bar))

    def _show_item(self, item: QueueItem) -> None:
        bar, row = self._bars[item.number], self._rows[item.number]
        over = item.stage not in (QueueStage.WAITING, QueueStage.RUNNING)
        bar.setRange(0, max(item.total, 0 if item.stage is QueueStage.RUNNING else 1))
        bar.setValue(
            item.frames if not over or item.stage is QueueStage.CANCELLED else bar.maximum()
        )
        bar.setVisible(item.stage is not QueueStage.FAILED)
        names = ", ".join(Path(path).name for path in item.outputs)
        text = {
            QueueStage.WAITING: self.tr("waiting"),
            QueueStage.RUNNING: self.tr("tracking"),
            QueueStage.DONE: self._done_text(item, names),
            QueueStage.FAILED: translated(item.note),
            QueueStage.CANCELLED: self.tr("cancelled: {names}").format(names=names or "–"),
        }[item.stage]
        row.setText(2, text)
        row.setToolTip(2, f"{text}\n{translated(item.note)}".strip())
        if item.outputs:
            row.setData(2, Qt.ItemDataRole.UserRole, str(Path(item.outputs[0]).parent))

    def _done_text(self, item: QueueItem, names: str) -> str:
        if not item.faces.processed:  # done in an earlier run
            return names
        return self.tr("{names}, {share} of the frames with a face").format(
            names=names, share=share_text(item.faces.share, 1)
        )

    def _show_buttons(self) -> None:
        items, rows = self.queue.items, self.list.selectedItems()
        running = self.queue.running
        done = sum(item.stage is QueueStage.DONE for item in items)
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


def _cell(bar: QProgressBar) -> QWidget:
    """Wrap the progress bar, because the list would show a hidden bar again."""
    cell = QWidget()
    layout = QHBoxLayout(cell)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(bar)
    return cell
