"""The manual, the glossary, how to cite, and the recent recordings of the start page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

import steadymark as sm
from steadymark.app.gui.help.citation import CitationDialog
from steadymark.app.gui.help.manual import PAGES, ManualWindow, docs_root, slug
from steadymark.app.gui.start_page import StartPage, is_there
from steadymark.engine.core.citation import as_bibtex, citation_fields, citation_file
from steadymark.models.runtime.zoo import weights_folder
from support.window.window_driver import key

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

ROOT = Path(__file__).resolve().parents[3]


def manual(window: MainWindow, command: str) -> ManualWindow:
    window.actions_by_name[command].trigger()
    (found,) = window.findChildren(ManualWindow)
    return found


def test_the_manual_shows_the_guide_and_follows_its_links(window: MainWindow) -> None:
    opened = manual(window, "manual")
    text = opened.browser.toPlainText()
    assert "steadymark track" in text
    assert "##" not in text  # The Markdown is rendered.
    assert opened.pages.currentItem().text() == "Guide"
    assert opened.browser.textCursor().block().text() == "The window"
    opened.browser.setSource(QUrl.fromLocalFile(str(docs_root() / "own-models.md")))
    assert opened.pages.currentItem().text() != "Guide"
    opened.close()


def test_the_manual_says_that_it_is_in_english_only_in_other_languages(
    window: MainWindow,
) -> None:
    before = QLocale()
    try:
        for language, noted in ((QLocale.Language.English, False), (QLocale.Language.German, True)):
            QLocale.setDefault(QLocale(language))
            opened = manual(window, "manual")
            assert opened.language_note.isVisibleTo(opened) is noted
            if noted:
                opened.show_page("de/index.md")
                assert not opened.language_note.isVisibleTo(opened)
            opened.close()
            opened.deleteLater()
            QApplication.sendPostedEvents(opened, QEvent.Type.DeferredDelete)
    finally:
        QLocale.setDefault(before)


def test_a_link_to_a_heading_scrolls_to_it(qtbot: QtBot, window: MainWindow) -> None:
    opened = manual(window, "manual")
    url = QUrl.fromLocalFile(str(docs_root() / "guide.md"))
    url.setFragment(slug("Send to other programs"))
    opened.browser.setSource(url)
    qtbot.waitUntil(lambda: opened.browser.textCursor().block().text() == "Send to other programs")
    assert opened.browser.verticalScrollBar().value() > 0
    opened.close()


def test_the_manual_can_be_searched(window: MainWindow) -> None:
    opened = manual(window, "glossary")
    opened.search.setText("Allan variance")
    assert opened.find_next()
    assert opened.browser.textCursor().selectedText() == "Allan variance"
    assert opened.find_next()  # begins again
    opened.search.setText("no such words")
    assert not opened.find_next()
    opened.close()


def test_the_glossary_explains_the_terms_of_the_window(window: MainWindow) -> None:
    text = manual(window, "glossary").browser.toPlainText()
    for term in (
        *("Landmark", "Heatmap", "NME", "NRMSE", "FR8", "AUC", "MAV", "MCV", "PTS", "Crop"),
        *("Inter-ocular distance", "Jitter", "Ground truth", "Score", "Lag"),
    ):
        assert f"{term}." in text or f"{term}," in text, term


def test_the_links_of_the_documentation_lead_to_files() -> None:
    import re

    for page in docs_root().rglob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert link.startswith("http") or (page.parent / link).exists(), (page.name, link)


def test_the_manual_has_the_pages_of_the_site_in_the_same_order() -> None:
    import re

    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = re.findall(r": (\S+\.md)$", site, re.MULTILINE)
    left_out = ("decisions/", "de/", "zh/")
    assert tuple(page for page in pages if not page.startswith(left_out)) == PAGES


def test_the_manual_begins_with_the_page_in_the_language_of_the_window(window: MainWindow) -> None:
    before = QLocale()
    try:
        QLocale.setDefault(QLocale(QLocale.Language.German))
        opened = manual(window, "manual")
    finally:
        QLocale.setDefault(before)
    assert opened.pages.item(0).text() == "Erste Schritte"
    opened.pages.setCurrentRow(0)
    assert "Ein Video öffnen" in opened.browser.toPlainText()
    opened.close()


def test_the_manual_shows_the_model_cards_and_the_docstrings(window: MainWindow) -> None:
    opened = manual(window, "manual")
    opened.show_page("models.md")
    text = opened.browser.toPlainText()
    for path in weights_folder().glob("*.json"):
        card = json.loads(path.read_text(encoding="utf-8"))
        assert card["sha256"] in text
        assert card["limits"][0] in text
    opened.show_page("reference.md")
    text = opened.browser.toPlainText()
    assert ":::" not in text
    for name in sm.__all__:
        assert name in text, name
    assert (sm.track_video.__doc__ or "").splitlines()[0] in text
    opened.close()


def test_the_citation_can_be_copied_as_bibtex(window: MainWindow) -> None:
    window.actions_by_name["cite"].trigger()
    (dialog,) = window.findChildren(CitationDialog)
    dialog.copy_buttons[1].click()
    text = QGuiApplication.clipboard().text()
    assert text == as_bibtex(citation_fields(citation_file()))
    assert "author  = {{The Steadymark developers}}" in text
    assert "year    = {2026}" in text
    dialog.copy_buttons[2].click()
    copied = QGuiApplication.clipboard().text()
    assert copied == (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    dialog.reject()
    dialog.deleteLater()


def test_the_citation_has_the_version_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"\nversion: {project['version']}\n" in citation_file()
    assert f'  - name: "{project["authors"][0]["name"]}"\n' in citation_file()


def test_the_start_page_offers_recent_recordings_that_still_exist(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    missing = str(tmp_path / "gone.mp4")
    for path in (missing, clip):
        window.preferences.add_recent(path)
    window.start_page.set_recent(window.preferences.recent())
    buttons = window.start_page.recent
    assert [button.isEnabled() for button in buttons] == [True, False]
    assert "missing" in buttons[1].toolTip()
    buttons[0].click()
    qtbot.waitUntil(lambda: window.view.shown is not None)
    window.session.close_source()
    qtbot.waitUntil(lambda: window.start_page.isVisible())
    assert next(button.toolTip() for button in window.start_page.recent) == clip
    key(window, "dismiss")


def test_the_start_page_shows_at_most_five_recent_recordings(
    window: MainWindow, tmp_path: Path
) -> None:
    page: StartPage = window.start_page
    page.set_recent([str(tmp_path / f"{n}.mp4") for n in range(8)])
    assert len(page.recent) == 5
    page.set_recent([])
    assert page.recent == []


def test_addresses_and_patterns_count_as_present(tmp_path: Path) -> None:
    assert is_there("rtsp://camera/stream")
    assert is_there(str(tmp_path / "*.png"))
    assert not is_there(str(tmp_path / "none" / "*.png"))
    assert not is_there(str(tmp_path / "none.mp4"))
