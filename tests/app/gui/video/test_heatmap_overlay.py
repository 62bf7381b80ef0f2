"""Heatmaps along the edges of the crop: computed only while shown, for the shown frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.background_opening import ModelCache
from steadymark.engine.tracking.settings import OpenModels
from steadymark.models.face.crop import cut
from steadymark.models.runtime.heatmap_tap import HeatmapTap
from steadymark.models.runtime.zoo import find_model
from support.videos.square_video import square_models
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


def test_heatmaps_are_shown_on_request_and_belong_to_their_frame(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    card = find_model("stabilizer-1d", "landmarks")
    models = square_models()
    with_card = OpenModels(models.network, models.detector, (card,))
    window.session._models = ModelCache(lambda _: with_card)
    open_video(qtbot, window, clip)
    view, session = window.view, window.session
    assert view.shown is not None
    assert view.shown.heatmaps == {}
    assert session.analysis._heatmap_worker._thread is None
    before = view.grab().toImage()
    key(window, "heatmaps")
    qtbot.waitUntil(lambda: view.shown is not None and bool(view.shown.heatmaps))
    assert view.grab().toImage() != before
    session.recording.seek(40)
    qtbot.waitUntil(lambda: view.shown is not None and view.shown.frame.index == 40)
    shown = view.shown
    assert shown is not None
    assert shown.faces
    crop = shown.faces[0].crop
    assert crop is not None
    crop_image = cut(shown.frame.image, crop.matrix_to_image(128), 128)
    np.testing.assert_array_equal(shown.heatmaps[0], HeatmapTap(card).of(np.stack([crop_image]))[0])
    key(window, "heatmaps")
    qtbot.waitUntil(lambda: view.shown is not None and view.shown.heatmaps == {})


def test_a_model_without_heatmaps_is_reported_once(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    models = square_models()
    card = find_model("dan-lite", "landmarks")
    window.session._models = ModelCache(
        lambda _: OpenModels(models.network, models.detector, (card,))
    )
    open_video(qtbot, window, clip)
    key(window, "heatmaps")
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "no 1D heatmaps" in window.messages.texts[0]
    window.messages.dismiss_all()
    window.session.recording.seek(40)
    shown = window.view
    qtbot.waitUntil(lambda: shown.shown is not None and shown.shown.frame.index == 40)
    assert window.messages.texts == []
