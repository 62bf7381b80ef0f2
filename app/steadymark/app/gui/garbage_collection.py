"""Python's garbage collection, restricted to the GUI thread.

By default, Python collects in whichever thread allocates memory. When a Qt object is destroyed in
a worker thread, it takes a lock there. The GUI thread may hold that lock while it waits for the
interpreter, which is a deadlock.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class GuiGarbageCollector(QObject):
    """Collects garbage about as often as Python would, but in the thread that it lives in."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self._timer.start(_EVERY_MS)

    def collect(self) -> None:
        """Collect the oldest generation that exceeds its threshold, and all younger ones."""
        grown = zip(gc.get_count(), gc.get_threshold(), strict=True)
        due = [generation for generation, (count, most) in enumerate(grown) if count > most]
        if due:
            gc.collect(due[-1])

    def stop(self) -> None:
        """Return garbage collection to Python."""
        self._timer.stop()
        gc.enable()
