"""Shortcuts of commands can be listed and changed, and none triggers two commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest

from steadymark.app.gui.actions.shortcuts import Shortcuts
from steadymark.app.gui.actions.shortcuts_dialog import ShortcutsDialog
from steadymark.app.gui.preferences import Preferences
from steadymark.app.session.state import Phase

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


@pytest.fixture
def actions(qtbot: QtBot) -> dict[str, QAction]:
    actions = {}
    for name, keys in (("open", ["Ctrl+O"]), ("play", ["Space", "Media Play"]), ("loop", ["L"])):
        actions[name] = QAction(f"&{name.title()}…")
        actions[name].setShortcuts([QKeySequence(key) for key in keys])
    return actions


def test_shortcuts_can_be_changed_stored_and_reset(
    actions: dict[str, QAction], preferences: Preferences
) -> None:
    keys = Shortcuts(actions, preferences)
    assert keys.set_keys("open", ["F2", "Ctrl+P"]) == ""
    assert actions["open"].toolTip() == "Open (F2)"
    assert not keys.is_default("open")
    assert preferences.shortcuts() == {"open": ["F2", "Ctrl+P"]}
    assert keys.reset("open") == ""
    assert keys.keys("open") == ["Ctrl+O"]
    assert preferences.shortcuts() == {}
    assert keys.set_keys("loop", []) == ""
    assert keys.set_keys("open", ["L"]) == ""
    assert "is already used for 'Open'" in keys.reset("loop")
    keys.reset_all()
    assert [keys.keys(name) for name in keys.names] == [["Ctrl+O"], ["Space", "Media Play"], ["L"]]


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("Media Play", "Media Play is already used for 'Play'"),
        ("Ctrl+O", "Ctrl+O is already used for 'Open'"),
        ("Tab", "needed to move"),
        ("Return", "needed to move"),
        ("Alt+F", "opens the menu 'File'"),
        ("nonsense", "is not a key"),
    ],
)
def test_a_key_that_is_already_used_is_refused_with_a_reason(
    actions: dict[str, QAction], preferences: Preferences, key: str, why: str
) -> None:
    keys = Shortcuts(actions, preferences)
    keys.reserve(["&File", "Recent"])
    assert why in keys.set_keys("loop", ["F3", key])
    assert keys.keys("loop") == ["L"]
    assert preferences.shortcuts() == {}


def test_stored_shortcuts_are_restored_and_win_over_a_new_default(
    actions: dict[str, QAction], preferences: Preferences
) -> None:
    preferences.set_shortcuts({"loop": ["Ctrl+O", "Tab", "nonsense"], "gone": ["F9"]})
    keys = Shortcuts(actions, preferences)
    assert keys.keys("loop") == ["Ctrl+O"]
    assert keys.keys("open") == []
    assert keys.keys("play") == ["Space", "Media Play"]


@pytest.mark.parametrize("text", ["", "[1]", '{"open": 3}', '{"open": [{}]}', "{"])
def test_unreadable_stored_shortcuts_are_ignored(
    actions: dict[str, QAction], tmp_path: Path, text: str
) -> None:
    settings = QSettings(str(tmp_path / "bad.ini"), QSettings.Format.IniFormat)
    settings.setValue("keys", text)
    keys = Shortcuts(actions, Preferences(settings))
    assert keys.keys("loop") == ["L"]


def test_the_dialog_lists_every_command_and_applies_changes_immediately(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.actions_by_name["shortcuts"].trigger()
    (dialog,) = window.findChildren(ShortcutsDialog)
    listed = [row.text(0) for row in dialog.rows()]
    assert len(listed) == len(window.actions_by_name) + len(window.docks.all)
    assert "Settings" in listed
    assert not dialog.use_button.isEnabled()
    dialog.select_command("loop")
    dialog.key_edit.setFocus()
    QTest.keyClick(dialog.key_edit, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert dialog.use_button.isEnabled()
    dialog.use_button.click()
    assert window.actions_by_name["loop"].shortcut().toString() == "Ctrl+J"
    (row,) = [row for row in dialog.rows() if row.isSelected()]
    assert row.text(1) == "Ctrl+J"
    assert dialog.reset_button.isEnabled()
    dialog.key_edit.setKeySequence(QKeySequence("Ctrl+O"))
    dialog.add_button.click()
    assert "'Open video'" in dialog.fault_label.text()
    dialog.key_edit.setKeySequence(QKeySequence("Alt+F"))
    dialog.use_button.click()
    assert "menu 'File'" in dialog.fault_label.text()
    dialog.reset_button.click()
    assert window.actions_by_name["loop"].shortcut().toString() == "L"
    dialog.no_key_button.click()
    assert window.actions_by_name["loop"].shortcuts() == []
    dialog.search.setText("ctrl+o")
    assert [row.text(0) for row in dialog.rows() if not row.isHidden()] == ["Open video"]
    dialog.reset_all_button.click()
    assert window.actions_by_name["loop"].shortcut().toString() == "L"
    dialog.reject()
    qtbot.waitUntil(lambda: not window.findChildren(ShortcutsDialog))


def test_every_shortcut_triggers_only_its_own_command(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    window.session.recording.pause()
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    actions = {**window.actions_by_name}
    actions |= {dock.objectName(): dock.toggleViewAction() for dock in window.docks.all}
    triggered: list[str] = []
    for name, action in actions.items():
        action.triggered.disconnect()  # what it does is tested elsewhere
        action.triggered.connect(lambda _=False, name=name: triggered.append(name))
        action.setEnabled(True)
    window.view.setFocus()
    for name, action in actions.items():
        assert action.shortcuts(), name
        for key in action.shortcuts():
            triggered.clear()
            QTest.keySequence(window, key)
            assert triggered == [name], key.toString()


def test_every_command_is_in_a_menu(window: MainWindow) -> None:
    def actions_in(menu: object) -> set[QAction]:
        found: set[QAction] = set()
        for action in menu.actions():  # type: ignore[attr-defined]
            found |= {action} if action.menu() is None else actions_in(action.menu())
        return found

    in_menus = actions_in(window.menuBar())
    docks = [dock.toggleViewAction() for dock in window.docks.all]
    assert [a.text() for a in (*window.actions_by_name.values(), *docks) if a not in in_menus] == []
