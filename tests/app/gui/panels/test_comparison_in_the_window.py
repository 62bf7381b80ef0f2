"""Any two variants are compared on the same frames; another network needs a second pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.gui.i18n.display_names import variant_name
from steadymark.app.session.analysis.variants import (
    RAW,
    RAW_AND_STABILIZED,
    STABILIZED,
    Variant,
    settings_of_variant,
    variants_for,
)
from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.export import ExportKind
from steadymark.app.session.recording.point_filter import PointFilter
from steadymark.app.session.state import ComparisonLayout, ShownLandmarks
from steadymark.engine.stabilizers.stabilizer_registry import choose as choose_filter
from steadymark.engine.tracking.settings import OpenModels, TrackSettings, landmark_card
from support.fakes.small_model import write_model
from support.videos.square_video import square_models, square_video
from support.window.window_driver import open_video, shows

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.session.analysis.comparison import ComparedPoints
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Prediction

ONE_EURO, BUTTERWORTH = Variant("one-euro"), Variant("butterworth")


def choose(window: MainWindow, first: Variant, second: Variant) -> None:
    """Choose two variants in the panel, as a user would."""
    boxes = window.statistics.variants
    for box, variant in zip(boxes, (first, second), strict=True):
        box.setCurrentIndex([box.itemData(i) for i in range(box.count())].index(variant))
    boxes[1].activated.emit(boxes[1].currentIndex())


def compared(window: MainWindow, first: Variant, second: Variant) -> bool:
    comparison = window.session.analysis.compared
    return comparison is not None and comparison.variants == (first, second)


def filtered(window: MainWindow, kind: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    settings, results = window.session.settings, window.session.results
    assert results is not None
    return PointFilter(settings.filter_of(kind)).refilter(results)


def second_differs(window: MainWindow, comparison: ComparedPoints) -> bool:
    """Return whether the second side has changed; the old one may be compared again before."""
    now = window.session.analysis.compared
    return now is not None and not np.array_equal(now.second, comparison.second, equal_nan=True)


def test_all_variants_that_can_be_compared_are_offered() -> None:
    offered = variants_for(TrackSettings())  # the default stabilizes by flow
    base = "heatmap1d-lite"
    assert offered[:4] == (RAW, STABILIZED, ONE_EURO, BUTTERWORTH)
    assert set(offered[4:6]) == {Variant("refine", base), Variant("convlstm", base)}
    others = {"dan-lite", "heatmap1d-fast", "local_global-lite"}
    assert {variant.model for variant in offered[6:]} == others
    plain = variants_for(TrackSettings(stabilizer="none"))
    assert {Variant("flow", base), *offered[4:6]} <= set(plain)
    published = variants_for(TrackSettings(stabilizer="convlstm"))
    assert Variant("flow", base) in published
    assert Variant("convlstm", base) not in published


@pytest.mark.parametrize("model", ["dan-lite", "local_global-lite", "heatmap1d-tracker"])
def test_flow_is_offered_for_comparison_with_any_model(model: str) -> None:
    settings = TrackSettings(model=model, stabilizer="none")
    (variant,) = (variant for variant in variants_for(settings) if variant.kind == "flow")
    assert landmark_card(settings_of_variant(variant, settings)).cell == "flow"
    assert variant_name(variant) == "flow"


def test_flow_is_offered_for_comparison_with_an_own_model(tmp_path: Path) -> None:
    own = write_model(tmp_path)
    settings = TrackSettings(model=str(own), stabilizer="one-euro")
    (variant,) = (variant for variant in variants_for(settings) if variant.kind == "flow")
    assert landmark_card(settings_of_variant(variant, settings)).path == own


def test_two_filters_are_compared_in_every_layout_without_tracking_again(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    session, results = window.session, window.session.results
    assert results is not None
    session.recording.seek(40)
    qtbot.waitUntil(lambda: shows(window, 40))
    rows = len(results.rows())
    choose(window, ONE_EURO, BUTTERWORTH)
    assert session.display.shown_landmarks is ShownLandmarks.BOTH
    qtbot.waitUntil(lambda: compared(window, ONE_EURO, BUTTERWORTH))
    assert session.analysis.running_passes() == ()
    assert len(results.rows()) == rows
    row = results.rows_at(40)[0]
    assert window.view.shown is not None
    assert window.view.shown.faces
    face = window.view.shown.faces[0]
    assert face.raw is not None
    assert face.stabilized is not None
    np.testing.assert_array_equal(face.raw.xy_px, filtered(window, "one-euro")[row])
    np.testing.assert_array_equal(face.stabilized.xy_px, filtered(window, "butterworth")[row])
    np.testing.assert_array_equal(results.rows().stabilized, results.rows().raw)
    for layout in (ComparisonLayout.WIPE, ComparisonLayout.SIDE):
        session.set_layout(layout)
        captions = [pane.caption for pane in window.view._panes()]
        assert captions == ["One Euro", "Butterworth"]
    measures = session.measures
    assert measures is not None
    np.testing.assert_allclose(measures.raw_xy[40], face.raw.xy_px[30])
    header = window.plots.header("jitter")
    assert "One Euro" in header
    assert "Butterworth" in header
    window.session.set_shown_landmarks(ShownLandmarks.RAW)
    assert window.view.shown.faces[0].raw is not None
    np.testing.assert_array_equal(window.view.shown.faces[0].raw.xy_px, results.rows().raw[row])


def test_changed_filter_parameters_update_the_comparison(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    session = window.session
    choose(window, RAW, BUTTERWORTH)
    qtbot.waitUntil(lambda: compared(window, RAW, BUTTERWORTH))
    comparison = session.analysis.compared
    assert comparison is not None
    slower = choose_filter("butterworth", cutoff_hz=1.0)
    window._use_settings(session.settings.with_filter(slower))
    qtbot.waitUntil(lambda: second_differs(window, comparison))
    updated = session.analysis.compared
    assert updated is not None
    np.testing.assert_array_equal(updated.first, comparison.first)
    np.testing.assert_array_equal(updated.second, PointFilter(slower).refilter(updated.results))


def test_one_filter_can_be_compared_with_two_sets_of_parameters(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    session, sides = window.session, window.statistics.parameters
    window.statistics.details_button.setChecked(True)
    assert [side.isVisible() for side in sides] == [False, False]
    choose(window, ONE_EURO, ONE_EURO)
    qtbot.waitUntil(lambda: compared(window, ONE_EURO, ONE_EURO))
    window.docks.statistics.raise_()
    assert [side.isVisible() for side in sides] == [True, True]
    assert not sides[0].controls["butterworth"].boxes["cutoff_hz"].isVisible()
    comparison = session.analysis.compared
    assert comparison is not None
    np.testing.assert_array_equal(comparison.first, comparison.second)
    boxes = sides[0].controls["one-euro"].boxes
    boxes["beta"].setValue(0.0)
    boxes["min_cutoff_hz"].setValue(0.2)
    choice = choose_filter("one-euro", min_cutoff_hz=0.2, beta=0.0)
    own_one_euro = Variant("one-euro", own=choice)
    qtbot.waitUntil(lambda: compared(window, own_one_euro, ONE_EURO))
    comparison, results = session.analysis.compared, session.results
    assert comparison is not None
    assert results is not None
    np.testing.assert_array_equal(comparison.first, PointFilter(choice).refilter(results))
    assert not np.array_equal(comparison.first, comparison.second, equal_nan=True)
    session.set_layout(ComparisonLayout.SIDE)
    assert [pane.caption for pane in window.view._panes()] == ["One Euro 0.2 Hz, 0", "One Euro"]
    assert window.statistics.motion.table._headings[0].text() == "One Euro\n0.2 Hz, 0"
    assert session.settings.filters == ()
    # the settings apply to the side without own parameters
    window._use_settings(session.settings.with_filter(choose_filter("one-euro", beta=9.0)))
    qtbot.waitUntil(lambda: second_differs(window, comparison))
    updated = session.analysis.compared
    assert updated is not None
    np.testing.assert_array_equal(updated.first, comparison.first)
    assert [side.controls["one-euro"].boxes["beta"].value() for side in sides] == [0.0, 9.0]
    choose(window, Variant("one-euro"), BUTTERWORTH)  # the first side keeps its own parameters
    qtbot.waitUntil(lambda: compared(window, own_one_euro, BUTTERWORTH))
    sides[1].controls["butterworth"].boxes["cutoff_hz"].setValue(2.5)
    own_butterworth = Variant("butterworth", own=choose_filter("butterworth", cutoff_hz=2.5))
    qtbot.waitUntil(lambda: compared(window, own_one_euro, own_butterworth))
    window.files.export(ExportKind.SIDE, tmp_path / "side.mp4")
    qtbot.waitUntil(lambda: (tmp_path / "side.mp4").is_file(), timeout=20000)
    sides[0].use_settings_button.click()
    assert session.display.variants == (ONE_EURO, own_butterworth)
    assert not sides[0].use_settings_button.isVisible()


class ShiftedNetwork:
    """The fake network with all landmarks moved down by 2 pixels of the crop."""

    def __init__(self) -> None:
        self.network = square_models().network
        self.card, self.device = self.network.card, "cpu"

    def step(self, crops: Image, state: object = None, moved: object = None) -> Prediction:
        prediction = self.network.step(crops)
        lowered = prediction.points + np.array([0, 2], np.float32)
        return prediction._replace(points=lowered, raw=lowered)


def models_of(settings: TrackSettings) -> OpenModels:
    models = square_models()
    if settings.model == "dan-lite":
        return replace(models, network=ShiftedNetwork())
    return models


def test_comparing_another_network_tracks_again_and_keeps_both_results(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.session._models = ModelCache(models_of)
    open_video(qtbot, window, clip)
    session, dan = window.session, Variant("none", "dan-lite")
    results = session.results
    assert results is not None
    before = results.rows().raw.copy()
    choose(window, RAW, dan)
    assert [variant for variant, _ in session.analysis.running_passes()] == [dan]
    window._refresh_now()
    assert "dan-lite" in window.statistics.running_passes.text()

    def complete() -> bool:
        comparison = session.analysis.compared
        rows = np.isfinite(before[:, 0, 0])
        finished = session.analysis.running_passes() == ()
        if not finished or comparison is None or not comparison.known.all():
            return False
        return bool(np.isfinite(comparison.second[rows]).all())

    qtbot.waitUntil(complete, timeout=20000)
    comparison = session.analysis.compared
    assert comparison is not None
    lowered = np.nanmean((comparison.second - comparison.first)[..., 1])
    assert lowered == pytest.approx(2 * 60 * 1.4 / 64, rel=0.3)
    np.testing.assert_array_equal(results.rows().raw, before)
    choose(window, *RAW_AND_STABILIZED)
    qtbot.waitUntil(lambda: session.analysis.compared is None)
    choose(window, dan, STABILIZED)  # the results of the second pass were kept
    assert session.analysis.running_passes() == ()
    window.open_path(str(square_video(tmp_path / "b.mp4", 30)))
    qtbot.waitUntil(lambda: session.analysis.variants == RAW_AND_STABILIZED)


def test_a_network_that_cannot_be_opened_is_reported_and_the_comparison_is_reset(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    from steadymark.engine.core.errors import DeviceError

    def refuse(settings: TrackSettings) -> OpenModels:
        if settings.model == "dan-lite":
            raise DeviceError("CUDA was asked for, but is not here")
        return square_models()

    window.session._models = ModelCache(refuse)
    open_video(qtbot, window, clip)
    choose(window, RAW, Variant("none", "dan-lite"))
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "CUDA" in window.messages.texts[0]
    assert window.session.display.variants == RAW_AND_STABILIZED
