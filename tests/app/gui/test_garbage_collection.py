"""Unreferenced Qt objects are destroyed in the GUI thread."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from steadymark.app.gui.garbage_collection import GuiGarbageCollector

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class SelfReference(QObject):
    """An object that only a reference cycle keeps alive."""

    def __init__(self) -> None:
        super().__init__()
        self.me = self


def test_garbage_is_collected_in_the_gui_thread_and_never_in_a_worker_thread(qtbot: QtBot) -> None:
    collector = GuiGarbageCollector()
    cycle = SelfReference()
    reference = weakref.ref(cycle)
    del cycle

    def work() -> None:
        objects = [[i] for i in range(20_000)]
        assert len(objects) == 20_000

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join()
    assert reference() is not None
    more_objects = [[i] for i in range(5_000)]
    qtbot.waitUntil(lambda: reference() is None, timeout=5000)
    collector.stop()
    assert gc.isenabled()
    assert len(more_objects) == 5_000
