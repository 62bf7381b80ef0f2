"""Helpers of tests that operate the real window by the keys of its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from steadymark.app.gui.actions.actions import action_specs
from steadymark.app.session.state import Phase

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


def key(window: MainWindow, name: str) -> None:
    """Press the first key of a command, as a user would."""
    command = next(c for c in action_specs() if c.name == name)
    QTest.keySequence(window, QKeySequence(command.keys[0]))


def shows(window: MainWindow, index: int) -> bool:
    shown = window.view.shown
    return shown is not None and shown.frame.index == index


def stabilized_points(window: MainWindow) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The stabilized points that are drawn over the frame."""
    shown = window.view.shown
    if shown is None or not shown.faces or shown.faces[0].stabilized is None:
        return np.zeros((0, 2), np.float32)
    return shown.faces[0].stabilized.xy_px


def open_video(qtbot: QtBot, window: MainWindow, clip: str, *, tracked: bool = True) -> None:
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.session.display.path == clip and window.view.shown is not None)
    window.session.recording.stop()  # at the first frame: in later ones, the face may be lost
    if tracked:
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
