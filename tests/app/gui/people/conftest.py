"""A window that tracks two faces, and what the tests do with its list of persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.app.session.background_opening import ModelCache
from support.videos.two_face_video import crowd_models, two_face_video
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

WAIT_MS = 20_000


@pytest.fixture
def two_faces(tmp_path: Path) -> str:
    return str(two_face_video(tmp_path / "two.mp4"))


@pytest.fixture
def people(qtbot: QtBot, window: MainWindow, two_faces: str) -> MainWindow:
    """Return a window in which two faces were tracked, and a third that is the second again."""
    window.session._models = ModelCache(crowd_models)
    window.settings.max_faces.setValue(2)
    open_video(qtbot, window, two_faces)
    qtbot.waitUntil(lambda: len(window.people.model.rows) == 3, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.session.people.complete, timeout=WAIT_MS)
    window.docks.people.show()
    window.docks.people.raise_()
    return window
