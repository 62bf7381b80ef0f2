"""The .ts files contain a translation of every text, and the .qm files match them."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTranslator

from steadymark.app.gui.i18n.language import LANGUAGES, translations_folder
from tools.update_translations import TranslationEntry, compile_entries, extract, read_entries

if TYPE_CHECKING:
    from pathlib import Path

HINT = "run 'python -m tools.update_translations' and translate what it lists"


def entries(language: str) -> list[TranslationEntry]:
    return read_entries(translations_folder() / f"steadymark_{language}.ts")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_the_same_placeholders(language: str) -> None:
    wrong = [(e.source, e.problems) for e in entries(language) if e.problems]
    assert wrong == [], HINT


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_ts_files_contain_exactly_the_texts_of_the_sources(
    language: str, tmp_path: Path
) -> None:
    fresh = tmp_path / f"steadymark_{language}.ts"
    extract(fresh)

    def texts(found: list[TranslationEntry]) -> set[tuple[str, str, bool]]:
        return {(e.context, e.source, e.plural) for e in found}

    expected, existing = texts(read_entries(fresh)), texts(entries(language))
    assert expected
    assert expected - existing == set(), HINT
    assert existing - expected == set(), HINT


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_qm_files_match_the_ts_files(language: str, qapp: object) -> None:
    translator = QTranslator()
    assert translator.load(str(translations_folder() / f"steadymark_{language}.qm"))
    for entry in entries(language):
        counts = (1, 2)[: len(entry.words)] if entry.plural else (-1,)
        translations = [translator.translate(entry.context, entry.source, "", n) for n in counts]
        assert translations == list(entry.words), HINT


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_text_has_the_same_translation_everywhere(language: str) -> None:
    found: dict[str, set[str]] = {}
    for entry in entries(language):
        if entry.context != "commands":
            found.setdefault(entry.source.lower(), set()).add("|".join(entry.words).lower())
    assert {source: words for source, words in found.items() if len(words) > 1} == {}


def test_faults_of_a_translation_are_reported() -> None:
    def faults(source: str, *words: str, plural: bool = False, finished: bool = True) -> list[str]:
        return TranslationEntry("c", source, words, plural, finished).problems

    assert faults("Open {name}", "{name} öffnen") == []
    assert faults("%n face(s)", "ein Gesicht", "%n Gesichter", plural=True) == []
    assert faults("Open {name}", "öffnen")
    assert faults("Open {name}", "{file} öffnen")
    assert faults("Open", "")
    assert faults("Open", "Öffnen", finished=False)
    assert faults("%n face(s) of {name}", "ein Gesicht", "%n von {name}", plural=True)
    assert faults("&Open", "&Öffnen") == []
    assert faults("Open", "&Öffnen")


def test_an_update_adds_new_texts_drops_old_ones_and_keeps_translations(tmp_path: Path) -> None:
    path = tmp_path / "steadymark_de.ts"
    shutil.copy(translations_folder() / path.name, path)
    before = Counter(read_entries(path))
    text = path.read_text(encoding="utf-8")
    text = text.replace("Drop a video here, or open a camera", "What nobody says any more")
    path.write_text(text, encoding="utf-8")
    extract(path)
    after = Counter(read_entries(path))
    (new,) = after - before
    assert new.source == "Drop a video here, or open a camera"
    assert new.problems == ["not translated"]
    assert len(list((before - after).elements())) == 1
    assert compile_entries(path).stat().st_size > 1000
