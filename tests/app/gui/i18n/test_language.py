"""All texts of the window are translated, and the user can choose the language."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QLocale
from PySide6.QtWidgets import QApplication, QMenu

from steadymark.app.gui.application import make_window
from steadymark.app.gui.i18n import language
from steadymark.app.gui.i18n.language import LANGUAGES, apply_language
from steadymark.app.session.live.latency import Latency, LiveFigures
from steadymark.app.session.state import LiveState, Phase
from steadymark.engine.output.live_recorder import RecorderReport
from support.window.window_texts import untranslated, window_texts

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.preferences import Preferences


@pytest.mark.usefixtures("brackets")
def test_every_text_of_the_window_is_translated(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    qtbot.waitUntil(lambda: window.session.measures is not None)
    untranslatable = (clip, *LANGUAGES.values())
    texts = [(what, text) for what, text in window_texts(window) if text not in untranslatable]
    assert sum("⟦" in text for _, text in texts) > 200
    licences = {window.settings.model.itemData(i, 3) for i in range(window.settings.model.count())}
    assert [t for t in texts if untranslated(t[1]) and t[1] not in licences] == []
    window.plots.show_plots(*window.plots._check_boxes)
    for plot in window.plots._plots.values():
        for side in ("left", "bottom"):
            assert not untranslated(plot.getAxis(side).labelText)


@pytest.mark.parametrize("language", ["de", "zh_CN"])
def test_the_window_uses_the_chosen_language(
    preferences: Preferences, tmp_path: Path, language: str, english: None
) -> None:
    preferences.set_language(language)
    window = make_window(preferences._settings, tmp_path / "state", None)
    texts = {action.text() for action in window.actions_by_name.values()}
    assert ("Video &öffnen …" in texts) == (language == "de")
    assert ("打开视频(&O)…" in texts) == (language == "zh_CN")
    for menu in window.menuBar().findChildren(QMenu):
        letters = [m.lower() for a in menu.actions() for m in re.findall(r"&(\w)", a.text())]
        assert len(letters) == len(set(letters)), (menu.title(), letters)
    assert QLocale().language() == QLocale(language).language()
    cancel = QCoreApplication.translate("QPlatformTheme", "Cancel")
    assert cancel in ("Abbrechen", "取消")
    assert window.close()
    window.deleteLater()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_window_fits_a_small_screen(
    qtbot: QtBot, preferences: Preferences, tmp_path: Path, clip: str, language: str, english: None
) -> None:
    preferences.set_language(language)
    window = make_window(preferences._settings, tmp_path / "state", None)
    window.show()
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    for dock in (window.docks.settings, window.docks.statistics):
        dock.raise_()
        window.resize(900, 600)
        qtbot.waitUntil(lambda: window.width() == 900)
        content = dock.widget()
        assert content.width() >= content.minimumSizeHint().width()
    assert window.minimumSizeHint().width() <= 900
    figures = LiveFigures(Latency(120, 210, 29.8), 30.0, 123, RecorderReport())
    for recording in ("name", ""):
        live = LiveState(recording=recording)
        live_display = replace(window.session.display, live=live, playing=bool(recording))
        window.live_bar.set_display(replace(live_display, phase=Phase.LIVE))
        window.playback_bar.hide()
        window.live_bar.set_figures(figures)
        window.live_bar.recording.setText("● 1:12:02" if recording else "")
        QCoreApplication.sendPostedEvents()
        assert window.live_bar.minimumSizeHint().width() > 300
        assert window.minimumSizeHint().width() <= 900
    assert window.close()
    window.deleteLater()


def test_an_unknown_language_falls_back_to_that_of_the_system(english: None) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_language(application, "tlh")
    assert QLocale().language() == QLocale.system().language()


def test_english_plurals_are_used_when_the_system_language_is_not_translated(
    english: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class French(QLocale):
        @staticmethod
        def system() -> QLocale:
            return QLocale("fr")

    monkeypatch.setattr(language, "QLocale", French)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_language(application)
    counted = [QCoreApplication.translate("PresetBar", "%n face(s)", "", n) for n in (1, 2)]
    assert counted == ["1 face", "2 faces"]


def test_menu_mnemonics_are_unique_in_english(window: MainWindow) -> None:
    for menu in [window.menuBar(), *window.menuBar().findChildren(QMenu)]:
        letters = [m.lower() for a in menu.actions() for m in re.findall(r"&(\w)", a.text())]
        assert len(letters) == len(set(letters)), letters
