"""The language changes while the window is open, and nothing else does."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QAction
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDockWidget,
    QDoubleSpinBox,
    QMenu,
    QTabBar,
    QToolBar,
    QWidget,
)

from steadymark.app.gui.i18n.language import LANGUAGES, apply_language
from steadymark.app.session.analysis.variants import RAW, Variant
from steadymark.app.session.export import ExportKind
from steadymark.app.session.state import ComparisonLayout, Phase, ShownLandmarks
from support.window.live_window_driver import start_live_view, use_camera, wait_for_frames
from support.window.window_driver import key, open_video, shows
from support.window.window_texts import Brackets, untranslated, window_texts

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def choose_language(qtbot: QtBot, window: MainWindow, name: str) -> None:
    """Choose a language in the menu, as a user would."""
    old = window.actions_by_name
    action = next(a for a in window.options.language_menu.actions() if a.text() == name)
    action.trigger()
    qtbot.waitUntil(lambda: window.actions_by_name is not old)


def test_changing_the_language_keeps_the_state_of_the_window(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    session, results = window.session, window.session.results
    assert results is not None
    session.recording.seek(40)
    qtbot.waitUntil(lambda: shows(window, 40))
    session.set_shown_landmarks(ShownLandmarks.BOTH)
    session.set_layout(ComparisonLayout.SIDE)
    session.analysis.compare((RAW, Variant("butterworth")))
    session.select(landmark=8)
    window.plots.show_plots("y", "head_pose")
    window.docks.plots.setVisible(False)
    window.docks.settings.raise_()
    qtbot.waitUntil(lambda: not window.docks.settings.visibleRegion().isEmpty())
    window.view.zoom(3)
    scale = window.view.viewport().scale
    window.files.show_queue([clip])
    many = window.exports.queue_window
    assert many is not None
    window.messages.show_message("as it was said")
    rows, version = results.rows().raw.copy(), results.version
    choose_language(qtbot, window, "Deutsch")
    assert window.preferences.language() == "de"
    assert window.actions_by_name["open"].text() == "Video &öffnen …"
    assert window.menuBar().actions()[0].text() == "&Datei"
    assert many.windowTitle() == "Viele Videos verfolgen und exportieren"
    assert many.pending == [clip]
    assert window.messages.texts == ["as it was said"]
    assert session.results is results
    assert (results.rows().raw == rows)[0].all()
    assert results.version == version
    assert session.display.frame == 40
    assert shows(window, 40)
    assert window.view.isVisible()
    assert window.pages.currentWidget() is window.view
    assert window.view.viewport().scale == scale
    assert window.playback_bar.frame.text() == "40"
    qtbot.waitUntil(lambda: window.statistics.landmark.currentData() == 8)
    assert window.statistics.variants[1].currentData() == Variant("butterworth")
    assert window.plots.shown_plots == ("y", "head_pose")
    assert not window.docks.plots.isVisible()
    assert not window.docks.plots.toggleViewAction().isChecked()
    qtbot.waitUntil(lambda: not window.docks.settings.visibleRegion().isEmpty())
    assert window.actions_by_name["layout_side"].isChecked()
    assert window.windowTitle().startswith("a.mp4")
    many.close()
    with qtbot.waitActive(window):
        window.activateWindow()
    key(window, "step_on")
    qtbot.waitUntil(lambda: shows(window, 41))
    qtbot.waitUntil(lambda: window.playback_bar.frame.text() == "41")


def test_changing_the_language_deletes_the_old_widgets(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)

    def counts() -> list[int]:
        QApplication.processEvents()
        gc.collect()
        kinds = (QWidget, QAction, QMenu, QDockWidget, QToolBar)
        return [len(window.findChildren(kind)) for kind in kinds]

    choose_language(qtbot, window, "Deutsch")
    before = counts()
    for name in ("简体中文", "English", "Deutsch"):
        choose_language(qtbot, window, name)
    assert counts() == before
    assert len(window.findChildren(QDockWidget)) == 7


def test_changing_the_language_translates_every_text(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.measures is not None)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    window.files.show_queue([clip])
    many, old, translator = window.exports.queue_window, window.actions_by_name, Brackets()
    assert many is not None
    application.installTranslator(translator)
    try:
        qtbot.waitUntil(lambda: window.actions_by_name is not old)
        licences = {
            window.settings.model.itemData(i, 3) for i in range(window.settings.model.count())
        }
        untranslatable = {clip, str(many.folder.text()), *LANGUAGES.values(), *licences}
        texts = [(what, text) for what, text in window_texts(window) if text not in untranslatable]
        assert sum("⟦" in text for _, text in texts) > 200
        own_texts = [t for t in texts if not isinstance(t[0].parent(), QTabBar)]
        assert [t for t in own_texts if untranslated(t[1])] == []
    finally:
        application.removeTranslator(translator)
        many.close()


def test_tracking_and_exports_continue_when_the_language_changes(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    choose_language(qtbot, window, "Deutsch")
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    window.files.export(ExportKind.VIDEO, tmp_path / "out.mp4")
    choose_language(qtbot, window, "English")
    qtbot.waitUntil(lambda: any("out.mp4" in text for text in window.messages.texts), timeout=20000)
    assert (tmp_path / "out.mp4").stat().st_size > 0
    assert window.exports.running == 0


def test_a_camera_and_its_recording_continue_when_the_language_changes(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, window)
    key(window, "record")
    wait_for_frames(qtbot, window)
    choose_language(qtbot, window, "Deutsch")
    wait_for_frames(qtbot, window)
    assert window.live_bar.isVisible()
    assert window.actions_by_name["record"].isChecked()
    assert device.released == 0
    key(window, "record")
    qtbot.waitUntil(lambda: any("gespeichert" in text for text in window.messages.texts))
    assert len(list((tmp_path / "recordings").glob("*.mp4"))) == 1


@pytest.mark.parametrize("name", ["Deutsch", "简体中文"])
def test_an_empty_window_changes_its_language(qtbot: QtBot, window: MainWindow, name: str) -> None:
    choose_language(qtbot, window, name)
    assert window.pages.currentWidget() is window.start_page
    assert window.start_page.isVisible()
    assert not any(dock.isVisible() for dock in window.docks.all)
    checked = [a.text() for a in window.options.language_menu.actions() if a.isChecked()]
    assert checked == [name]


def test_numbers_in_fields_use_the_decimal_mark_of_the_language(
    qtbot: QtBot, window: MainWindow
) -> None:
    def decimal_marks() -> set[str]:
        fields = window.settings.findChildren(QDoubleSpinBox)
        return {mark for field in fields for mark in ",." if mark in field.text()}

    assert decimal_marks() == {"."}
    choose_language(qtbot, window, "Deutsch")
    assert decimal_marks() == {","}


@pytest.mark.parametrize("name", ["shortcuts", "about", "open_camera"])
def test_open_dialogs_close_when_the_language_changes(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, name: str
) -> None:
    use_camera(window, device)
    window.actions_by_name[name].trigger()
    dialogs = [d for d in window.findChildren(QDialog) if d.isVisible()]
    assert len(dialogs) == 1
    finished_signals = QSignalSpy(dialogs[0].finished)
    choose_language(qtbot, window, "Deutsch")
    assert finished_signals.count() == 1
    assert not [d for d in window.findChildren(QDialog) if d.isVisible()]


def test_a_closed_window_does_not_change_its_language(window: MainWindow) -> None:
    actions, application = window.actions_by_name, QApplication.instance()
    assert isinstance(application, QApplication)
    assert window.close()
    apply_language(application, "de")
    QApplication.processEvents()
    assert window.actions_by_name is actions
