"""Qt's objects that nobody holds end in the GUI thread."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from steadymark.app.gui.garbage_collection import GuiGarbageCollector

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Loop(QObject):
    """Held by nothing but itself."""

    def __init__(self) -> None:
        super().__init__()
        self.me = self


def test_a_worker_thread_collects_nothing_and_the_gui_thread_does(qtbot: QtBot) -> None:
    garbage = GuiGarbageCollector()
    loop = Loop()
    gone = weakref.ref(loop)
    del loop

    def work() -> None:
        kept = [[i] for i in range(20_000)]
        assert len(kept) == 20_000

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join()
    assert gone() is not None
    filling = [[i] for i in range(5_000)]
    qtbot.waitUntil(lambda: gone() is None, timeout=5000)
    garbage.stop()
    assert gc.isenabled()
    assert len(filling) == 5_000
