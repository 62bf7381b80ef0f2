"""Any two takes of a recording on the same frames: filters at once, networks by a second pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.gui.i18n.display_names import variant_name
from steadymark.app.session.analysis.variants import (
    PLAIN,
    RAW,
    STEADY,
    Variant,
    variant_of_model,
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
from support.window.window_driver import opened, shows

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.session.analysis.comparison import ComparedPoints
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Prediction

ONE_EURO, BUTTERWORTH = Variant("one-euro"), Variant("butterworth")


def choose(window: MainWindow, first: Variant, second: Variant) -> None:
    """In the panel, as a user would."""
    boxes = window.numbers.takes
    for box, take in zip(boxes, (first, second), strict=True):
        box.setCurrentIndex([box.itemData(i) for i in range(box.count())].index(take))
    boxes[1].activated.emit(boxes[1].currentIndex())


def compared(window: MainWindow, first: Variant, second: Variant) -> bool:
    made = window.session.analysis.compared
    return made is not None and made.takes == (first, second)


def filtered(window: MainWindow, kind: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    settings, results = window.session.settings, window.session.results
    assert results is not None
    return PointFilter(settings.filter_of(kind)).refilter(results)


def second_differs(window: MainWindow, made: ComparedPoints) -> bool:
    """The same may be compared once more before."""
    now = window.session.analysis.compared
    return now is not None and not np.array_equal(now.second, made.second, equal_nan=True)


def test_all_that_can_be_compared_is_offered() -> None:
    offered = variants_for(TrackSettings())  # the default stabilizes by flow
    base = "heatmap1d-lite"
    assert offered[:4] == (RAW, STEADY, ONE_EURO, BUTTERWORTH)
    assert set(offered[4:6]) == {Variant("refine", base), Variant("convlstm", base)}
    assert {take.model for take in offered[6:]} == {"dan-lite", "local_global-lite"}
    plain = variants_for(TrackSettings(stabilizer="none"))
    assert {Variant("flow", base), *offered[4:6]} <= set(plain)
    published = variants_for(TrackSettings(stabilizer="convlstm"))
    assert Variant("flow", base) in published
    assert Variant("convlstm", base) not in published


@pytest.mark.parametrize("model", ["dan-lite", "local_global-lite", "heatmap1d-tracker"])
def test_flow_can_be_compared_over_any_model(model: str) -> None:
    settings = TrackSettings(model=model, stabilizer="none")
    (take,) = (take for take in variants_for(settings) if take.kind == "flow")
    assert landmark_card(variant_of_model(take, settings)).cell == "flow"
    assert variant_name(take) == "flow"


def test_flow_can_be_compared_over_a_model_of_the_users_own(tmp_path: Path) -> None:
    own = write_model(tmp_path)
    settings = TrackSettings(model=str(own), stabilizer="one-euro")
    (take,) = (take for take in variants_for(settings) if take.kind == "flow")
    assert landmark_card(variant_of_model(take, settings)).path == own


def test_two_filters_are_compared_without_tracking_again_in_every_layout(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    opened(qtbot, window, clip)
    session, results = window.session, window.session.results
    assert results is not None
    session.seek(40)
    qtbot.waitUntil(lambda: shows(window, 40))
    rows = len(results.rows())
    choose(window, ONE_EURO, BUTTERWORTH)
    assert session.display.show is ShownLandmarks.BOTH
    qtbot.waitUntil(lambda: compared(window, ONE_EURO, BUTTERWORTH))
    assert session.analysis.passes() == ()
    assert len(results.rows()) == rows
    row = results.rows_at(40)[0]
    assert window.view.shown is not None
    assert window.view.shown.faces
    face = window.view.shown.faces[0]
    assert face.raw is not None
    assert face.stabilized is not None
    np.testing.assert_array_equal(face.raw.xy_px, filtered(window, "one-euro")[row])
    np.testing.assert_array_equal(face.stabilized.xy_px, filtered(window, "butterworth")[row])
    np.testing.assert_array_equal(results.rows().steady, results.rows().raw)
    for layout in (ComparisonLayout.WIPE, ComparisonLayout.SIDE):
        session.set_layout(layout)
        captions = [pane.caption for pane in window.view._panes()]
        assert captions == ["One Euro", "Butterworth"]
    measures = session.measures
    assert measures is not None
    np.testing.assert_allclose(measures.raw_xy[40], face.raw.xy_px[30])
    labels = [label.text for _, label in window.plots._plots["jitter"].legend.items]
    assert labels == ["One Euro", "Butterworth"]
    window.session.set_show(ShownLandmarks.RAW)
    assert window.view.shown.faces[0].raw is not None
    np.testing.assert_array_equal(window.view.shown.faces[0].raw.xy_px, results.rows().raw[row])


def test_a_filters_new_parameters_reach_the_comparison(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    opened(qtbot, window, clip)
    session = window.session
    choose(window, RAW, BUTTERWORTH)
    qtbot.waitUntil(lambda: compared(window, RAW, BUTTERWORTH))
    made = session.analysis.compared
    assert made is not None
    slower = choose_filter("butterworth", cutoff_hz=1.0)
    window._use_settings(session.settings.with_filter(slower))
    qtbot.waitUntil(lambda: second_differs(window, made))
    again = session.analysis.compared
    assert again is not None
    np.testing.assert_array_equal(again.first, made.first)
    np.testing.assert_array_equal(again.second, PointFilter(slower).refilter(again.results))


def test_one_filter_is_compared_at_two_settings(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    opened(qtbot, window, clip)
    session, sides = window.session, window.numbers.parameters
    assert [side.isVisible() for side in sides] == [False, False]
    choose(window, ONE_EURO, ONE_EURO)
    qtbot.waitUntil(lambda: compared(window, ONE_EURO, ONE_EURO))
    window.docks.numbers.raise_()
    assert [side.isVisible() for side in sides] == [True, True]
    assert not sides[0].controls["butterworth"].boxes["cutoff_hz"].isVisible()
    made = session.analysis.compared
    assert made is not None
    np.testing.assert_array_equal(made.first, made.second)
    boxes = sides[0].controls["one-euro"].boxes
    boxes["beta"].setValue(0.0)
    boxes["min_cutoff_hz"].setValue(0.2)
    lazy = Variant("one-euro", own=choose_filter("one-euro", min_cutoff_hz=0.2, beta=0.0))
    qtbot.waitUntil(lambda: compared(window, lazy, ONE_EURO))
    made, results = session.analysis.compared, session.results
    assert made is not None
    assert results is not None
    assert lazy.own is not None
    np.testing.assert_array_equal(made.first, PointFilter(lazy.own).refilter(results))
    assert not np.array_equal(made.first, made.second, equal_nan=True)
    session.set_layout(ComparisonLayout.SIDE)
    assert [pane.caption for pane in window.view._panes()] == ["One Euro 0.2 Hz, 0", "One Euro"]
    assert window.numbers.table._heads[0].text() == "One Euro\n0.2 Hz, 0"
    assert session.settings.filters == ()
    # settings reach the side that has none of its own
    window._use_settings(session.settings.with_filter(choose_filter("one-euro", beta=9.0)))
    qtbot.waitUntil(lambda: second_differs(window, made))
    again = session.analysis.compared
    assert again is not None
    np.testing.assert_array_equal(again.first, made.first)
    assert [side.controls["one-euro"].boxes["beta"].value() for side in sides] == [0.0, 9.0]
    choose(window, Variant("one-euro"), BUTTERWORTH)  # the other side keeps what it was given
    qtbot.waitUntil(lambda: compared(window, lazy, BUTTERWORTH))
    sides[1].controls["butterworth"].boxes["cutoff_hz"].setValue(2.5)
    gentle = Variant("butterworth", own=choose_filter("butterworth", cutoff_hz=2.5))
    qtbot.waitUntil(lambda: compared(window, lazy, gentle))
    window.files.export(ExportKind.SIDE, tmp_path / "side.mp4")
    qtbot.waitUntil(lambda: (tmp_path / "side.mp4").is_file(), timeout=20000)
    sides[0].as_set.click()
    assert session.display.takes == (ONE_EURO, gentle)
    assert not sides[0].as_set.isVisible()


class ShiftedNetwork:
    """The fakes' network, all points 2 pixels of the crop lower."""

    def __init__(self) -> None:
        self.network = square_models().network
        self.card, self.device = self.network.card, "cpu"

    def step(self, crops: Image, state: object = None, moved: object = None) -> Prediction:
        seen = self.network.step(crops)
        lower = seen.points + np.array([0, 2], np.float32)
        return seen._replace(points=lower, raw=lower)


def models_of(settings: TrackSettings) -> OpenModels:
    made = square_models()
    if settings.model == "dan-lite":
        return replace(made, network=ShiftedNetwork())  # type: ignore[arg-type]
    return made


def test_another_network_tracks_a_second_time_and_both_results_are_kept(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.session._models = ModelCache(models_of)
    opened(qtbot, window, clip)
    session, dan = window.session, Variant("none", "dan-lite")
    results = session.results
    assert results is not None
    before = results.rows().raw.copy()
    choose(window, RAW, dan)
    assert [take for take, _ in session.analysis.passes()] == [dan]
    window._refresh_now()
    assert "dan-lite" in window.numbers.passes.text()

    def all_there() -> bool:
        made = session.analysis.compared
        rows = np.isfinite(before[:, 0, 0])
        done = session.analysis.passes() == ()
        if not done or made is None or not made.known.all():
            return False
        return bool(np.isfinite(made.second[rows]).all())

    qtbot.waitUntil(all_there, timeout=20000)
    made = session.analysis.compared
    assert made is not None
    lower = np.nanmean((made.second - made.first)[..., 1])
    assert lower == pytest.approx(2 * 60 * 1.4 / 64, rel=0.3)
    np.testing.assert_array_equal(results.rows().raw, before)
    choose(window, *PLAIN)
    qtbot.waitUntil(lambda: session.analysis.compared is None)
    choose(window, dan, STEADY)  # what was tracked is still there
    assert session.analysis.passes() == ()
    window.open_path(str(square_video(tmp_path / "b.mp4", 30)))
    assert session.analysis.takes == PLAIN


def test_a_network_that_cannot_be_opened_is_told_and_the_comparison_goes_back(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    from steadymark.engine.core.errors import DeviceError

    def refuse(settings: TrackSettings) -> OpenModels:
        if settings.model == "dan-lite":
            raise DeviceError("CUDA was asked for, but is not here")
        return square_models()

    window.session._models = ModelCache(refuse)
    opened(qtbot, window, clip)
    choose(window, RAW, Variant("none", "dan-lite"))
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "CUDA" in window.messages.texts[0]
    assert window.session.display.takes == PLAIN
