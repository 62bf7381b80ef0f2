"""The error views show what `steadymark evaluate` reports."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.gui.errors.face_diagram import scale_end
from steadymark.app.session.export import ExportKind
from support.videos.square_video import square_ground_truth, write_ground_truth
from support.window.window_driver import open_video, shows

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.errors.errors_panel import ErrorsPanel
    from steadymark.app.gui.main_window import MainWindow

FRAMES = 120
WAIT_MS = 20_000


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path) -> ErrorsPanel:
    """Return the panel for a recording whose ground truth is wrong in some frames and landmarks."""
    truth = square_ground_truth(FRAMES)
    truth[40] += 30
    truth[90] += 20
    truth[:, 30] += 5
    write_ground_truth(tmp_path / "a_truth.csv", truth)
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: compared(window), timeout=WAIT_MS)
    window.statistics.truth_tables.more.click()
    qtbot.waitUntil(lambda: window.errors.shown is not None, timeout=WAIT_MS)
    return window.errors


def compared(window: MainWindow) -> bool:
    found = window.session.measures
    return found is not None and found.truth is not None and found.truth.raw.faces == FRAMES


def listed(panel: ErrorsPanel, column: int) -> list[str]:
    model = panel.worst.model
    return [str(model.data(model.index(row, column))) for row in range(model.rowCount())]


def test_the_scores_are_those_of_evaluate(
    qtbot: QtBot, window: MainWindow, panel: ErrorsPanel, clip: str, tmp_path: Path
) -> None:
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS):
        window.files.export(ExportKind.TABLE, tmp_path / "out.csv")
    call = ["evaluate", "--csv", str(tmp_path / "out.csv"), "--data", clip, "--truth"]
    call += [str(tmp_path / "a_truth.csv"), "--json", str(tmp_path / "out.json")]
    result = CliRunner().invoke(cli.app, call)
    assert result.exit_code == 0, result.output
    evaluated = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["models"]["out"]
    assert panel.shown is not None
    errors = panel.shown.pair[1]
    for name in ("faces", "missed", "nrmse", "median", "fr8", "fr10", "auc8", "auc10"):
        assert getattr(errors.scores, name) == pytest.approx(evaluated[name], rel=1e-9), name
    assert np.nanmean(errors.by_landmark) == pytest.approx(evaluated["nrmse"], rel=1e-9)
    nose = list(errors.schema.regions["nose"])
    assert np.mean(errors.by_landmark[nose]) == pytest.approx(evaluated["regions"]["nose"])
    x, y = panel.curves._curves[1].getData()
    assert y[x == 8.0] == pytest.approx(100 * (1 - evaluated["fr8"]))
    assert f"{evaluated['auc8']:.3f}" in panel.curves.scores.text()
    assert "120 frames compared" in panel.title.text()


def test_a_click_on_a_bad_frame_shows_it(
    qtbot: QtBot, window: MainWindow, panel: ErrorsPanel
) -> None:
    frames = listed(panel, 2)
    assert panel.shown is not None
    errors = panel.shown.pair[1].errors
    missed = np.flatnonzero(np.isnan(errors))
    assert int(frames[0]) in missed
    found = [frame for frame in frames if np.isfinite(errors[int(frame)])]
    assert found[:2] == ["40", "90"]
    row = frames.index("90")
    place = panel.worst.table.visualRect(panel.worst.model.index(row, 2)).center()
    QTest.mouseClick(
        panel.worst.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y())
    )
    qtbot.waitUntil(lambda: shows(window, 90))
    window.session.request_measures()
    qtbot.waitUntil(lambda: panel.worst.table.currentIndex().row() == row)


def test_a_landmark_tells_its_number_and_errors(panel: ErrorsPanel) -> None:
    face = panel.face
    assert face.landmark_at(face.position(0, 30)) == (0, 30)
    assert face.landmark_at(face.position(1, 8)) == (1, 8)
    assert panel.shown is not None
    text = face.tooltip(30)
    assert "30 nose tip" in text
    for name, one in zip(panel.shown.names, panel.shown.pair, strict=True):
        assert f"{name}: {one.by_landmark[30]:.2f}" in text
        assert int(np.nanargmax(one.by_landmark)) == 30
    assert "of 30 nose tip" in face.accessibleDescription()


def test_errors_can_be_copied_and_saved(
    qtbot: QtBot,
    window: MainWindow,
    panel: ErrorsPanel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel.copy_button.click()
    text = QGuiApplication.clipboard().text()
    rows = list(csv.DictReader(io.StringIO(text), dialect="excel-tab"))
    assert panel.shown is not None
    shown = panel.shown.pair[1]
    by_frame = [row for row in rows if row["of"] == "frame"]
    assert len(by_frame) == FRAMES
    assert float(by_frame[40]["stabilized"]) == pytest.approx(shown.errors[40], rel=1e-5)
    assert by_frame[40]["time_s"] == "1.600000"
    (nose,) = (row for row in rows if row["name"] == "30 nose tip")
    assert float(nose["stabilized"]) == pytest.approx(shown.by_landmark[30], rel=1e-5)
    for name in ("errors.csv", "errors.png"):
        monkeypatch.setattr(
            QFileDialog, "getSaveFileName", lambda *_, name=name: (str(tmp_path / name), "")
        )
        with qtbot.waitSignal(window.exports.saved, timeout=WAIT_MS) as saved:
            panel.save_button.click()
        assert saved.args[1] == ""
    saved_table = (tmp_path / "errors.csv").read_text(encoding="utf-8")
    assert list(csv.DictReader(io.StringIO(saved_table))) == rows
    assert QImage(str(tmp_path / "errors.png")).width() > 200


def test_without_ground_truth_the_panel_says_what_to_do(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    QTest.keyClick(window, Qt.Key.Key_F9)
    assert window.docks.errors.isVisible()
    assert "Load ground truth" in window.errors.notice.text()
    assert window.errors.notice.isVisible()


@pytest.mark.parametrize(("largest", "end"), [(0.0, 1.0), (2.1, 3.0), (7.5, 7.5), (0.011, 0.015)])
def test_the_colours_end_at_a_round_number(largest: float, end: float) -> None:
    assert scale_end(largest) == pytest.approx(end)
