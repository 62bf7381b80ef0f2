"""A dialog tries and describes a network without a card, asks for its licence, and adds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.files.add_model_dialog import AddModelDialog
from steadymark.models.runtime.zoo import find_model
from support.fakes.foreign_networks import heatmap1d_network, mean_face, network, write_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own models."""
    monkeypatch.setenv("STEADYMARK_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def open_dialog(
    qtbot: QtBot, english: None, own: Path
) -> Iterator[Callable[[Path], AddModelDialog]]:
    """Return a function that opens a dialog and waits until its first trial has ended."""
    dialogs = []

    def open_and_wait(path: Path) -> AddModelDialog:
        dialog = AddModelDialog(path)
        dialogs.append(dialog)
        dialog.show()
        wait_for_trial(qtbot, dialog)
        return dialog

    yield open_and_wait
    for dialog in dialogs:
        dialog.close()
        assert dialog.wait(20)
        dialog.deleteLater()


def wait_for_trial(qtbot: QtBot, dialog: AddModelDialog) -> None:
    qtbot.waitUntil(lambda: dialog.prepared is not None or bool(dialog.fault.text()), timeout=30000)


def test_detected_settings_are_shown_as_defaults_of_the_fields(
    open_dialog: Callable[[Path], AddModelDialog], tmp_path: Path
) -> None:
    dialog = open_dialog(write_network(tmp_path, network(("out", mean_face("ibug68", 1.0)))))
    assert dialog.choices["output"].currentText() == "found: coordinates"
    assert dialog.choices["scale"].currentText() == "found: 0 … 1"
    assert dialog.texts["input-size"].placeholderText() == "found: 32"
    assert dialog.texts["input-size"].text() == ""
    assert "68 landmarks; " in dialog.trial_result.text()
    assert "running it twice" in dialog.trial_result.text()
    assert "⚠ Its landmarks hardly follow the face" in dialog.trial_result.text()
    assert dialog.name.text() == "strange"


def test_a_changed_field_is_tried_again_and_invalid_input_is_reported(
    qtbot: QtBot, open_dialog: Callable[[Path], AddModelDialog], tmp_path: Path
) -> None:
    dialog = open_dialog(write_network(tmp_path, network(("out", mean_face("ibug68", 1.0)))))
    dialog.texts["mean"].setText("1,2")
    assert dialog.prepared is None
    wait_for_trial(qtbot, dialog)
    assert dialog.fault.text() == "mean has 2 numbers: write one, or three (one per channel)"
    assert dialog.trial_result.text() == ""
    dialog.texts["mean"].setText("0.5")
    dialog.choices["scale"].setCurrentIndex(dialog.choices["scale"].findData("unit"))
    qtbot.waitUntil(lambda: dialog.prepared is not None, timeout=30000)
    assert not dialog.fault.isVisible()
    assert dialog.prepared is not None
    assert dialog.prepared.wrapping.mean == (0.5, 0.5, 0.5)


def test_a_model_is_added_only_when_licence_and_data_are_stated(
    qtbot: QtBot, open_dialog: Callable[[Path], AddModelDialog], own: Path, tmp_path: Path
) -> None:
    dialog = open_dialog(write_network(tmp_path, network(("out", mean_face("ibug68", 1.0)))))
    assert not dialog.add_button.isEnabled()
    dialog.licence.setText("MIT")
    assert not dialog.add_button.isEnabled()
    dialog.data.setText("unknown")
    assert dialog.add_button.isEnabled()
    dialog.name.setText("heatmap1d-lite")
    dialog.add_button.click()
    assert "is the name of a shipped model" in dialog.fault.text()
    dialog.name.setText("mine")
    with qtbot.waitSignal(dialog.added):
        dialog.add_button.click()
    card: dict[str, Any] = json.loads((own / "mine.json").read_text("utf-8"))
    assert card["licence"] == "MIT"
    assert card["data"] == "not stated by the person who added it"
    assert not dialog.isVisible()


def test_the_menu_adds_a_network_without_a_card(
    qtbot: QtBot, window: MainWindow, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = heatmap1d_network(tmp_path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.actions_by_name["add_model"].trigger()
    dialog = window.options.own_models.dialog
    assert dialog is not None
    wait_for_trial(qtbot, dialog)
    dialog.name.setText("mine")
    dialog.licence.setText("MIT")
    dialog.data.setText("faces")
    dialog.add_button.click()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert window.messages.texts[0] == "mine was added to the list of models."
    assert window.session.settings.model == str(find_model("mine", "landmarks").path)
    assert window.options.own_models.dialog is None


def test_a_model_of_other_landmarks_is_added_and_chosen(
    qtbot: QtBot, window: MainWindow, own: Path, tmp_path: Path
) -> None:
    window.options.own_models.add_or_describe(heatmap1d_network(tmp_path, "wflw98"))
    dialog = window.options.own_models.dialog
    assert dialog is not None
    wait_for_trial(qtbot, dialog)
    assert "98 landmarks; " in dialog.trial_result.text()
    dialog.licence.setText("MIT")
    dialog.data.setText("faces")
    dialog.add_button.click()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert window.messages.texts[0] == "strange98 was added to the list of models."
    assert window.session.settings.model == str(find_model("strange98", "landmarks").path)
