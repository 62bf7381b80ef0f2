"""A window with fake networks, and checks that it leaves nothing behind."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from steadymark.app.gui.i18n.language import apply_language
from steadymark.app.gui.main_window import MainWindow
from steadymark.app.gui.preferences import Preferences
from steadymark.app.gui.theme import palette
from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.session import Session
from steadymark.engine.tracking.settings import TrackSettings
from support.fakes.fake_live_sources import PacedDevice
from support.videos.square_video import square_models, square_video
from support.window.live_window_driver import use_camera
from support.window.window_texts import Brackets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

FRAMES = 120


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    return Preferences(QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def english(qtbot: QtBot) -> Iterator[None]:
    """Use English, independent of the system's language and of earlier tests."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_language(application, "en")
    yield
    apply_language(application, "en")


@pytest.fixture
def brackets(english: None) -> Iterator[None]:
    """Enclose every translated text in ⟦⟧."""
    application = QApplication.instance()
    assert application is not None
    translator = Brackets()
    application.installTranslator(translator)
    yield
    application.removeTranslator(translator)


@pytest.fixture
def window(
    qtbot: QtBot, tmp_path: Path, preferences: Preferences, english: None
) -> Iterator[MainWindow]:
    threads = set(threading.enumerate())
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    application.setStyle("Fusion")
    application.setPalette(palette(dark=False))
    before = set(application.topLevelWidgets())
    session = Session(
        TrackSettings(), state_root=tmp_path / "state", models=ModelCache(square_models)
    )
    window = MainWindow(session, preferences, log_file=tmp_path / "steadymark.log")
    window.resize(1200, 800)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    yield window
    window.session.live.stop_recording()  # closing would ask
    assert window.close()
    assert window.closed_in_time
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)  # a thread that is ending may take its time on a loaded machine
    assert set(threading.enumerate()) <= threads
    window.deleteLater()
    qtbot.waitUntil(lambda: window not in application.topLevelWidgets())
    assert [w for w in application.topLevelWidgets() if w not in before and w.isVisible()] == []


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(square_video(tmp_path / "a.mp4", FRAMES))


@pytest.fixture
def device(window: MainWindow, tmp_path: Path) -> PacedDevice:
    """Return the fake device that every camera of the window opens."""
    device = PacedDevice()
    use_camera(window, device)
    folder = tmp_path / "recordings"
    folder.mkdir()
    window.live_controller._store(
        replace(window.live_controller.live_preferences, folder=str(folder))
    )
    return device
