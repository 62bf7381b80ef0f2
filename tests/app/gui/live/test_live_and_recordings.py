"""What a live view shares with recordings (heatmaps, presets, the queue), and what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.app.session.state import Phase
from steadymark.engine.tracking.settings import OpenModels
from steadymark.models.face.crop import cut
from steadymark.models.runtime.heatmap_tap import HeatmapTap
from steadymark.models.runtime.zoo import find_model
from support.videos.square_video import square_models, square_video
from support.window.live_window_driver import start_live_view, wait_for_frames
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice

RECORDING_ONLY_ACTIONS = (
    "step_back", "step_on", "jump_on", "first", "go_to", "faster", "loop", "again", "track",
    "load_truth", "export_table_native", "export_table_openface", "export_video", "export_side",
)  # fmt: skip


def test_recording_only_actions_are_disabled_with_a_reason(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, clip: str
) -> None:
    start_live_view(qtbot, window)
    for name in RECORDING_ONLY_ACTIONS:
        action = window.actions_by_name[name]
        assert not action.isEnabled(), name
        assert "record it and open the recording" in action.toolTip(), name
        assert "record it" in action.statusTip(), name
    for box in window.statistics.variants:
        assert not box.isEnabled()
        assert "record it" in box.toolTip()
    open_video(qtbot, window, clip)
    for name in RECORDING_ONLY_ACTIONS:
        assert "\n" not in window.actions_by_name[name].toolTip(), name
    assert window.actions_by_name["load_truth"].isEnabled()
    assert window.statistics.variants[0].isEnabled()
    for name in ("record", "mirror"):
        assert "Open a camera or stream first" in window.actions_by_name[name].toolTip()


def test_the_tooltip_of_a_disabled_action_shows_its_new_shortcut_and_the_reason(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    assert window.options.shortcuts.set_keys("loop", ["F12"]) == ""
    tip = window.actions_by_name["loop"].toolTip()
    assert "(F12)" in tip
    assert "record it" in tip


def test_live_heatmaps_belong_to_the_frame_that_is_shown(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    card, fakes = find_model("stabilizer-1d", "landmarks"), square_models()
    models = ModelCache(lambda _: OpenModels(fakes.network, fakes.detector, (card,)))
    window.session.live._models = models
    start_live_view(qtbot, window)
    key(window, "heatmaps")
    qtbot.waitUntil(lambda: window.view.shown is not None and bool(window.view.shown.heatmaps))
    wait_for_frames(qtbot, window)
    key(window, "stop")
    shown = window.view.shown
    assert shown is not None
    assert shown.faces
    crop = shown.faces[0].crop
    assert crop is not None
    crop_image = cut(shown.frame.image, crop.matrix_to_image(128), 128)
    np.testing.assert_array_equal(shown.heatmaps[0], HeatmapTap(card).of(np.stack([crop_image]))[0])
    key(window, "heatmaps")
    qtbot.waitUntil(lambda: window.view.shown is not None and window.view.shown.heatmaps == {})


def test_latency_and_rate_are_shown_with_heatmaps(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    card, fakes = find_model("stabilizer-1d", "landmarks"), square_models()
    window.session.live._models = ModelCache(
        lambda _: OpenModels(fakes.network, fakes.detector, (card,))
    )
    key(window, "heatmaps")
    assert not window.actions_by_name["heatmaps"].isEnabled()
    start_live_view(qtbot, window)
    key(window, "heatmaps")
    qtbot.waitUntil(lambda: "–" not in window.live_bar.latency.text() + window.live_bar.rate.text())


def test_a_preset_chosen_during_a_live_view_applies_without_reopening(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    bar, live = window.settings.presets, window.session.live
    bar.box.setCurrentIndex(bar.box.findText("Light filter"))
    bar.box.activated.emit(bar.box.currentIndex())
    qtbot.waitUntil(
        lambda: (
            live._open is not None and live._open.settings.filter_of("one-euro").value("beta") == 20
        )
    )
    assert live._open is not None
    assert live._open.settings.stabilizer == "one-euro"
    assert not window.settings.retrack_button.isVisibleTo(window.settings)
    wait_for_frames(qtbot, window)
    assert device.opened == 1


@pytest.mark.parametrize("opening", [False, True])
def test_ground_truth_dropped_on_a_live_view_is_refused(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path, *, opening: bool
) -> None:
    if opening:
        window.session.open_live(LiveTarget("camera:0"))
        assert window.session.display.phase is Phase.OPENING
    else:
        start_live_view(qtbot, window)
    ground_truth = tmp_path / "truth"
    ground_truth.mkdir()
    (ground_truth / "000001.pts").write_text("version: 1\nn_points: 1\n{\n1 1\n}\n")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(ground_truth))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    assert any("open its recording first" in text for text in window.messages.texts)
    assert window.session.analysis._pending_truth_path is None
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
    wait_for_frames(qtbot, window)


def test_the_queue_tracks_videos_during_a_live_view(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, window)
    key(window, "queue")
    many = window.exports.queue_window
    assert many is not None
    assert many.isVisible()
    many.add([str(square_video(tmp_path / "b.mp4", 40))])
    many.folder.setText(str(tmp_path / "out"))
    many.start_button.click()
    wait_for_frames(qtbot, window)
    qtbot.waitUntil(lambda: many.queue.running == 0, timeout=20000)
    assert [item.note for item in many.queue.items if item.note] == []
    assert (tmp_path / "out" / "b.csv").is_file()
    wait_for_frames(qtbot, window)


def test_jitter_of_a_region_is_plotted_live(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    region = window.plots.region
    region.setCurrentIndex(2)
    region.activated.emit(2)
    chosen = region.currentData()
    qtbot.waitUntil(
        lambda: window.session.measures is not None and window.session.measures.region == chosen,
        timeout=8000,
    )
    assert window.session.measures is not None
    assert len(window.session.measures.regions) == region.count() - 1
