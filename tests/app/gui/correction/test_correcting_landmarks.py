"""Landmarks are corrected with the mouse and the arrow keys, shown, undone, exported and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.gui.video.snapshot import paint_snapshot
from steadymark.app.session.export import ExportKind
from steadymark.app.session.recording.media import Media
from steadymark.app.session.review.correcting import Scope
from steadymark.app.session.state import ShownLandmarks
from steadymark.engine.core.file_lock import open_locked
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.video.draw_style import CORRECTED_COLOUR
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.review.project_file import read_project
from support.window.lane_driver import go_to, project_of
from support.window.window_driver import key, open_video, shows, stabilized_points

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.video.shown_frame import ShownFrame
    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.engine.review.project import Project

LEFT = Qt.MouseButton.LeftButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
WAIT_MS = 20_000
FRAME, NOSE, RIGHT_EYE = 40, 30, range(36, 42)


@pytest.fixture
def ready(qtbot: QtBot, window: MainWindow, clip: str) -> MainWindow:
    """Return a window with a tracked video, in which landmarks can be corrected."""
    open_video(qtbot, window, clip)
    go_to(qtbot, window, FRAME)
    window.view.setFocus()
    key(window, "correct_landmarks")
    assert window.corrections.correcting.active
    return window


def at(window: MainWindow, landmark: int) -> QPoint:
    x, y = window.view.viewport().to_view(stabilized_points(window)[landmark])
    return QPoint(round(x), round(y))


def drag(
    window: MainWindow,
    landmark: int,
    by_px: tuple[int, int],
    keys: Qt.KeyboardModifier = NONE,
    *,
    release: bool = True,
) -> tuple[float, float]:
    """Drag a landmark by view points, and return by how many frame pixels."""
    view, start = window.view, at(window, landmark)
    scale = view.viewport().scale
    QTest.mousePress(view, LEFT, keys, start)
    for share in (0.5, 1.0):
        QTest.mouseMove(view, start + QPoint(round(share * by_px[0]), round(share * by_px[1])))
    if release:
        QTest.mouseRelease(view, LEFT, keys, start + QPoint(*by_px))
    return by_px[0] / scale, by_px[1] / scale


def exported(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> LandmarkTable:
    """Return the table that `steadymark export` makes of the table and the project."""
    table, reviewed = tmp_path / "a.csv", tmp_path / "reviewed.csv"
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS):
        window.files.export(ExportKind.TABLE, table)
    project, path = project_of(window), window.session.review.path
    assert path is not None
    qtbot.waitUntil(lambda: path.exists() and same_corrections(path, project))
    result = CliRunner().invoke(
        cli.app, ["export", str(table), "--out", str(reviewed), "--overwrite"]
    )
    assert result.exit_code == 0, result.output
    return read_landmarks(reviewed)


def same_corrections(path: Path, project: Project) -> bool:
    return read_project(path).corrections == project.corrections


def test_a_dragged_landmark_is_shown_undone_exported_and_kept(
    qtbot: QtBot, ready: MainWindow, clip: str, tmp_path: Path
) -> None:
    before = stabilized_points(ready).copy()
    by = drag(ready, NOSE, (30, -20))
    after = stabilized_points(ready).copy()
    np.testing.assert_allclose(after[NOSE] - before[NOSE], by, atol=0.002)
    others = np.arange(68) != NOSE
    np.testing.assert_array_equal(after[others], before[others])
    assert ready.view.shown is not None
    assert np.flatnonzero(ready.view.shown.corrected[0].placed).tolist() == [NOSE]
    assert ready.actions_by_name["undo"].text() == f"&Undo: correct frame {FRAME}"
    key(ready, "undo")
    np.testing.assert_array_equal(stabilized_points(ready), before)
    assert ready.view.shown.corrected == {}
    key(ready, "redo")
    np.testing.assert_array_equal(stabilized_points(ready), after)
    (one,) = project_of(ready).corrections
    assert (one.face_id, one.frame, one.time_s, one.span_s) == (0, FRAME, 1.6, 0.5)

    table = exported(qtbot, ready, tmp_path)
    shown = {}
    for frame in (FRAME - 13, FRAME - 12, FRAME - 5, FRAME, FRAME + 6):
        go_to(qtbot, ready, frame)
        shown[frame] = stabilized_points(ready).copy()
        (row,) = np.flatnonzero(table.frame == frame)
        np.testing.assert_allclose(shown[frame], table.xy_px[row], atol=0.002)
        assert bool(ready.view.shown.corrected) is (abs(frame - FRAME) <= 12)

    ready.session.close_source()
    open_video(qtbot, ready, clip)
    for frame, points in shown.items():
        go_to(qtbot, ready, frame)
        np.testing.assert_allclose(stabilized_points(ready), points, atol=0.002)


@pytest.mark.parametrize(
    ("scope", "keys", "moved"),
    [
        (Scope.LANDMARK, SHIFT, set(RIGHT_EYE)),
        (Scope.REGION, NONE, set(RIGHT_EYE)),
        (Scope.LANDMARK, CONTROL, set(range(68))),
        (Scope.FACE, NONE, set(range(68))),
    ],
)
def test_a_part_of_the_face_or_the_whole_face_moves_at_once(
    ready: MainWindow, scope: Scope, keys: Qt.KeyboardModifier, moved: set[int]
) -> None:
    box = ready.correction_bar.scope
    box.setCurrentIndex(box.findData(scope))
    box.activated.emit(box.currentIndex())
    before = stabilized_points(ready).copy()
    by = drag(ready, 37, (16, 12), keys)
    away = stabilized_points(ready) - before
    assert set(np.flatnonzero(away.any(1)).tolist()) == moved
    np.testing.assert_allclose(away[sorted(moved)], [by] * len(moved), atol=0.002)


def test_arrow_keys_move_the_chosen_landmark_and_are_undone_together(ready: MainWindow) -> None:
    view = ready.view
    before = stabilized_points(ready)[NOSE].copy()
    QTest.mouseClick(view, LEFT, NONE, at(ready, NOSE))
    assert project_of(ready).corrections == ()
    assert ready.session.display.landmark == NOSE
    for arrow, keys in (
        (Qt.Key.Key_Right, NONE),
        (Qt.Key.Key_Down, SHIFT),
        (Qt.Key.Key_Left, CONTROL),
    ):
        QTest.keyClick(view, arrow, keys)
    np.testing.assert_allclose(stabilized_points(ready)[NOSE] - before, (0.9, 10), atol=0.002)
    assert ready.session.display.frame == FRAME
    key(ready, "undo")
    assert project_of(ready).corrections == ()


def test_escape_gives_up_the_drag_then_the_landmark_then_the_mode(
    qtbot: QtBot, ready: MainWindow
) -> None:
    drag(ready, NOSE, (30, -20), release=False)
    assert len(project_of(ready).corrections) == 1
    key(ready, "dismiss")
    assert project_of(ready).corrections == ()
    QTest.mouseRelease(ready.view, LEFT, NONE, at(ready, NOSE))
    key(ready, "dismiss")
    assert ready.corrections.correcting.chosen is None
    assert ready.correction_bar.isVisible()
    QTest.keyClick(ready.view, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: shows(ready, FRAME + 1))
    key(ready, "dismiss")
    assert not ready.correction_bar.isVisible()
    assert not ready.actions_by_name["correct_landmarks"].isChecked()


def test_the_picture_is_still_moved_beside_landmarks_and_landmarks_only_in_the_mode(
    ready: MainWindow,
) -> None:
    view, before = ready.view, ready.view.viewport()
    QTest.mouseMove(view, at(ready, NOSE))
    assert view.cursor().shape() is Qt.CursorShape.SizeAllCursor
    QTest.mousePress(view, LEFT, NONE, QPoint(30, 30))
    QTest.mouseMove(view, QPoint(60, 50))
    QTest.mouseRelease(view, LEFT, NONE, QPoint(60, 50))
    assert view.viewport() == before.moved(30, 20)
    key(ready, "correct_landmarks")
    drag(ready, NOSE, (30, 20))
    assert view.viewport() == before.moved(60, 40)
    assert project_of(ready).corrections == ()
    QTest.mouseMove(view, at(ready, NOSE))
    assert view.cursor().shape() is Qt.CursorShape.ArrowCursor


def test_the_span_is_changed_for_the_shown_correction_and_for_new_ones(
    qtbot: QtBot, ready: MainWindow
) -> None:
    span = ready.correction_bar.span
    drag(ready, NOSE, (30, -20))
    span.setValue(0.2)
    assert [one.span_s for one in project_of(ready).corrections] == [0.2]
    go_to(qtbot, ready, FRAME + 5)
    assert ready.view.shown is not None
    assert ready.view.shown.corrected == {}
    drag(ready, NOSE, (10, 10))
    assert [one.span_s for one in project_of(ready).corrections] == [0.2, 0.2]
    span.setValue(1.0)
    assert [one.span_s for one in project_of(ready).corrections] == [0.2, 1.0]
    key(ready, "undo")
    assert span.value() == 0.2
    assert ready.preferences.values("correction") == {"span_s": 1.0}


def test_corrected_frames_are_marked_reached_and_freed(qtbot: QtBot, ready: MainWindow) -> None:
    line = ready.playback_bar.timeline

    def mark(frame: int) -> str:
        place = QPointF(line.x_of(frame), line._layout().strip.bottom()).toPoint()
        return QColor(line.grab().toImage().pixel(place)).name().upper()

    drag(ready, NOSE, (30, -20))
    go_to(qtbot, ready, 80)
    drag(ready, NOSE, (30, -20))
    go_to(qtbot, ready, 60)
    assert [mark(frame) == CORRECTED_COLOUR.upper() for frame in (FRAME, 55, 80)] == [
        True,
        False,
        True,
    ]
    assert not ready.actions_by_name["remove_correction"].isEnabled()
    key(ready, "next_correction")
    qtbot.waitUntil(lambda: shows(ready, 80))
    assert not ready.actions_by_name["next_correction"].isEnabled()
    key(ready, "previous_correction")
    qtbot.waitUntil(lambda: shows(ready, FRAME))
    key(ready, "remove_correction")
    assert [one.frame for one in project_of(ready).corrections] == [80]
    assert ready.view.shown is not None
    assert ready.view.shown.corrected == {}


def test_the_mode_pauses_and_shows_the_landmarks_that_can_be_moved(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    assert not window.actions_by_name["correct_landmarks"].isEnabled()
    assert "Open a recording first" in window.actions_by_name["correct_landmarks"].statusTip()
    open_video(qtbot, window, clip)
    window.session.set_shown_landmarks(ShownLandmarks.RAW)
    window.session.recording.play()
    window.view.setFocus()
    key(window, "correct_landmarks")
    assert not window.session.display.playing
    assert window.session.display.shown_landmarks is ShownLandmarks.STABILIZED
    window.session.recording.play()
    assert window.correction_bar.note.text() == "Pause to move landmarks."
    window.session.close_source()
    assert not window.correction_bar.isVisible()


def test_the_mode_stays_when_the_language_changes(ready: MainWindow) -> None:
    drag(ready, NOSE, (30, -20))
    old = ready.correction_bar
    ready._retranslate()
    assert ready.correction_bar is not old
    assert ready.correction_bar.isVisible()
    assert ready.actions_by_name["correct_landmarks"].isChecked()
    assert ready.playback_bar.timeline._corrected == (FRAME,)
    drag(ready, 8, (10, 10))
    (one,) = project_of(ready).corrections
    assert [landmark for landmark, *_ in one.points] == [8, NOSE]


def test_a_project_that_is_open_elsewhere_is_not_corrected(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    handle = open_locked(tmp_path / ".a.steadymark.lock")
    assert handle is not None
    open_video(qtbot, window, clip)
    action = window.actions_by_name["correct_landmarks"]
    assert not action.isEnabled()
    assert "is open in another window" in action.statusTip()


def test_an_exported_video_and_a_saved_frame_show_the_corrected_landmarks(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path
) -> None:
    window = ready
    before = paint_snapshot(shown(window), window.session.display)
    x, y = stabilized_points(window)[NOSE] + drag(window, NOSE, (60, -60))
    after = paint_snapshot(shown(window), window.session.display)
    place = round(float(x)), round(float(y))
    assert before.pixel(*place) != after.pixel(*place)
    video = tmp_path / "drawn.mp4"
    options = DrawOptions(points=True, contours=False, schema="ibug68")
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        window.files.export(ExportKind.VIDEO, video, draw=options, review=True)
    media, plain = Media(ended.args[0].path), Media(str(tmp_path / "a.mp4"))
    for frame, drawn in ((FRAME, True), (FRAME - 20, False)):
        difference = media.frame_at(frame).image.astype(int) - plain.frame_at(frame).image
        away = np.abs(difference[place[1] - 1 : place[1] + 2, place[0] - 1 : place[0] + 2]).max()
        assert bool(away > 60) is drawn
    media.close()
    plain.close()


def shown(window: MainWindow) -> ShownFrame:
    assert window.view.shown is not None
    return window.view.shown
