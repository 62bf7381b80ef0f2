"""Garbage is collected in the GUI thread alone.

Python collects wherever it happens to allocate. Qt's objects that end in a worker thread take a
lock there that the GUI thread may hold while it waits for the interpreter: both wait for ever.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class GuiGarbageCollector(QObject):
    """Collects as often as Python would, but in the thread that it lives in."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self._timer.start(_EVERY_MS)

    def collect(self) -> None:
        """The oldest generation that has grown beyond its threshold, and the younger ones."""
        grown = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [generation for generation, (count, most) in enumerate(grown) if count > most]
        if due:
            gc.collect(due[-1])

    def stop(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.enable()
