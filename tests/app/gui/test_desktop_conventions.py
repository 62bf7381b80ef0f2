"""Conventions of desktop programs: shortcuts, names, themes, help, and restored state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit

from steadymark.app.gui.actions.actions import action_specs
from steadymark.app.gui.help.about import AboutDialog
from steadymark.app.gui.theme import palette
from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.recording.kept_results import kept_bytes
from steadymark.app.session.session import Session
from steadymark.app.session.state import ComparisonLayout
from support.videos.square_video import square_models
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.preferences import Preferences


def test_every_command_has_a_text_and_a_unique_shortcut(window: MainWindow) -> None:
    keys = [k for c in action_specs() for k in c.keys]
    keys += [d.toggleViewAction().shortcut().toString() for d in window.docks.all]
    assert len(keys) == len(set(keys))
    for command in action_specs():
        action = window.actions_by_name[command.name]
        assert action.text()
        assert action.shortcuts()


def test_every_button_and_field_has_an_accessible_name(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    for kind in (QAbstractButton, QLineEdit):
        for widget in window.findChildren(kind):
            named = widget.accessibleName() or widget.toolTip() or getattr(widget, "text", str)()
            parent = widget.parentWidget()
            inner = widget.objectName().startswith("qt_") or (
                parent is not None and parent.accessibleName() != ""
            )
            assert named or inner, widget


def test_the_theme_changes_to_dark_while_a_video_is_open(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    light = window.grab().toImage().pixelColor(4, 4).lightness()
    application.setPalette(palette(dark=True))
    qtbot.waitUntil(lambda: window.palette().window().color().lightness() < 128)
    assert window.grab().toImage().pixelColor(4, 4).lightness() < light


def test_diagnostics_are_copied_to_the_clipboard(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    window.actions_by_name["diagnostics"].trigger()
    text = QGuiApplication.clipboard().text()
    for word in ("Steadymark", "Python", "Qt 6", "a.mp4", "100 % processed"):
        assert word in text


def test_the_about_dialog_opens(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_by_name["about"].trigger()
    (dialog,) = window.findChildren(AboutDialog)
    assert dialog.isVisible()
    dialog.reject()
    dialog.deleteLater()


def test_the_window_restores_its_docks_and_overlays_after_a_restart(
    qtbot: QtBot, window: MainWindow, clip: str, preferences: Preferences, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    window.docks.plots.hide()
    window.plots.show_plots("score", "y")
    window.session.set_layout(ComparisonLayout.SIDE)
    shown = replace(window.session.display.overlay, boxes=True, drawings=("axes",))
    window.session.set_overlay(shown)
    assert window.close()
    session = Session(
        preferences.tracking(), state_root=tmp_path / "other", models=ModelCache(square_models)
    )
    restarted = type(window)(session, preferences)
    restarted.show()
    assert restarted.session.display.overlay == shown
    assert set(restarted.plots.shown_plots) == {"score", "y"}
    assert restarted.session.display.layout is ComparisonLayout.SIDE
    open_video(qtbot, restarted, clip)
    assert not restarted.docks.plots.isVisible()
    assert restarted.docks.statistics.isVisible() or restarted.docks.settings.isVisible()
    assert restarted.preferences.recent() == [clip]
    assert restarted.close()
    restarted.deleteLater()


def test_the_window_tells_where_finished_tracking_is_kept_and_deletes_it_on_request(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    assert window.status.phase.text().startswith("All frames processed, ")
    window.session.close_source()
    open_video(qtbot, window, clip)
    window._refresh_now()
    assert window.status.phase.text().startswith("All frames processed on ")
    assert "Track again" in window.status.phase.toolTip()
    window.session.close_source()
    qtbot.waitUntil(lambda: kept_bytes(tmp_path / "state") > 0)
    window.actions_by_name["about"].trigger()
    (dialog,) = window.findChildren(AboutDialog)
    assert str(tmp_path / "state") in dialog.kept.text()
    dialog.forget.click()
    assert kept_bytes(tmp_path / "state") == 0
    assert not dialog.forget.isEnabled()
    dialog.reject()
