"""Ground truth of a recording: finding, loading, dropping, drawing and scores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.session.export import ExportKind
from support.videos.square_video import (
    square_ground_truth,
    square_video,
    write_ground_truth,
    write_pts,
)
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.session.analysis.face_measures import TruthMeasures

FRAMES = 120


def drop(window: MainWindow, *paths: str) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    window.dropEvent(
        QDropEvent(
            QPointF(50, 50),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def compared(window: MainWindow) -> bool:
    """Return whether every frame of the ground truth has been compared."""
    found = window.session.measures
    return found is not None and found.truth is not None and found.truth.raw.faces == FRAMES


def truth_measures(window: MainWindow) -> TruthMeasures:
    found = window.session.measures
    assert found is not None
    assert found.truth is not None
    return found.truth


def test_ground_truth_beside_the_video_is_shown_and_scored_like_evaluate(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    ground_truth = square_ground_truth(FRAMES)
    table = write_ground_truth(tmp_path / "a_truth.csv", ground_truth)
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: compared(window))
    session = window.session
    assert session.display.truth == "a_truth.csv"
    session.recording.seek(30)
    qtbot.waitUntil(lambda: session.display.frame == 30)
    assert window.view.shown is not None
    assert window.view.shown.truth is not None
    np.testing.assert_allclose(window.view.shown.truth, ground_truth[30], atol=1e-3)

    with qtbot.waitSignal(window.exports.ended, timeout=20000):
        window.files.export(ExportKind.TABLE, tmp_path / "out.csv")
    result = CliRunner().invoke(
        cli.app,
        ["evaluate", "--csv", str(tmp_path / "out.csv"), "--data", clip, "--truth", str(table),
         "--json", str(tmp_path / "out.json")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    evaluated = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["models"]["out"]
    measured = truth_measures(window).stabilized
    assert (measured.faces, measured.missed) == (evaluated["faces"], evaluated["missed"])
    assert measured.missed > 0
    for name in ("nrmse", "fr8"):
        assert getattr(measured, name) == pytest.approx(evaluated[name], rel=1e-9)
    for name in ("mav", "mcv"):
        assert getattr(measured, name) == pytest.approx(evaluated["stability"][name], rel=1e-9)
    assert measured.lag == pytest.approx(evaluated["stability"]["lag_frames"], rel=1e-9)
    assert dict(measured.regions) == pytest.approx(evaluated["regions"], rel=1e-9)

    assert window.statistics.truth_tables.truth_table.isVisibleTo(window.statistics)
    assert (
        window.statistics.truth_tables.truth_table.cells["nrmse", "stabilized"].text()
        == f"{evaluated['nrmse']:.3f}"
    )
    _, plotted_errors = window.plots._curves["error_stabilized"].getOriginalDataset()
    assert np.nanmean(plotted_errors) == pytest.approx(evaluated["nrmse"])
    assert window.plots._check_boxes["error"].isChecked()


def test_ground_truth_is_drawn_in_white_and_can_be_hidden_and_removed(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    write_ground_truth(tmp_path / "a_truth.csv", square_ground_truth(FRAMES) + 40)
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.display.truth != "")
    window.session.recording.seek(0)
    qtbot.waitUntil(lambda: window.session.display.frame == 0)
    assert window.view.shown is not None
    assert window.view.shown.truth is not None
    port = window.view.viewport()

    def lightest_landmark() -> int:
        image = window.view.grab().toImage()
        points = port.to_view(square_ground_truth(FRAMES)[0] + 40)
        return max(image.pixelColor(round(x), round(y)).lightness() for x, y in points)

    assert lightest_landmark() > 240
    key(window, "truth")
    assert not window.session.display.overlay.truth
    assert lightest_landmark() < 220
    window.actions_by_name["drop_truth"].trigger()
    assert window.session.display.truth == ""
    assert not window.actions_by_name["truth"].isEnabled()
    qtbot.waitUntil(
        lambda: window.session.measures is not None and window.session.measures.truth is None
    )
    assert not window.statistics.truth_tables.truth_table.isVisibleTo(window.statistics)
    assert window.plots._check_boxes["error"].isHidden()


def test_pts_files_can_be_dropped_with_their_video_or_on_the_open_video(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    clip = str(square_video(tmp_path / "a.mp4", 30))
    folder = write_pts(tmp_path / "truth of a", square_ground_truth(30))
    drop(window, str(folder))
    assert "open its recording first" in window.messages.texts[0]
    drop(window, str(folder), clip)
    qtbot.waitUntil(lambda: window.session.display.truth == "truth of a")
    shown = window.session.analysis.ground_truth_at(7)
    assert shown is not None
    np.testing.assert_allclose(shown, square_ground_truth(30)[7], atol=1e-3)
    window.actions_by_name["drop_truth"].trigger()
    drop(window, str(folder / "000003.pts"))
    qtbot.waitUntil(lambda: window.session.display.truth == "truth of a")


def test_an_annot_folder_is_used_only_when_there_is_one_video(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    clip = str(square_video(tmp_path / "vid.mp4", 30))
    write_pts(tmp_path / "annot", square_ground_truth(30))
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.display.truth == "annot")
    square_video(tmp_path / "other.mp4", 30)
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.measures is not None)
    assert window.session.display.truth == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("frame,x_0\n1,2\n", "column"),
        ("1,2,3,4\n", "2 landmarks"),
        ("a,b\n", "truth"),
        ("", "no rows"),
        (None, "60 frames"),
    ],
)
def test_invalid_ground_truth_is_reported_and_the_loaded_one_is_kept(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, content: str | None, message: str
) -> None:
    write_ground_truth(tmp_path / "a_truth.csv", square_ground_truth(FRAMES))
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.display.truth != "")
    bad = tmp_path / "bad.csv"
    if content is None:
        write_ground_truth(bad, square_ground_truth(60))
    else:
        bad.write_text(content, encoding="utf-8")
    window.session.analysis.load_ground_truth(bad)
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert message in window.messages.texts[0]
    assert "bad.csv" in window.messages.texts[0]
    assert window.session.display.truth == "a_truth.csv"
