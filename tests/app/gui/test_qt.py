"""The installed Qt has no known bugs that crash the program."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject, Signal


class Emitter(QObject):
    emitted = Signal()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="True is immortal here")
def test_emitting_a_signal_does_not_release_references_to_true() -> None:
    # PySide6 6.12.0 does, and the program crashes after some hundred signals
    emitter = Emitter()
    before = sys.getrefcount(True)
    for _ in range(50):
        emitter.emitted.emit()
    assert sys.getrefcount(True) > before - 25
