"""The list of running exports, one line each with progress and a cancel button."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.widgets.time_left import time_left
from steadymark.app.session.export import (
    BackgroundExport,
    Export,
    ExportReport,
    ExportRequest,
    ExportSource,
)
from steadymark.app.session.remaining_time import RemainingTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QImage

    from steadymark.app.gui.files.queue_window import QueueWindow

_STOP_S = 2.0


class _Line(QFrame):
    """The line of one export."""

    def __init__(self, export: BackgroundExport) -> None:
        super().__init__()
        self.export = export
        self.label = QLabel()
        self._remaining = RemainingTime()
        self.progress_bar = QProgressBar()
        self.progress_bar.setMaximumHeight(16)
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.clicked.connect(export.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 6, 2)
        for widget, stretch in ((self.label, 0), (self.progress_bar, 1), (self.cancel_button, 0)):
            row.addWidget(widget, stretch)

    def retranslate(self) -> None:
        self.cancel_button.setText(self.tr("Cancel"))
        self.show_report(self.export.report)

    def show_report(self, report: ExportReport) -> None:
        name = report.request.path.name
        text = self.tr("Exporting {name}").format(name=name)
        share = report.done / report.total if report.total else 0.0
        left = time_left(self._remaining.update(share, time.monotonic()))
        self.label.setText(f"{text}, {left}" if left else text)
        self.progress_bar.setAccessibleName(text)
        self.progress_bar.setRange(0, max(0, report.total))
        self.progress_bar.setValue(report.done)


class ExportsList(QWidget):
    """The list of running exports.

    Attributes:
        ended: Emitted with an ExportReport when an export ends.
        saved: Emitted with a picture's path and an error message, which is empty on success.
    """

    ended = Signal(object)
    saved = Signal(str, str)
    _updated = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._lines: list[_Line] = []
        self._saving: list[Thread] = []
        self.queue_window: QueueWindow | None = None  # set when the queue window is first opened
        self._updated.connect(self._refresh, Qt.ConnectionType.QueuedConnection)
        self.hide()

    @property
    def running(self) -> int:
        """Return the number of exports that have not ended."""
        waiting = 0 if self.queue_window is None else self.queue_window.queue.running
        return len(self._lines) + waiting

    def start(self, request: ExportRequest, source: ExportSource) -> None:
        """Start an export; `ended` reports its end."""
        self.run(lambda on_change: Export(request, source, on_change))

    def run(self, make: Callable[[Callable[[], None]], BackgroundExport]) -> None:
        """Start an export that is made with a callback for its changes; `ended` reports its end."""
        line = _Line(make(self._updated.emit))
        self._lines.append(line)
        self._column.addWidget(line)
        self.show()
        line.show_report(line.export.report)
        line.export.start()

    def save(self, image: QImage | bytes, path: str) -> None:
        """Write a picture in a thread; `saved` reports the result.

        Args:
            image: An image to encode, or the bytes of an encoded one.
            path: The file to write.
        """
        words = self.tr("cannot write {path}: choose another folder or name")

        def run() -> None:
            done = _write_image(image, path)
            fault = "" if done else words.format(path=path)
            self.saved.emit(path, fault)

        self._saving = [thread for thread in self._saving if thread.is_alive()]
        thread = Thread(target=run, name="saving", daemon=True)
        self._saving.append(thread)
        thread.start()

    def close_all(self) -> bool:
        """Cancel all exports, and return whether all threads ended in time."""
        for line in self._lines:
            line.export.cancel()
        if self.queue_window is not None:
            self.queue_window.queue.cancel_all()
        ended = [line.export.join(_STOP_S) for line in self._lines]
        for thread in self._saving:
            thread.join(_STOP_S)
        ended += [self.queue_window is None or self.queue_window.close_all()]
        return all(ended) and not any(thread.is_alive() for thread in self._saving)

    def retranslate(self) -> None:
        """Show the lines of running exports in the current language."""
        for line in self._lines:
            line.retranslate()
        self.setVisible(bool(self._lines))

    def _refresh(self) -> None:
        for line in list(self._lines):
            report = line.export.report
            line.show_report(report)
            if not report.running:
                line.export.join(_STOP_S)
                self._lines.remove(line)
                self._column.removeWidget(line)
                line.hide()
                line.deleteLater()
                self.ended.emit(report)
        self.setVisible(bool(self._lines))


def _write_image(image: QImage | bytes, path: str) -> bool:
    if not isinstance(image, bytes):
        return image.save(path)
    try:
        Path(path).write_bytes(image)
    except OSError:
        return False
    return True


def suggested_path(source: str, ending: str) -> str:
    """Return a file name beside the recording, with this ending."""
    path = Path(source)
    folder = path.parent if path.suffix else path
    return str(folder / f"{path.stem}{ending}")


def unused_path(path: str) -> str:
    """Return the path, or the path with a number if the file exists.

    For a.png, the next names are a-2.png and a-3.png.
    """
    wanted, number = Path(path), 2
    free = wanted
    while free.exists():
        free, number = wanted.with_stem(f"{wanted.stem}-{number}"), number + 1
    return str(free)
