"""The list of the videos of a queue: state, progress, figures and results of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QIcon, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QProgressBar,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from steadymark.app.gui.actions.context_menus import on_request
from steadymark.app.gui.i18n.local_numbers import number_text, share_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.theme import icon
from steadymark.app.session.video_queue import QueueItem, QueueStage
from steadymark.engine.output.video.draw_style import VERMILLION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QKeyEvent

_ROW_PX = 24
_VIDEO, _PROGRESS, _RESULT, _STATE, _FACES, _LOST, _SCORE = range(7)
_ORDER = (_VIDEO, _STATE, _PROGRESS, _FACES, _LOST, _SCORE, _RESULT)
_WIDTHS = {_VIDEO: 180, _STATE: 132, _PROGRESS: 90, _FACES: 78, _LOST: 62, _SCORE: 70}
_NUMBER, _PATH = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class QueueList(QTreeWidget):
    """The list; a video that was not started yet is a path, all others are items of the queue.

    Attributes:
        result_opened: Emitted with the file to open when the user double-clicks a finished video.
        removed: Emitted when the user removes the selected videos, for example by Delete.
        folder_opened: Emitted when the user wants to see the folder of the results.
    """

    result_opened = Signal(str)
    removed = Signal()
    folder_opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: dict[int, QProgressBar] = {}
        self._rows: dict[int, QTreeWidgetItem] = {}
        self._shown: dict[int, QueueItem] = {}
        self._keys: list[int | str] = []  # what the rows show
        self.setRootIsDecorated(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setUniformRowHeights(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setColumnCount(len(_ORDER))
        self.itemDoubleClicked.connect(lambda row, _: self._open(row))
        on_request(self, self.menu_at)
        header = self.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for place, column in enumerate(_ORDER):
            header.moveSection(header.visualIndex(column), place)
        for column, width in _WIDTHS.items():
            header.resizeSection(column, width)
        header.setStretchLastSection(True)

    def retranslate(self) -> None:
        """Set the texts in the current language; `show_videos` then fills the rows again."""
        texts = {
            _VIDEO: self.tr("Video"),
            _PROGRESS: self.tr("Progress"),
            _RESULT: self.tr("Result"),
            _STATE: self.tr("State"),
            _FACES: self.tr("With face"),
            _LOST: self.tr("Lost"),
            _SCORE: self.tr("Score"),
        }
        self.setHeaderLabels([texts[column] for column in range(len(texts))])
        for column, tip in (
            (_FACES, self.tr("Share of the processed frames with a face")),
            (_LOST, self.tr("How often no face was tracked: the number of spans of frames")),
            (_SCORE, self.tr("Median score of the landmarks, from 0 to 1")),
        ):
            self.headerItem().setToolTip(column, tip)
        self._keys = []

    def show_videos(self, videos: Sequence[QueueItem | str]) -> None:
        """Show these videos."""
        keys = [video if isinstance(video, str) else video.number for video in videos]
        if self._keys != keys:
            self._keys = keys
            self._fill(videos)
        for video in videos:
            if not isinstance(video, str) and self._shown.get(video.number) != video:
                self._shown[video.number] = video
                self._show_item(video)

    def chosen(self) -> list[int | str]:
        """Return the numbers of the selected videos, or the paths of those not started yet."""
        found: list[int | str] = []
        for row in self.selectedItems():
            number = row.data(0, _NUMBER)
            found.append(str(row.data(0, _PATH)) if number is None else int(number))
        return found

    def menu_at(self, place: QPoint) -> QMenu:
        """Return the context menu of the video at a position, which becomes selected."""
        row = self.itemAt(place)
        if row is not None and not row.isSelected():
            self.setCurrentItem(row)
        item = None if row is None else self._shown.get(row.data(0, _NUMBER))
        menu = QMenu(self)
        for text, slot, enabled in (
            (self.tr("Open the result"), lambda: self._open(row), bool(item and item.outputs)),
            (self.tr("Show folder"), self.folder_opened.emit, bool(item and item.outputs)),
            (self.tr("Remove from the list"), self.removed.emit, row is not None),
        ):
            action = menu.addAction(text)
            action.setEnabled(enabled)
            action.triggered.connect(lambda _=False, slot=slot: slot())
        return menu

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete):
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def _open(self, row: QTreeWidgetItem | None) -> None:
        item = None if row is None else self._shown.get(row.data(0, _NUMBER))
        if item is not None and item.outputs:
            videos = [path for path in item.outputs if path.endswith(".mp4")]
            self.result_opened.emit((videos or list(item.outputs))[0])

    def _fill(self, videos: Sequence[QueueItem | str]) -> None:
        self.clear()
        for known in (self._bars, self._rows, self._shown):
            known.clear()
        for video in videos:
            path = video if isinstance(video, str) else video.path
            row = QTreeWidgetItem([Path(path).name or path])
            row.setToolTip(_VIDEO, path)
            row.setData(0, _PATH, path)
            row.setSizeHint(0, QSize(0, _ROW_PX))
            for column in (_FACES, _LOST, _SCORE):
                row.setTextAlignment(
                    column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                )
            self.addTopLevelItem(row)
            if isinstance(video, str):
                row.setText(_STATE, self.tr("not started"))
                continue
            row.setData(0, _NUMBER, video.number)
            bar = QProgressBar()
            bar.setAccessibleName(Path(path).name)
            bar.setMaximumHeight(_ROW_PX)
            self._bars[video.number], self._rows[video.number] = bar, row
            self.setItemWidget(row, _PROGRESS, _cell(bar))

    def _show_item(self, item: QueueItem) -> None:
        self._show_progress(self._bars[item.number], item)
        row = self._rows[item.number]
        state = {
            QueueStage.WAITING: self.tr("waiting"),
            QueueStage.RUNNING: self.tr("tracking"),
            QueueStage.DONE: self.tr("done"),
            QueueStage.DAMAGED: self.tr("damaged"),
            QueueStage.FAILED: self.tr("failed"),
            QueueStage.CANCELLED: self.tr("cancelled"),
        }[item.stage]
        bad = item.stage in (QueueStage.FAILED, QueueStage.DAMAGED)
        row.setText(_STATE, state)
        row.setIcon(_STATE, icon("warning") if bad or item.warnings else QIcon())
        for column in (_STATE, _RESULT):
            row.setForeground(column, QBrush(QColor(VERMILLION)) if bad else QBrush())
        if item.frames:
            row.setText(_FACES, share_text(item.face_frames.share))
            row.setText(_LOST, f"{item.lost_spans}")
            row.setText(_SCORE, number_text(item.median_score, 2) if item.with_face else "")
        names, note = ", ".join(Path(p).name for p in item.outputs), translated(item.note)
        note = note.replace(item.path, Path(item.path).name)
        texts = [note if item.stage is QueueStage.FAILED else names]
        if item.warnings:
            texts.append(self.tr("%n warning(s)", "", item.warnings))
        row.setText(_RESULT, " – ".join(text for text in texts if text))
        for column in (_STATE, _RESULT):
            row.setToolTip(column, "\n".join(t for t in (names, note) if t))

    def _show_progress(self, bar: QProgressBar, item: QueueItem) -> None:
        bar.setRange(0, max(item.total, 0 if item.stage is QueueStage.RUNNING else 1))
        whole = item.ended and item.stage is not QueueStage.CANCELLED
        bar.setValue(bar.maximum() if whole else item.frames)
        bar.setVisible(item.stage is not QueueStage.FAILED)


def _cell(bar: QProgressBar) -> QWidget:
    """Wrap the progress bar, because the list would show a hidden bar again."""
    cell = QWidget()
    layout = QHBoxLayout(cell)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(bar)
    return cell
