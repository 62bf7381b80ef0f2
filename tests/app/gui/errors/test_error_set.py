"""Several videos with ground truth are one set, whose figures are those of `evaluate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from typer.testing import CliRunner

from steadymark.app.cli import evaluate_command
from steadymark.app.cli import main as cli
from support.videos.square_video import (
    square_ground_truth,
    square_models,
    square_video,
    write_ground_truth,
)
from support.window.window_driver import key, open_video, shows

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

WAIT_MS = 40_000
FRAMES = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two videos with ground truth and of one without."""
    made = tmp_path / "set"
    made.mkdir()
    for name, shift in (("a", 2.0), ("b", 6.0)):
        square_video(made / f"{name}.mp4", FRAMES)
        truth = square_ground_truth(FRAMES) + shift
        truth[25] += 10 * shift
        write_ground_truth(made / f"{name}_truth.csv", truth)
    square_video(made / "c.mp4", 10)
    return made


@pytest.fixture
def ready(qtbot: QtBot, window: MainWindow, clip: str) -> MainWindow:
    """Return a window that shows the errors of an open video, which has no ground truth."""
    open_video(qtbot, window, clip)
    QTest.keyClick(window, Qt.Key.Key_F9)
    return window


def choose(window: MainWindow, text: str) -> None:
    menu = window.errors.set_button.menu()
    assert menu is not None
    next(a for a in menu.actions() if a.text().replace("&", "").startswith(text)).trigger()


def measured(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.session.error_set.report.running, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.errors.cancel_button.isVisible(), timeout=WAIT_MS)


def test_the_errors_of_a_folder_are_those_of_evaluate(
    qtbot: QtBot, ready: MainWindow, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    choose(ready, "Folder of videos")
    measured(qtbot, ready)
    shown = ready.errors.shown
    assert shown is not None
    assert ready.errors.title.text().startswith("set, 2 videos: 80 frames compared")

    monkeypatch.setattr(evaluate_command, "open_models", square_models)
    report = tmp_path / "scores.json"
    call = ["evaluate", "heatmap1d-lite", "--data", str(folder), "--json", str(report)]
    result = CliRunner().invoke(cli.app, call)
    assert result.exit_code == 0, result.output
    (scores,) = json.loads(report.read_text(encoding="utf-8"))["models"].values()
    for name in ("faces", "missed", "nrmse", "fr8", "auc8", "auc10"):
        assert getattr(shown.pair[1].scores, name) == pytest.approx(scores[name], rel=1e-9), name

    model = ready.errors.worst.model
    assert str(model.data(model.index(0, 0))) in "ab"
    places = [model.place(row) for row in range(model.rowCount())]
    row, chosen = next((i, one) for i, one in enumerate(places) if one and one.name == "b")
    assert chosen.frame is not None
    at = ready.errors.worst.table.visualRect(model.index(row, 0)).center()
    left = Qt.MouseButton.LeftButton
    QTest.mouseClick(ready.errors.worst.table.viewport(), left, pos=QPoint(at.x(), at.y()))
    qtbot.waitUntil(lambda: ready.session.display.path == str(folder / "b.mp4"), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: shows(ready, chosen.frame or 0), timeout=WAIT_MS)
    assert ready.errors.shown is not None
    assert ready.errors.shown.times_s is None
    choose(ready, "This recording")
    qtbot.waitUntil(
        lambda: ready.errors.shown is not None and ready.errors.shown.title == "b_truth.csv",
        timeout=WAIT_MS,
    )


def test_the_finished_videos_of_the_queue_are_a_set(
    qtbot: QtBot, ready: MainWindow, folder: Path
) -> None:
    choose(ready, "Finished videos")
    qtbot.waitUntil(lambda: bool(ready.messages.texts), timeout=WAIT_MS)
    assert "none of the finished videos" in ready.messages.texts[0]
    key(ready, "queue")
    queue = ready.exports.queue_window
    assert queue is not None
    queue.add([str(folder)])
    queue.start_button.click()
    qtbot.waitUntil(lambda: queue.queue.running == 0, timeout=WAIT_MS)
    choose(ready, "Finished videos")
    qtbot.waitUntil(lambda: ready.errors.shown is not None, timeout=WAIT_MS)
    assert ready.errors.title.text().startswith("queue, 2 videos: 80 frames compared")


def test_a_folder_without_ground_truth_is_told_and_a_set_can_be_cancelled(
    qtbot: QtBot, ready: MainWindow, folder: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    ready.errors_controller.measure_folder(empty)
    qtbot.waitUntil(lambda: bool(ready.messages.texts), timeout=WAIT_MS)
    assert "holds no video with ground truth" in ready.messages.texts[0]
    ready.errors_controller.measure_folder(folder)
    assert ready.errors.cancel_button.isVisible()
    ready.errors.cancel_button.click()
    measured(qtbot, ready)
    assert ready.errors.shown is None
    assert ready.errors.notice.isVisible()
