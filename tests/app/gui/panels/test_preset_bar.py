"""Presets in the settings panel can be chosen, saved and deleted; bad ones are reported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QInputDialog

from steadymark.app.gui.application import make_window
from steadymark.engine.tracking.settings import TrackSettings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from PySide6.QtCore import QUrl

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.panels.preset_bar import PresetBar
    from steadymark.app.gui.preferences import Preferences


def choose(bar: PresetBar, name: str) -> None:
    bar.box.setCurrentIndex(bar.box.findText(name))
    bar.box.activated.emit(bar.box.currentIndex())


def test_choosing_a_preset_applies_it_and_a_change_leaves_it(
    window: MainWindow, preferences: Preferences
) -> None:
    bar = window.settings.presets
    assert bar.box.currentText() == "Most stable"
    assert "heatmap1d-lite · flow · 1 face" in bar.summary.text()
    window._use_settings(replace(window.session.settings, device="cpu"))
    window.settings.show_settings(window.session.settings)
    choose(bar, "Light filter")
    assert window.session.settings.chosen.value("beta") == 20
    assert window.session.settings.device == "cpu"
    assert preferences.tracking() == window.session.settings
    assert window.settings.filters["one-euro"].boxes["beta"].value() == 20
    assert "One Euro filter 3 Hz, 20" in bar.summary.text()
    window.settings.max_faces.setValue(2)
    assert bar.box.currentIndex() == -1
    assert "2 faces" in bar.summary.text()
    window.settings.reset.click()
    assert bar.box.currentText() == "Most stable"
    assert window.session.settings == TrackSettings()


def test_a_preset_can_be_saved_restored_after_a_restart_and_deleted(
    window: MainWindow,
    preferences: Preferences,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bar = window.settings.presets
    window.settings.max_faces.setValue(5)
    save, delete, open_folder = bar.menu_button.menu().actions()
    assert not delete.isEnabled()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("", False))
    save.trigger()
    assert preferences.presets.own() == ([], [])
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("Raw, Lowest Latency", True))
    save.trigger()
    assert "is the name of a shipped preset" in window.messages.texts[0]
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("Five", True))
    save.trigger()
    assert bar.box.currentText() == "Five"
    choose(bar, "Most stable")
    (preferences.presets.folder / "bad.json").write_text("{}")
    restarted = make_window(preferences._settings, tmp_path / "other", None)
    assert "bad.json is not a preset" in restarted.messages.texts[0]
    choose(restarted.settings.presets, "Five")
    assert restarted.session.settings.tracker.max_faces == 5
    restarted.settings.presets.delete_action.trigger()
    assert preferences.presets.own()[0] == []
    assert restarted.settings.presets.box.currentIndex() == -1
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    open_folder.trigger()
    assert opened[0].toLocalFile() == str(preferences.presets.folder)
    assert restarted.close()
    restarted.deleteLater()
