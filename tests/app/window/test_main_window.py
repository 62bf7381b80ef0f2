"""The real window, offscreen, driven by keys and the mouse."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLineEdit

from square_film import square_models, square_video, square_x
from steadymark.app.session.exporting import Kind
from steadymark.app.session.opening import ModelCache
from steadymark.app.session.session import Session
from steadymark.app.session.state import Layout, Phase, Show
from steadymark.app.window.about import About
from steadymark.app.window.commands import COMMANDS
from steadymark.app.window.theme import palette

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.window.main_window import MainWindow
    from steadymark.app.window.preferences import Preferences

FRAMES = 120


def key(window: MainWindow, name: str) -> None:
    """Press the first key of a command, as a user would."""
    command = next(c for c in COMMANDS if c.name == name)
    QTest.keySequence(window, QKeySequence(command.keys[0]))


def shows(window: MainWindow, index: int) -> bool:
    shown = window.view.shown
    return shown is not None and shown.frame.index == index


def steady_of(window: MainWindow) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The stabilized points over the picture."""
    shown = window.view.shown
    if shown is None or not shown.faces or shown.faces[0].stabilized is None:
        return np.zeros((0, 2), np.float32)
    return shown.faces[0].stabilized.xy_px


def opened(qtbot: QtBot, window: MainWindow, clip: str, *, tracked: bool = True) -> None:
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    window.session.pause()
    if tracked:
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)


def test_an_empty_window_says_what_to_do(window: MainWindow) -> None:
    assert window.pages.currentWidget() is window.empty
    assert "Drop a video" in window.empty.title.text()
    assert not window.transport.isVisible()
    assert not window.plots_dock.isVisible()
    assert not window.actions_by_name["play"].isEnabled()


def test_open_play_seek_step_toggle_compare_export_quit(
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
    assert window.session.display.layout is Layout.WIPE
    key(window, "layout_side")
    assert window.session.display.layout is Layout.SIDE
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
    opened(qtbot, window, clip)
    window.activateWindow()
    key(window, "go_to")
    field = window.transport.time
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "0:02")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shows(window, 50))
    window.transport.frame.setFocus()
    window.transport.frame.selectAll()
    QTest.keyClicks(window.transport.frame, "7")
    QTest.keyClick(window.transport.frame, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shows(window, 7))
    window.transport.time.setFocus()
    window.transport.time.selectAll()
    QTest.keyClicks(window.transport.time, "soon")
    QTest.keyClick(window.transport.time, Qt.Key.Key_Return)
    assert "no place" in window.messages.texts[0]


def test_the_timeline_is_clicked_and_dragged_to_a_frame(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    opened(qtbot, window, clip)
    line = window.transport.timeline
    middle = QPoint(line.width() // 2, line.height() // 2)
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


def test_a_fault_is_told_can_be_dismissed_and_the_window_goes_on(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.open_path(str(tmp_path / "none.mp4"))
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "does not exist" in window.messages.texts[0]
    assert window.messages.isVisible()
    key(window, "dismiss")
    assert window.messages.texts == []
    assert not window.messages.isVisible()
    opened(qtbot, window, clip)


def test_zooming_panning_and_fitting(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    opened(qtbot, window, clip)
    view = window.view
    fitted = view.viewport()
    at = QPointF(view.width() / 3, view.height() / 3)
    before = fitted.to_frame(at.x(), at.y())
    wheel = QWheelEvent(
        at,
        view.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, wheel)
    assert view.viewport().scale > fitted.scale
    assert view.viewport().to_frame(at.x(), at.y()) == pytest.approx(before)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(view, QPoint(120, 90))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(120, 90))
    moved = view.viewport().to_frame(at.x() + 20, at.y() - 10)
    assert moved == pytest.approx(before)
    key(window, "actual")
    assert view.viewport().scale * view.devicePixelRatioF() == pytest.approx(1)
    key(window, "fit")
    assert view.viewport() == fitted


def test_hovering_a_point_tells_its_name_and_place_and_a_click_chooses_it(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    opened(qtbot, window, clip)
    view = window.view
    assert view.shown is not None
    assert view.shown.faces
    face = view.shown.faces[0]
    assert face.stabilized is not None
    x, y = view.viewport().to_view(face.stabilized.xy_px[8])
    near = view._landmark_at(QPointF(x, y))
    assert near is not None
    assert near.index == 8
    for word in ("8 chin", "score 1.00", "stabilized", "face 0"):
        assert word in near.text
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert window.session.display.landmark == 8
    assert view._landmark_at(QPointF(2, 2)) is None


def test_the_dividing_line_is_dragged(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    opened(qtbot, window, clip)
    window.session.set_show(Show.BOTH)
    window.session.set_layout(Layout.WIPE)
    view = window.view
    line = QPoint(round(view._wipe_x()), 40)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=line)
    QTest.mouseMove(view, line + QPoint(30, 0))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=line + QPoint(30, 0))
    expected = 0.5 + 30 / (view.viewport().scale * 320)
    assert window.session.display.wipe == pytest.approx(expected, abs=0.01)


def test_the_picture_and_the_landmarks_over_it_are_of_one_frame(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    wrong = []

    def look() -> None:
        shown = window.view.shown
        for face in (shown.faces or ()) if shown else ():
            if face.raw is not None and shown is not None:
                away = abs(float(face.raw.xy_px[:, 0].mean()) - square_x(shown.frame.index))
                if away > 3:
                    wrong.append(shown.frame.index)

    window.session.pictured.connect(look)
    window.session.progressed.connect(look)
    window.session.set_speed(4.0)
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    for index in (100, 5, 60):
        window.session.seek(index)
        qtbot.waitUntil(lambda: window.session.display.frame >= index)  # noqa: B023
    window.session.pictured.disconnect(look)
    window.session.progressed.disconnect(look)
    assert wrong == []


def test_a_click_into_a_plot_goes_to_that_frame(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    opened(qtbot, window, clip)
    plot = window.plots._plots["x"]

    def all_is_plotted() -> bool:
        found = window.session.measures
        drawn = found is not None and bool(np.isfinite(found.raw_xy[-1, 0]))
        return drawn and plot.vb.viewRange()[0][1] > 4.5 and not window._measure_soon.isActive()

    qtbot.waitUntil(all_is_plotted)
    at = plot.vb.mapViewToScene(QPointF(2.0, float(np.mean(plot.vb.viewRange()[1]))))
    surface = window.plots._widget
    QTest.mouseClick(surface.viewport(), Qt.MouseButton.LeftButton, pos=surface.mapFromScene(at))
    qtbot.waitUntil(lambda: abs(window.session.display.frame - 50) <= 1)
    assert window.numbers.table.cells["mav", "raw"].text()


def test_settings_apply_at_once_or_ask_and_are_remembered(
    qtbot: QtBot, window: MainWindow, clip: str, preferences: Preferences
) -> None:
    window._use_settings(replace(window.session.settings, stabilizer="none"))
    opened(qtbot, window, clip)
    panel, results = window.settings, window.session.results
    assert results is not None
    panel.stabilizer.setCurrentIndex(panel.stabilizer.findData("one-euro"))
    panel.stabilizer.activated.emit(panel.stabilizer.currentIndex())
    qtbot.waitUntil(lambda: not np.array_equal(results.rows().raw, results.rows().steady))
    frame = window.session.display.frame
    qtbot.waitUntil(
        lambda: (
            steady_of(window) is not None
            and np.array_equal(steady_of(window), results.rows().steady[frame])
        )
    )
    assert not panel.apply.isVisibleTo(panel)
    panel.faces.setValue(3)
    assert panel.apply.isVisibleTo(panel)
    assert preferences.tracking().tracker.max_faces == 3
    panel.apply.click()
    qtbot.waitUntil(lambda: not panel.apply.isVisibleTo(panel), timeout=20000)
    panel.reset.click()
    assert window.session.settings == replace(type(window.session.settings)())
    assert preferences.tracking() == window.session.settings


def test_a_network_that_cannot_be_opened_leaves_what_is_tracked(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    from steadymark.engine.errors import DeviceError

    opened(qtbot, window, clip)

    def refuse(_: object) -> object:
        raise DeviceError("CUDA was asked for, but is not here")

    window.session._models._opener = refuse  # type: ignore[assignment]
    window._use_settings(replace(window.session.settings, device="cuda"))
    window.session.retrack()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "CUDA" in window.messages.texts[0]
    assert window.session.results is not None
    assert (window.session.results.known() == 1).all()


def test_every_command_has_a_text_and_keys_are_not_shared(window: MainWindow) -> None:
    keys = [k for c in COMMANDS for k in c.keys]
    keys += [d.toggleViewAction().shortcut().toString() for d in window._docks()]
    assert len(keys) == len(set(keys))
    for command in COMMANDS:
        action = window.actions_by_name[command.name]
        assert action.text()
        assert action.shortcuts()


def test_whatever_can_be_pressed_or_typed_into_has_a_name(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    opened(qtbot, window, clip)
    for kind in (QAbstractButton, QLineEdit):
        for widget in window.findChildren(kind):
            named = widget.accessibleName() or widget.toolTip() or getattr(widget, "text", str)()
            parent = widget.parentWidget()
            inner = widget.objectName().startswith("qt_") or (
                parent is not None and parent.accessibleName() != ""
            )
            assert named or inner, widget


def test_light_becomes_dark_while_a_video_is_open(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    opened(qtbot, window, clip)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    light = window.grab().toImage().pixelColor(4, 4).lightness()
    application.setPalette(palette(dark=True))
    qtbot.waitUntil(lambda: window.palette().window().color().lightness() < 128)
    assert window.grab().toImage().pixelColor(4, 4).lightness() < light


def test_diagnostics_are_copied(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    opened(qtbot, window, clip)
    window.actions_by_name["diagnostics"].trigger()
    text = QGuiApplication.clipboard().text()
    for word in ("Steadymark", "Python", "Qt 6", "a.mp4", "100 % tracked"):
        assert word in text


def test_about_tells_versions_and_licences(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_by_name["about"].trigger()
    (dialog,) = window.findChildren(About)
    assert dialog.isVisible()
    dialog.reject()
    dialog.deleteLater()


def test_closing_the_recording_leaves_an_empty_window(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    opened(qtbot, window, clip)
    key(window, "close")
    assert window.pages.currentWidget() is window.empty
    assert window.windowTitle() == "Steadymark"


def test_200_random_commands_in_a_row_leave_the_window_well(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    opened(qtbot, window, clip, tracked=False)
    other = str(square_video(tmp_path / "b.mp4", 60))
    left_out = {
        "quit", "open", "open_folder", "load_truth", "export_csv", "export_openface",
        "export_video", "export_frame", "export_plots", "log", "about", "full_screen",
    }  # fmt: skip
    names = [c.name for c in COMMANDS if c.name not in left_out]
    chance = random.Random(7)
    for number in range(200):
        if number % 40 == 39 or not window.session.display.has_film:
            window.open_path(chance.choice([clip, other]))
            qtbot.waitUntil(lambda: window.view.shown is not None)
        action = window.actions_by_name[chance.choice(names)]
        if action.isEnabled():
            action.trigger()
        QApplication.processEvents()
    assert not any("unexpected" in text for text in window.messages.texts)


@pytest.mark.parametrize(
    "state", ["empty", "opening", "tracking", "paused", "finished", "filtering", "exporting"]
)
def test_quitting_in_any_state_ends_in_two_seconds_with_no_thread_left(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, state: str
) -> None:
    if state != "empty":
        window.open_path(clip)
    if state not in ("empty", "opening"):
        qtbot.waitUntil(lambda: window.view.shown is not None)
    if state == "paused":
        window.session.toggle_tracking()
    if state in ("finished", "filtering", "exporting"):
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    if state == "filtering":
        window.session.use_settings(replace(window.session.settings, stabilizer="one-euro"))
    if state == "exporting":
        window.files.export(Kind.VIDEO, tmp_path / "out.mp4")
        window._may_cancel_exports = lambda: True  # type: ignore[method-assign]
    begun = time.monotonic()
    assert window.close()
    assert time.monotonic() - begun < 2.5
    assert window.closed_in_time


def test_while_an_export_runs_closing_asks(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    opened(qtbot, window, clip)
    asked = []
    window._may_cancel_exports = lambda: bool(asked.append(1))  # type: ignore[method-assign, func-returns-value]
    window.files.export(Kind.VIDEO, tmp_path / "out.mp4")
    assert not window.close()
    assert asked == [1]
    qtbot.waitUntil(lambda: window.exports.running == 0, timeout=20000)


def test_the_window_comes_back_as_it_was(
    qtbot: QtBot, window: MainWindow, clip: str, preferences: Preferences, tmp_path: Path
) -> None:
    opened(qtbot, window, clip)
    window.plots_dock.hide()
    window.session.set_overlay(replace(window.session.display.overlay, boxes=True))
    assert window.close()
    session = Session(
        preferences.tracking(), state_root=tmp_path / "other", models=ModelCache(square_models)
    )
    again = type(window)(session, preferences)
    again.show()
    assert again.session.display.overlay.boxes
    opened(qtbot, again, clip)
    assert not again.plots_dock.isVisible()
    assert again.numbers_dock.isVisible() or again.settings_dock.isVisible()
    assert again.preferences.recent() == [clip]
    assert again.close()
    again.deleteLater()


def test_files_are_chosen_in_dialogs(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def choose(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        asked.append(start)
        return (str(tmp_path / f"chosen{len(asked)}"), "") if "Open" not in title else (clip, "")

    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    window.actions_by_name["open"].trigger()
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    window.session.pause()
    for name in ("export_csv", "export_openface", "export_video", "export_frame", "export_plots"):
        window.actions_by_name[name].trigger()
    names = ("chosen2.csv", "chosen3.csv", "chosen4.mp4", "chosen5.png", "chosen6.png")
    qtbot.waitUntil(lambda: all((tmp_path / n).is_file() for n in names), timeout=20000)
    qtbot.waitUntil(lambda: window.exports.running == 0)
    assert asked[1:3] == [str(tmp_path / "a.csv"), str(tmp_path / "a_openface.csv")]
