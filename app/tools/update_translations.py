"""`python -m tools.update_translations` updates the translations from the sources.

The translated texts are the window's own texts, and the sentences of the engine and the session
that the window can show.

The tool writes new texts into assets/translations/steadymark_LANGUAGE.ts, removes those that are no
longer used, compiles the .qm files, and lists the texts that are not translated yet. Translate them
in the .ts files with any editor or Qt Linguist, and run the tool again. The English file contains
only plural forms.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.gui.i18n.language import LANGUAGES, translations_folder
from steadymark.app.gui.i18n.translate import CONTEXT
from tools.translatable_templates import templates

_SOURCES = Path(__file__).resolve().parents[1] / "steadymark" / "app"
_PLACEHOLDER = re.compile(r"\{\w*(?:!\w)?(?::[^{}]*)?\}|%n")


@dataclass(frozen=True, slots=True)
class TranslationEntry:
    """One text of a .ts file; words has one translation, or one for each plural form."""

    context: str
    source: str
    words: tuple[str, ...]
    plural: bool
    finished: bool

    @property
    def problems(self) -> list[str]:
        """Return what is wrong with the translation."""
        if not self.finished or not all(self.words):
            return ["not translated"]
        found = []
        placeholders = set(_PLACEHOLDER.findall(self.source))
        for words in self.words:
            translated = set(_PLACEHOLDER.findall(words))
            # "one face" needs no number.
            if translated | {"%n"} != placeholders | {"%n"} or (
                translated ^ placeholders and not self.plural
            ):
                found.append(f"the places differ in '{words}'")
            if words.count("&") and not self.source.count("&"):
                found.append(f"'{words}' underlines a letter, the English does not")
        return found


def read_entries(path: Path) -> list[TranslationEntry]:
    """Read the entries of a .ts file."""
    entries = []
    for context in ET.parse(path).getroot().iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            plural = message.get("numerus") == "yes"
            translation = message.find("translation")
            assert translation is not None
            forms = [f.text or "" for f in translation.iter("numerusform")]
            words = tuple(forms) if plural else (translation.text or "",)
            entries.append(
                TranslationEntry(
                    name,
                    message.findtext("source", ""),
                    words,
                    plural,
                    translation.get("type") is None,
                )
            )
    return entries


def extract(path: Path) -> None:
    """Update a .ts file from the sources, and keep the existing translations.

    Raises:
        RuntimeError: Qt's tool is not installed or fails.
    """
    sources = sorted(str(p) for p in _SOURCES.rglob("*.py"))
    english = ["-pluralonly"] if path.stem.endswith("_en") else []
    with tempfile.TemporaryDirectory() as folder:
        # lupdate does not know the error classes, so it gets calls of translate
        calls_file = Path(folder) / "sentences.py"
        calls_file.write_text("".join(map(_as_call, templates())), encoding="utf-8")
        options = ("-locations", "none", "-no-obsolete", *english)
        _run("lupdate", *sources, str(calls_file), *options, "-ts", str(path))


def _as_call(template: str) -> str:
    return f"translate({json.dumps(CONTEXT)}, {json.dumps(template, ensure_ascii=False)})\n"


def compile_entries(path: Path) -> Path:
    """Write the .qm file beside a .ts file.

    Raises:
        RuntimeError: Qt's tool is not installed or fails.
    """
    compiled = path.with_suffix(".qm")
    _run("lrelease", "-silent", str(path), "-qm", str(compiled))
    return compiled


def _run(tool: str, *arguments: str) -> None:
    name = f"pyside6-{tool}"
    program = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if program is None:
        raise RuntimeError(f"{name} is not here: install PySide6-Essentials")
    run = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"{name} failed: {run.stdout}{run.stderr}")


def main(
    folder: Annotated[
        Path | None, typer.Argument(help="Of the .ts files; else the checkout's.")
    ] = None,
) -> None:
    """Update, compile, and list what is to be translated; exit code 1 if there is something."""
    missing = 0
    for language in LANGUAGES:
        path = (folder or translations_folder()) / f"steadymark_{language}.ts"
        extract(path)
        compile_entries(path)
        entries = read_entries(path)
        for entry in entries:
            for problem in entry.problems:
                missing += 1
                typer.echo(f"{path.name}: {entry.context}: '{entry.source}': {problem}")
        typer.echo(f"{path.name}: {len(entries)} texts")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    typer.run(main)
