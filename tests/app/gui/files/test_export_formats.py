"""The window exports tables in every registered format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QFileDialog, QMenu

from steadymark.engine.output.table_formats import TABLE_FORMATS
from support.plugged import plugged
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

PLUGIN = Path(__file__).resolve().parents[4] / "examples" / "plugins" / "json_lines.py"


@pytest.fixture
def json_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Load the plug-in; a test lists it before the window, which reads the formats."""
    with plugged(monkeypatch, PLUGIN, TABLE_FORMATS):
        yield


def test_the_window_exports_in_the_format_of_a_plug_in(
    qtbot: QtBot,
    json_lines: None,
    window: MainWindow,
    clip: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def choose(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        asked.append(start)
        return str(tmp_path / "mine"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    open_video(qtbot, window, clip)
    action = window.actions_by_name["export_table_json-lines"]
    assert action.text() == "Export JSON lines…"
    assert action.isEnabled()
    assert any(action in menu.actions() for menu in window.menuBar().findChildren(QMenu))
    action.trigger()
    qtbot.waitUntil(lambda: window.exports.running == 0)
    assert asked == [str(tmp_path / "a.jsonl")]
    lines = [json.loads(line) for line in (tmp_path / "mine.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(len(lines)))
    assert lines[0]["faces"]


def test_the_queue_offers_every_format(json_lines: None, window: MainWindow, qtbot: QtBot) -> None:
    window.files.show_queue()
    assert window.exports.queue_window is not None
    style = window.exports.queue_window.table_format
    assert [style.itemData(row) for row in range(style.count())] == list(TABLE_FORMATS.names())
    assert style.itemText(style.findData("json-lines")) == "JSON lines"
    assert style.itemText(0) == "Steadymark's table (CSV)"
