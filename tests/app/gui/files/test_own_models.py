"""The user's own models are added from a dialog, kept over restarts, and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.application import make_window
from steadymark.app.gui.files import own_models
from steadymark.engine.tracking.mediapipe_landmarks import mediapipe_card
from steadymark.models.runtime.zoo import DEFAULT_MODEL
from support.fakes.small_model import write_model

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.preferences import Preferences


def listed_models(window: MainWindow) -> list[str]:
    box = window.settings.model
    return [box.itemText(i) for i in range(box.count())]


def test_an_own_model_can_be_added_restored_and_removed(
    qtbot: QtBot,
    window: MainWindow,
    preferences: Preferences,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_model(tmp_path)
    shipped = listed_models(window)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.actions_by_name["add_model"].trigger()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert window.messages.texts[0] == "own was added to the list of models."
    assert listed_models(window) == [*shipped, "own (own)"]
    assert window.session.settings.model == str(path)
    assert "own · flow" in window.settings.presets.summary.text()
    hint = window.settings.model.itemData(len(shipped), Qt.ItemDataRole.ToolTipRole)
    assert str(path) in hint
    assert "MIT" in hint
    restarted = make_window(preferences._settings, tmp_path / "other", None)
    assert listed_models(restarted) == [*shipped, "own (own)"]
    assert restarted.settings.model.currentText() == "own (own)"
    assert restarted.session.settings.model == str(path)
    restarted.actions_by_name["remove_model"].trigger()
    assert listed_models(restarted) == shipped
    assert restarted.session.settings.model == DEFAULT_MODEL
    assert path.is_file()
    assert preferences.models() == []
    restarted.actions_by_name["remove_model"].trigger()
    assert "is part of Steadymark" in restarted.messages.texts[0]
    assert restarted.close()
    restarted.deleteLater()


def test_a_model_of_mediapipe_can_be_added_and_removed(
    qtbot: QtBot,
    window: MainWindow,
    preferences: Preferences,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "face_landmarker.task"
    path.write_bytes(b"a model")
    shipped = listed_models(window)
    monkeypatch.setattr(own_models, "validate_mediapipe_model", lambda p: mediapipe_card(str(p)))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.actions_by_name["add_model"].trigger()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert window.session.settings.model == f"mediapipe:{path}"
    assert listed_models(window) == [*shipped, "mediapipe-face_landmarker (own)"]
    window.actions_by_name["remove_model"].trigger()
    assert listed_models(window) == shipped
    assert window.session.settings.model == DEFAULT_MODEL
    assert preferences.models() == []


def test_an_unusable_model_is_reported_and_not_listed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    shipped = listed_models(window)
    cards: dict[str, dict[str, Any]] = {
        "says margin 0": {"margin": 0},
        "not an ONNX file": {"model": b"not onnx"},
        "altered or damaged": {"sha256": "0"},
    }
    for why, card in cards.items():
        window.messages.dismiss_all()
        window.options.own_models.add(write_model(tmp_path, **card))
        qtbot.waitUntil(lambda: bool(window.messages.texts))
        assert window.messages.texts[0].startswith("The model was not added: ")
        assert why in window.messages.texts[0]
    assert listed_models(window) == shipped
    assert window.session.settings.model == DEFAULT_MODEL


def test_a_model_with_missing_files_can_be_removed(
    preferences: Preferences, english: None, tmp_path: Path
) -> None:
    preferences.set_models([str(tmp_path / "gone.onnx")])
    window = make_window(preferences._settings, tmp_path / "state", None)
    assert listed_models(window)[-1] == "gone (own)"
    window.settings.model.setCurrentIndex(len(listed_models(window)) - 1)
    window.settings.model.activated.emit(window.settings.model.currentIndex())
    window.actions_by_name["remove_model"].trigger()
    assert "gone (own)" not in listed_models(window)
    assert window.close()
    window.deleteLater()
