"""The exports of the review hold the decisions, and the rows of the window's tables."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.review.reviewed_export_dialog import PARQUET, ReviewedExportDialog
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.review import edits
from steadymark.engine.review.doubtful_stretches import find_doubtful
from steadymark.engine.review.person_track import tracks_of
from steadymark.models.user_text import UserText
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.engine.review.project import Project

WAIT_MS = 20_000


@pytest.fixture
def reviewed(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    """Return a window with one accepted and one excluded stretch; exports have suggested names."""

    def suggested(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        return start, ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", suggested)
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.doubts.complete, timeout=WAIT_MS)
    key(window, "next_doubt")
    key(window, "accept_doubt")
    key(window, "exclude_doubt")
    return window


def export(qtbot: QtBot, window: MainWindow, name: str) -> Path:
    """Export by a command and return the file."""
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        window.actions_by_name[name].trigger()
    assert ended.args[0].fault == ""
    return Path(ended.args[0].path)


def ask(window: MainWindow) -> ReviewedExportDialog:
    """Open the dialog of the reviewed table."""
    window.actions_by_name["export_reviewed"].trigger()
    (dialog,) = (d for d in window.findChildren(ReviewedExportDialog) if d.isVisible())
    return dialog


def export_table(qtbot: QtBot, window: MainWindow, **choices: int | bool | str) -> Path:
    """Export the reviewed table with these choices."""
    dialog = ask(window)
    for name, value in choices.items():
        box = getattr(dialog, name)
        if name == "only_loop":
            box.setChecked(bool(value))
        else:
            box.setCurrentIndex(box.findData(value))
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        dialog.accept()
    assert ended.args[0].fault == ""
    return Path(ended.args[0].path)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_stretches_are_those_of_the_exported_table(qtbot: QtBot, reviewed: MainWindow) -> None:
    window = reviewed
    table = export(qtbot, window, "export_table_native")
    found = find_doubtful(list(tracks_of(read_landmarks(table))))
    mine = window.session.doubts.stretches
    assert [(s.face_id, s.first, s.last) for s in mine] == [
        (s.face_id, s.first, s.last) for s in found
    ]
    for one, other in zip(mine, found, strict=True):
        assert [d.kind for d in one.doubts] == [d.kind for d in other.doubts]
        assert [d.worst for d in one.doubts] == pytest.approx(
            [d.worst for d in other.doubts], abs=0.01
        )
    path = export(qtbot, window, "export_stretches")
    assert path.name == "a_doubts.csv"
    rows = read(path)
    assert [(row["first_frame"], row["status"]) for row in rows] == [
        ("30", "accepted"),
        ("12", "excluded"),
        ("55", "open"),
    ]
    assert {row["file"] for row in rows} == {"a.mp4"}


def test_a_reviewed_table_marks_excluded_rows_or_leaves_them_out(
    qtbot: QtBot, reviewed: MainWindow
) -> None:
    window = reviewed
    plain = read_landmarks(export(qtbot, window, "export_table_native"))
    path = export_table(qtbot, window)
    assert path.name == "a_reviewed.csv"
    marked = read_landmarks(path)
    np.testing.assert_array_equal(marked.xy_px, plain.xy_px)
    assert [r["frame"] for r in read(path) if r["excluded"] == "1"] == ["12", "13", "14"]
    window.session.recording.set_loop((20, 65))
    wide = read(export_table(qtbot, window, rows=True, excluded=True, only_loop=True))
    assert [int(row["frame"]) for row in wide] == list(range(20, 66))
    assert "0_face_id" in wide[0]
    dialog = ask(window)
    assert dialog.rows.currentData() is True
    assert not dialog.only_loop.isChecked()
    dialog.reject()


def test_a_missing_library_for_parquet_is_told(
    qtbot: QtBot, reviewed: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    dialog = ask(reviewed)
    dialog.format.setCurrentIndex(dialog.format.findData(PARQUET))
    with qtbot.waitSignal(reviewed.exports.ended, timeout=WAIT_MS) as ended:
        dialog.accept()
    assert ended.args[0].request.path.name == "a_reviewed.parquet"
    assert "Parquet needs pyarrow" in reviewed.messages.texts[0]


def test_statistics_leave_excluded_frames_out(qtbot: QtBot, reviewed: MainWindow) -> None:
    window = reviewed

    def annotated(project: Project) -> Project:
        lane = edits.add_lane(project, "speech")
        return edits.annotate(lane, "speech", 0.0, 1.0, label="hello")

    window.session.review.edit(UserText("annotate"), annotated)
    rows = read(export(qtbot, window, "export_statistics"))
    assert [(row["lane"], row["label"], row["person"]) for row in rows] == [
        ("whole video", "", "0"),
        ("speech", "hello", "0"),
    ]
    assert [row["frames"] for row in rows] == ["67", "23"]


def test_an_export_that_is_not_possible_is_told(
    qtbot: QtBot, reviewed: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = reviewed
    window.session.review.edit(UserText("exclude"), lambda p: edits.exclude(p, 0.0, 100.0))
    dialog = ask(window)
    dialog.excluded.setCurrentIndex(1)
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS):
        dialog.accept()
    assert window.messages.texts[0].startswith("nothing is left to export")
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_: ("/no/such/folder/doubts.csv", "")
    )
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS):
        window.actions_by_name["export_stretches"].trigger()
    assert "/no/such/folder/doubts.csv" in window.messages.texts[0]
