"""The real window, offscreen, driven by keys and the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QTabBar

from steadymark.app.gui.files.export_options import ExportOptionsDialog
from steadymark.app.session.state import ComparisonLayout, Phase, ShownLandmarks, clock_text
from support.videos.square_video import square_video
from support.window.window_driver import key, open_video, shows

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

FRAMES = 120


def test_an_empty_window_shows_what_to_do(window: MainWindow) -> None:
    assert window.pages.currentWidget() is window.start_page
    assert "Drop a video" in window.start_page.title.text()
    assert not window.playback_bar.isVisible()
    assert not window.docks.plots.isVisible()
    assert not window.actions_by_name["play"].isEnabled()
    assert not [bar for bar in window.findChildren(QTabBar) if bar.isVisible() and bar.count()]


def test_a_key_brings_a_panel_to_the_front_and_closes_it_only_there(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip, tracked=False)
    review = window.docks.review
    assert review.visibleRegion().isEmpty()  # a tab behind the statistics
    for seen in (True, False, True):
        review.toggleViewAction().trigger()
        qtbot.waitUntil(lambda seen=seen: review.visibleRegion().isEmpty() is not seen)  # type: ignore[misc]
        assert review.isHidden() is not seen
        assert review.toggleViewAction().isChecked() is seen


def test_keys_play_seek_step_compare_and_export_a_recording(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.activateWindow()
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    assert window.windowTitle().startswith("a.mp4")
    assert window.session.display.playing
    key(window, "play")
    assert not window.session.display.playing
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    key(window, "first")
    qtbot.waitUntil(lambda: shows(window, 0))
    key(window, "jump_on")
    qtbot.waitUntil(lambda: shows(window, 25))
    key(window, "step_on")
    key(window, "step_on")
    key(window, "step_back")
    qtbot.waitUntil(lambda: shows(window, 26))
    key(window, "last")
    qtbot.waitUntil(lambda: shows(window, FRAMES - 1))
    key(window, "stop")
    qtbot.waitUntil(lambda: shows(window, 0))
    key(window, "show_both")
    key(window, "layout_wipe")
    assert window.session.display.layout is ComparisonLayout.WIPE
    key(window, "layout_side")
    assert window.session.display.layout is ComparisonLayout.SIDE
    key(window, "boxes")
    assert window.session.display.overlay.boxes
    window.files.save_frame(tmp_path / "frame.png")
    window.files.save_plots(tmp_path / "plots.png")
    for name in ("frame.png", "plots.png"):
        qtbot.waitUntil(lambda: (tmp_path / name).is_file())  # noqa: B023
    qtbot.waitUntil(lambda: len(window.messages.texts) >= 2)


def test_keys_typed_into_a_field_are_not_commands(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    window.activateWindow()
    key(window, "go_to")
    field = window.playback_bar.time
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "0:02")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shows(window, 50))
    window.playback_bar.frame.setFocus()
    window.playback_bar.frame.selectAll()
    QTest.keyClicks(window.playback_bar.frame, "7")
    QTest.keyClick(window.playback_bar.frame, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shows(window, 7))
    window.playback_bar.time.setFocus()
    window.playback_bar.time.selectAll()
    QTest.keyClicks(window.playback_bar.time, "soon")
    QTest.keyClick(window.playback_bar.time, Qt.Key.Key_Return)
    assert window.messages.texts[0].startswith("'soon' is not a position")


def test_choosing_a_layout_shows_raw_and_stabilized_landmarks(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    layouts = [window.actions_by_name[f"layout_{layout}"] for layout in ComparisonLayout]
    assert [action.isChecked() for action in layouts] == [False, False, False]
    key(window, "layout_side")
    assert window.session.display.shown_landmarks is ShownLandmarks.BOTH
    assert window.session.display.layout is ComparisonLayout.SIDE
    key(window, "show_stabilized")
    assert [action.isChecked() for action in layouts] == [False, False, False]
    assert all(action.isEnabled() for action in layouts)


def test_clicking_or_dragging_the_timeline_seeks_to_a_frame(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    line = window.playback_bar.timeline
    middle = QPoint(round(line.x_of((FRAMES - 1) / 2)), line.height() // 2)
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.waitUntil(lambda: window.view.shown is not None and window.view.shown.frame.index > 55)
    frame = window.session.display.frame
    assert abs(frame - (FRAMES - 1) / 2) <= 1
    QTest.mousePress(line, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(line, QPoint(line.width() - 1, 10))
    QTest.mouseRelease(line, Qt.MouseButton.LeftButton, pos=QPoint(line.width() - 1, 10))
    qtbot.waitUntil(lambda: shows(window, FRAMES - 1))


def test_a_dropped_video_is_opened(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(clip), QUrl.fromLocalFile("other.mp4")])
    drop = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(drop)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    assert any("One recording" in text for text in window.messages.texts)
    assert window.preferences.recent() == [clip]
    assert window.files.recent_menu.actions()[0].text() == clip


def test_an_error_is_shown_and_can_be_dismissed(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.open_path(str(tmp_path / "none.mp4"))
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "does not exist" in window.messages.texts[0]
    assert window.messages.isVisible()
    key(window, "dismiss")
    assert window.messages.texts == []
    assert not window.messages.isVisible()
    assert window.preferences.recent() == []
    open_video(qtbot, window, clip)
    assert window.preferences.recent() == [clip]


def test_a_click_into_a_plot_seeks_to_that_frame(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    plot = window.plots._plots["x"]

    def plot_is_complete() -> bool:
        found = window.session.measures
        drawn = found is not None and bool(np.isfinite(found.raw_xy[-1, 0]))
        return drawn and plot.vb.viewRange()[0][1] > 4.5 and not window._measure_timer.isActive()

    qtbot.waitUntil(plot_is_complete)
    scene_position = plot.vb.mapViewToScene(QPointF(2.0, float(np.mean(plot.vb.viewRange()[1]))))
    surface = window.plots._widget
    QTest.mouseClick(
        surface.viewport(), Qt.MouseButton.LeftButton, pos=surface.mapFromScene(scene_position)
    )
    qtbot.waitUntil(lambda: abs(window.session.display.frame - 50) <= 1)
    assert window.statistics.motion.table.cells["mav", "raw"].text()


def test_the_head_pose_is_drawn_printed_and_plotted(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    assert window.view.shown is not None
    (face,) = window.view.shown.faces or ()
    assert face.pose is not None
    rotation, position = window.statistics.readouts["head_pose"]
    assert f"yaw {face.pose.yaw_deg:+.1f}°" in rotation.text()
    assert position.text().endswith(f"{face.pose.position_mm[2]:.0f} mm")
    before = window.view.grab().toImage()
    window.actions_by_name["axes"].trigger()
    assert window.session.display.overlay.shows("axes")
    assert window.view.grab().toImage() != before
    window.plots.show_plots("head_pose")
    index, shown_deg = window.session.display.frame, face.pose.yaw_deg

    def plotted_yaw() -> float:
        values = window.plots._curves["head_pose/pose_Ry"].getOriginalDataset()[1]
        return float("nan") if values is None else float(values[index])

    # the measures of the whole recording replace those of its beginning
    qtbot.waitUntil(lambda: plotted_yaw() == pytest.approx(shown_deg))
    window.session.close_source()
    assert rotation.text() == "no face in this frame"


def test_a_focal_length_can_be_set(window: MainWindow) -> None:
    assert window.settings.focal_length.text() == "automatic"
    focal_lengths: list[float | None] = []
    window.settings.changed.connect(lambda settings: focal_lengths.append(settings.focal_px))
    window.settings.focal_length.setValue(900)
    window.settings.focal_length.setValue(0)
    assert focal_lengths == [900.0, None]


def test_the_landmark_is_named_while_its_coordinates_are_plotted(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: "30 nose tip" in window.plots.header("x"))
    window.plots.show_plots("jitter", "y")
    assert "30 nose tip" in window.plots.header("y")
    assert "nose tip" not in window.plots.header("jitter")


def test_closing_the_recording_leaves_an_empty_window(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    key(window, "close")
    assert window.pages.currentWidget() is window.start_page
    assert window.windowTitle() == "Steadymark"


def test_files_are_chosen_in_dialogs(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggestions: list[str] = []

    def choose(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        suggestions.append(start)
        return (
            (str(tmp_path / f"chosen{len(suggestions)}"), "") if "Open" not in title else (clip, "")
        )

    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    window.actions_by_name["open"].trigger()
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    window.session.recording.pause()
    for name in (
        "export_table_native",
        "export_table_openface",
        "export_video",
        "export_frame",
        "export_plots",
        "export_side",
    ):
        window.actions_by_name[name].trigger()
        for dialog in window.findChildren(ExportOptionsDialog):
            if dialog.isVisible():
                dialog.accept()
    names = (
        "chosen2.csv",
        "chosen3.csv",
        "chosen4.mp4",
        "chosen5.png",
        "chosen6.png",
        "chosen7.mp4",
    )
    qtbot.waitUntil(lambda: all((tmp_path / n).is_file() for n in names), timeout=20000)
    qtbot.waitUntil(lambda: window.exports.running == 0)
    assert suggestions[1:3] == [str(tmp_path / "a.csv"), str(tmp_path / "a_openface.csv")]


def test_the_figures_of_a_recording_appear_at_once_after_a_long_one_was_left(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.measures is not None)
    window.session.measure_time_s = 4.0  # as of 30 minutes of video
    window._on_measures_changed()
    window._on_results_changed()
    assert window._measure_timer.remainingTime() > 30_000
    other = str(square_video(tmp_path / "b.mp4", 40))
    window.open_path(other)
    qtbot.waitUntil(lambda: window.session.display.path == other)
    qtbot.waitUntil(lambda: window.session.display.share == 1.0, timeout=20000)
    qtbot.waitUntil(lambda: window.session.measures is not None, timeout=1500)
    measures = window.session.measures
    assert measures is not None
    assert len(measures.times_s) == 40


def test_go_to_selects_the_current_time_so_that_typing_replaces_it(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    field = window.playback_bar.time
    key(window, "go_to")
    QTest.keyClicks(field, "0:02")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shows(window, 50))
    key(window, "go_to")
    assert field.selectedText() == field.text() == "0:02.000"
    QTest.keyClicks(field, "0:0")  # not entered
    window.session.recording.seek(75)
    qtbot.waitUntil(lambda: shows(window, 75))
    assert field.text() == "0:0"
    key(window, "go_to")
    assert field.selectedText() == field.text() == "0:03.000"
    window.session.recording.seek(100)  # as while the video plays
    qtbot.waitUntil(lambda: shows(window, 100))
    assert field.selectedText() == field.text() == "0:04.000"
    QTest.keyClicks(field, "1s")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shows(window, 25))


def test_escape_gives_up_what_was_typed_into_the_time(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    window.messages.show_message("stays")
    key(window, "go_to")
    QTest.keyClicks(window.playback_bar.time, "0:03")
    key(window, "dismiss")
    assert window.playback_bar.time.text() == clock_text(window.session.display.time_s)
    assert window.view.hasFocus()
    assert window.messages.texts == ["stays"]
    key(window, "dismiss")
    assert window.messages.texts == []
