"""The exports of the review hold the decisions, and the rows of the window's tables."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.gui.files.export_options import ExportOptionsDialog
from steadymark.app.gui.files.table_export_dialog import NATIVE, PARQUET, TableExportDialog
from steadymark.app.session.export import ExportKind
from steadymark.app.session.recording.media import Media
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.review import edits
from steadymark.engine.review.doubtful_stretches import find_doubtful
from steadymark.engine.review.person_track import tracks_of
from steadymark.engine.review.project import Correction
from steadymark.engine.review.project_file import read_project
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


def ask(window: MainWindow, name: str = "export_reviewed") -> TableExportDialog:
    """Open the dialog of tables by a command."""
    window.actions_by_name[name].trigger()
    (dialog,) = (d for d in window.findChildren(TableExportDialog) if d.isVisible())
    return dialog


def export_table(
    qtbot: QtBot, window: MainWindow, command: str = "export_reviewed", **choices: bool | str
) -> Path:
    """Export a table with these choices."""
    dialog = ask(window, command)
    for name, value in choices.items():
        box = getattr(dialog, name)
        if name in ("only_loop", "review"):
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
    table = export_table(qtbot, window, review=False)
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
    plain = read_landmarks(export_table(qtbot, window, "export_table_native", review=False))
    path = export_table(qtbot, window, review=True)
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


@pytest.fixture
def corrected(reviewed: MainWindow) -> MainWindow:
    """Return a window whose project also has a correction and a name."""

    def correct(project: Project) -> Project:
        moved = edits.correct(project, Correction(0, 22, 22 / 25, ((30, 101.25, 97.5),), 0.3))
        return edits.name_person(moved, 0, "Ada")

    reviewed.session.review.edit(UserText("correct"), correct)
    return reviewed


def test_a_reviewed_table_has_the_bytes_of_the_command_line(
    qtbot: QtBot, corrected: MainWindow, tmp_path: Path
) -> None:
    window = corrected
    plain = export_table(qtbot, window, review=False)
    reviewed_here = {
        wide: export_table(qtbot, window, review=True, rows=wide).rename(tmp_path / f"{wide}.csv")
        for wide in (False, True)
    }
    statistics = export(qtbot, window, "export_statistics")
    window.session.close_source()
    for wide, path in reviewed_here.items():
        out, figures = tmp_path / "cli.csv", tmp_path / "cli_statistics.csv"
        asked = ["--out", str(out), "--statistics", str(figures), "--overwrite"]
        result = CliRunner().invoke(
            cli.app, ["export", str(plain), *asked, *(["--wide"] if wide else [])]
        )
        assert result.exit_code == 0, result.output
        assert out.read_bytes() == path.read_bytes()
        assert b"101.250" in path.read_bytes()
        assert figures.read_bytes() == statistics.read_bytes()


def test_a_table_without_a_review_is_exported_without_a_question(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (a[2], ""))
    open_video(qtbot, window, clip)
    path = export(qtbot, window, "export_table_native")
    assert path.name == "a.csv"
    window.session.recording.set_loop((20, 65))
    dialog = ask(window, "export_table_native")
    assert dialog.only_loop.isEnabled()
    dialog.review.setChecked(False)
    dialog.only_loop.setChecked(True)
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        dialog.accept()
    part = read_landmarks(ended.args[0].path)
    assert (int(part.frame.min()), int(part.frame.max())) == (20, 65)


def test_a_format_without_columns_of_the_review_leaves_excluded_faces_out(
    qtbot: QtBot, corrected: MainWindow
) -> None:
    window = corrected
    dialog = ask(window, "export_table_openface")
    assert not dialog.rows.isEnabled()
    assert not dialog.excluded.isEnabled()
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        dialog.accept()
    table = read_landmarks(ended.args[0].path)
    seen = table.frame[table.state != "lost"]
    assert set(seen.tolist()) & {12, 13, 14} == set()
    assert table.xy_px[table.frame == 22][0, 30].tolist() == pytest.approx([101.2, 97.5], abs=0.06)


def test_a_video_shows_the_review_and_only_the_loop(
    qtbot: QtBot, corrected: MainWindow, tmp_path: Path
) -> None:
    window, path = corrected, tmp_path / "part.mp4"
    window.session.recording.set_loop((8, 45))
    window.actions_by_name["export_video"].trigger()
    (dialog,) = (d for d in window.findChildren(ExportOptionsDialog) if d.isVisible())
    assert dialog.review.isChecked()
    dialog.only_loop.setChecked(True)
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        dialog.accept()
    report = ended.args[0]
    assert report.fault == ""
    assert not report.partial
    assert report.request.project is window.session.review.project
    path = Path(report.path)
    media = Media(str(path))
    assert len(media.times_s) == 38
    media.close()


def test_exported_tables_are_listed_in_the_project_and_undo_keeps_them(
    qtbot: QtBot, corrected: MainWindow, tmp_path: Path
) -> None:
    window, review = corrected, corrected.session.review
    (tmp_path / "tables").mkdir()
    for name, kind in (("of.csv", "openface"), ("b.csv", NATIVE), ("c.csv", NATIVE)):
        with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS):
            window.files.export(ExportKind.TABLE, tmp_path / "tables" / name, kind)
    export_table(qtbot, window, review=True)
    assert review.project is not None
    assert review.project.tables == ("tables/c.csv", "tables/b.csv", "tables/of.csv")
    review.undo()
    assert review.project.tables[0] == "tables/c.csv"
    assert review.project.corrections == ()
    review.close()
    assert read_project(tmp_path / "a.steadymark").tables[0] == "tables/c.csv"


def test_reviewed_edits_are_there_when_the_exported_table_is_opened_again(
    qtbot: QtBot, corrected: MainWindow, clip: str
) -> None:
    window = corrected
    path = export_table(qtbot, window, review=True)
    before = window.session.review.project
    window.open_path(str(path))
    qtbot.waitUntil(lambda: window.session.display.table == "a_reviewed.csv", timeout=WAIT_MS)
    assert window.session.display.path == clip
    after = window.session.review.project
    assert before is not None
    assert after is not None
    assert after.corrections == before.corrections
    assert after.annotations == before.annotations
    faces = window.session.recording.current.results.faces(22)  # type: ignore[union-attr]
    assert faces is not None
    assert faces[0].stabilized is not None
    assert faces[0].stabilized.xy_px[30].tolist() == [101.25, 97.5]
    again = export_table(qtbot, window, review=True)
    assert again.name == "a_reviewed.csv"
