"""The dialog that asks what is drawn into an exported video."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.files.export_options import (
    ExportOptionsDialog,
    as_values,
    remembered_options,
)
from steadymark.engine.output.video.drawing import DrawOptions
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.session.export import ExportReport

SHOWN = DrawOptions(points=True, contours=False, box=True, schema="ibug68")


def dialog_of(window: MainWindow, command: str) -> ExportOptionsDialog:
    window.actions_by_name[command].trigger()
    (dialog,) = (d for d in window.findChildren(ExportOptionsDialog) if d.isVisible())
    return dialog


def test_the_answer_is_drawn_and_remembered(
    qtbot: QtBot,
    window: MainWindow,
    clip: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_video(qtbot, window, clip)
    path = tmp_path / "drawn.mp4"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    dialog = dialog_of(window, "export_video")
    assert dialog.boxes["points"].isChecked()
    assert not dialog.boxes["box"].isChecked()
    dialog.boxes["box"].setChecked(True)
    dialog.boxes["status"].setChecked(False)
    dialog.raw.setChecked(True)
    reports: list[ExportReport] = []
    window.exports.ended.connect(reports.append)
    dialog.accept()
    qtbot.waitUntil(lambda: bool(reports), timeout=20000)
    drawn = reports[0].request.draw
    assert (drawn.points, drawn.box, drawn.status, drawn.raw) == (True, True, False, True)
    assert path.is_file()
    again = dialog_of(window, "export_video")
    assert again.boxes["box"].isChecked()
    assert again.raw.isChecked()
    again.as_shown.click()
    assert not again.boxes["box"].isChecked()
    assert again.stabilized.isChecked()
    again.reject()


def test_a_video_of_both_sides_does_not_ask_which_landmarks(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    dialog = dialog_of(window, "export_side")
    assert not dialog.raw.isVisible()
    assert not dialog.options.raw
    dialog.reject()


def test_options_that_were_stored_are_restored_and_bad_values_ignored() -> None:
    options = replace(SHOWN, box=False, raw=True, attributes=("axes",))
    assert remembered_options(as_values(options), SHOWN) == options
    assert remembered_options({"points": "no", "attributes": 3, "other": 1}, SHOWN) == SHOWN
    unknown = remembered_options({"attributes": ["axes", "no such drawing"]}, SHOWN)
    assert unknown.attributes == ("axes",)
