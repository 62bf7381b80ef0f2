"""Tracking settings, chosen in the window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.gui import main_window
from steadymark.app.gui.video.shown_frame import ShownFrame, shown_frame_of
from steadymark.engine.tracking.settings import OpenModels, TrackSettings, open_detector
from support.window.window_driver import open_video, stabilized_points

if TYPE_CHECKING:
    import pytest
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.session import Session


def test_settings_apply_immediately_or_on_request_and_are_stored(
    qtbot: QtBot, window: MainWindow, clip: str, preferences: Preferences
) -> None:
    window._use_settings(replace(window.session.settings, stabilizer="none"))
    open_video(qtbot, window, clip)
    panel, results = window.settings, window.session.results
    assert results is not None
    panel.stabilizer.setCurrentIndex(panel.stabilizer.findData("one-euro"))
    panel.stabilizer.activated.emit(panel.stabilizer.currentIndex())
    qtbot.waitUntil(lambda: not np.array_equal(results.rows().raw, results.rows().stabilized))
    frame = window.session.display.frame
    qtbot.waitUntil(
        lambda: (
            stabilized_points(window) is not None
            and np.array_equal(stabilized_points(window), results.rows().stabilized[frame])
        )
    )
    assert not panel.retrack_button.isVisibleTo(panel)
    panel.max_faces.setValue(3)
    assert panel.retrack_button.isVisibleTo(panel)
    panel.look_every.setValue(1)
    assert panel.look_every.text() == "in every frame"
    assert preferences.tracking().tracker.max_faces == 3
    assert preferences.tracking().tracker.look_every == 1
    panel.retrack_button.click()
    qtbot.waitUntil(lambda: not panel.retrack_button.isVisibleTo(panel), timeout=20000)
    panel.reset.click()
    assert window.session.settings == replace(type(window.session.settings)())
    assert preferences.tracking() == window.session.settings


def test_points_that_change_while_a_frame_is_read_are_shown(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_video(qtbot, window, clip)
    results = window.session.results
    assert results is not None
    changed = results.rows().stabilized + 1

    def shown_frame_that_is_outdated(session: Session) -> ShownFrame | None:
        monkeypatch.setattr(main_window, "shown_frame_of", shown_frame_of)
        shown = shown_frame_of(session)
        results.set_stabilized(changed)
        return shown

    monkeypatch.setattr(main_window, "shown_frame_of", shown_frame_that_is_outdated)
    window.session.frame_changed.emit()
    window.session.results_changed.emit()
    frame = window.session.display.frame
    np.testing.assert_array_equal(stabilized_points(window), changed[frame])


def test_choosing_a_detector_file_offers_to_track_again(
    qtbot: QtBot, window: MainWindow, clip: str, preferences: Preferences
) -> None:
    open_video(qtbot, window, clip)
    panel = window.settings
    files = iter(["", "/models/yunet.onnx"])
    panel.detector._ask = lambda: next(files)

    def ask() -> None:
        index = panel.detector.findData("")
        panel.detector.setCurrentIndex(index)
        panel.detector.activated.emit(index)

    ask()  # no file is chosen: nothing changes
    assert panel.detector.currentData() == "face_net"
    assert not panel.retrack_button.isVisibleTo(panel)
    ask()
    assert panel.detector.currentText() == "YuNet: yunet.onnx"
    assert panel.settings.detector == "yunet:/models/yunet.onnx"
    assert panel.retrack_button.isVisibleTo(panel)
    assert preferences.tracking().detector == "yunet:/models/yunet.onnx"
    panel.reset.click()
    assert panel.detector.currentData() == "face_net"


def test_a_missing_detector_file_is_reported(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    open_video(qtbot, window, clip)

    def open_with_detector(settings: TrackSettings) -> OpenModels:
        open_detector(settings)
        raise AssertionError("a missing file was opened")

    window.session._models.opener = open_with_detector
    window.settings.detector.chosen.emit("yunet:nowhere.onnx")
    window.settings.retrack_button.click()
    qtbot.waitUntil(lambda: any("nowhere.onnx" in text for text in window.messages.texts))


def test_a_network_that_cannot_be_opened_keeps_the_results(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    from steadymark.engine.core.errors import DeviceError

    open_video(qtbot, window, clip)

    def refuse(_: object) -> object:
        raise DeviceError("CUDA was asked for, but is not here")

    window.session._models.opener = refuse  # type: ignore[assignment]
    window._use_settings(replace(window.session.settings, device="cuda"))
    window.session.recording.retrack()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "CUDA" in window.messages.texts[0]
    assert window.session.results is not None
    assert (window.session.results.frame_status() == 1).all()


def test_flow_is_offered_by_name_and_recommended(window: MainWindow) -> None:
    box = window.settings.stabilizer
    offered = [(box.itemData(i), box.itemText(i)) for i in range(box.count())]
    assert offered[:3] == [
        ("auto", "automatic"),
        ("flow", "flow (recommended)"),
        ("none", "none"),
    ]
    assert {"refine", "convlstm"} < {name for name, _ in offered}
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert window.session.settings.stabilizer == "flow"
    assert "heatmap1d-lite · flow · 1 face" in window.settings.presets.summary.text()


def test_track_again_stands_beside_each_changed_setting_that_needs_it(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    window._use_settings(replace(window.session.settings, stabilizer="none"))
    open_video(qtbot, window, clip)
    panel = window.settings

    def offered() -> set[str]:
        return {name for name, button in panel.retrack_buttons.items() if button.isVisibleTo(panel)}

    assert offered() == set()
    panel.apply_settings(replace(window.session.settings, stabilizer="one-euro", focal_px=400.0))
    assert offered() == set()  # a filter is applied at once
    panel.max_faces.setValue(3)
    panel.own_threshold.setChecked(True)
    assert offered() == {"max_faces", "detector_threshold"}
    panel.apply_settings(
        replace(window.session.settings, detector_threshold=None, stabilizer="flow")
    )
    assert offered() == {"max_faces", "stabilizer"}
    panel.retrack_buttons["max_faces"].click()
    qtbot.waitUntil(lambda: offered() == set(), timeout=20000)
    assert window.session.recording.current is not None
    assert window.session.recording.current.settings.tracker.max_faces == 3
