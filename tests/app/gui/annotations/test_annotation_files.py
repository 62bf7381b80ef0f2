"""Annotations are imported from and exported to files in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QFileDialog

from support.window.lane_driver import open_for_annotating, project_of, spans
from support.window.window_driver import key

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


@pytest.fixture
def ready(qtbot: QtBot, window: MainWindow, clip: str) -> MainWindow:
    """Return a window with an open video."""
    open_for_annotating(qtbot, window, clip)
    return window


def answer(monkeypatch: pytest.MonkeyPatch, path: Path, kind: str = "") -> None:
    """Choose a file in the next dialogs."""
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_: (str(path), kind))


@pytest.mark.parametrize(
    ("name", "kind", "written"),
    [
        ("words.eaf", "ELAN (*.eaf)", "words.eaf"),
        ("words", "Table with tabs (*.tsv)", "words.tsv"),
        ("words", "ELAN (*.eaf)", "words.eaf"),
    ],
)
def test_exported_annotations_are_imported_again(
    ready: MainWindow,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    kind: str,
    written: str,
) -> None:
    ready.annotations.annotating.add("exclude", 0.4, 1.2)
    answer(monkeypatch, tmp_path / name, kind)
    key(ready, "export_annotations")
    assert (tmp_path / written).exists()
    assert f"{written} was written." in ready.messages.texts
    key(ready, "undo")
    assert spans(ready) == []
    answer(monkeypatch, tmp_path / written)
    key(ready, "import_annotations")
    assert spans(ready) == [(10, 30)]
    assert f"1 annotation was added from {written}." in ready.messages.texts
    assert ready.actions_by_name["undo"].text() == f"&Undo: import {written}"


def test_annotations_of_persons_without_a_name_here_are_told(
    ready: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(
        "lane\tstart_s\tend_s\tperson\nspeech\t0.4\t1.2\tAda\nspeech\t1\t2\t0\n",
        encoding="utf-8",
    )
    answer(monkeypatch, path)
    key(ready, "import_annotations")
    project = project_of(ready)
    assert [lane.name for lane in project.lanes] == ["exclude", "speech@Ada", "speech"]
    assert [one.person for one in project.annotations] == [None, 0]
    assert any(text.startswith("No person is called Ada") for text in ready.messages.texts)


def test_a_file_that_cannot_be_read_or_written_is_a_message(
    ready: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.eaf"
    bad.write_text("<html/>", encoding="utf-8")
    answer(monkeypatch, bad)
    key(ready, "import_annotations")
    assert "cannot read the annotations in" in ready.messages.texts[0]
    assert project_of(ready).annotations == ()
    ready.messages.dismiss_all()
    ready.annotations.annotating.add("exclude", 0.4, 1.2)
    answer(monkeypatch, tmp_path / "no folder" / "a.eaf")
    key(ready, "export_annotations")
    assert "a.eaf" in ready.messages.texts[0]
    assert not (tmp_path / "no folder").exists()
