"""The statistics panel begins with a verdict and three figures, and says why there are none."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from steadymark.app.gui.i18n.language import apply_language
from steadymark.app.gui.panels.statistics_panel import StatisticsPanel
from steadymark.app.gui.panels.verdict_box import VerdictBox
from steadymark.app.session.analysis.tracking_figures import TrackingFigures
from steadymark.app.session.state import Phase
from steadymark.engine.core.face_frames import FaceFrames
from steadymark.engine.expressions.action_units import INTENSITIES
from steadymark.engine.expressions.arkit import SHAPES
from support.fakes.fake_results import tracked_face
from support.videos.square_video import square_video
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.preferences import Preferences

NO_FACE = "No face was found in empty.mp4 (40 frames). Try a lower threshold"
FIGURES = TrackingFigures(FaceFrames(300, 272), 0.95, 0.31, 0.12, 0.8, 0.7, 30.0)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_video_without_a_face_is_reported_in_the_panel_and_over_the_timeline(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    path = square_video(tmp_path / "empty.mp4", 40, lost=range(40))
    open_video(qtbot, window, str(path))
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    qtbot.waitUntil(lambda: window.statistics.summary.reason.text().startswith(NO_FACE))
    assert window.playback_bar.timeline.toolTip().startswith(NO_FACE)
    assert window.playback_bar.timeline._note is not None
    assert window.messages.texts == []
    assert plain(window.status.phase.text()) == "All frames processed, 0.0 % with a face"
    window.session.close_source()
    window._refresh_now()
    assert "nothing to measure" in window.statistics.summary.reason.text()
    assert window.playback_bar.timeline.toolTip() == ""


def test_frames_processed_and_frames_with_a_face_have_two_names(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    panel = window.statistics
    qtbot.waitUntil(lambda: plain(panel.summary.with_face.text()) == "96.7 % of 120 frames")
    qtbot.waitUntil(lambda: plain(panel.processed.text()) == "100 % of 120 frames")
    window._refresh_now()
    assert plain(window.status.phase.text()) == "All frames processed, 96.7 % with a face"
    assert window.status.details.text().endswith("tracked on CPU")
    assert plain(window.status.zoom.text()).startswith("zoom ")
    assert "Tracked" not in [label.text() for label in panel.findChildren(QLabel)]


@pytest.mark.usefixtures("english")
def test_the_verdict_and_three_figures_stand_at_the_top(qtbot: QtBot) -> None:
    box = VerdictBox()
    qtbot.addWidget(box)
    box.set_names("raw", "stabilized")
    box.show_figures(FIGURES)
    assert "Good" in box.verdict.text()
    assert box.reason.text() == "The face is found, and its landmarks are certain and steady"
    assert plain(box.with_face.text()) == "90.7 % of 300 frames"
    assert box.score.text() == "0.95"
    assert plain(box.fast.text()) == "0.31 % raw\n0.12 % stabilized"
    box.show_figures(TrackingFigures(FaceFrames(10, 10), 0.95, fps=10.0))
    assert box.fast.text() == "The video has 10 frames per second; 15 are needed."


def test_numbers_have_the_decimal_sign_of_the_language(qtbot: QtBot, english: None) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_language(application, "de")
    box, panel = VerdictBox(), StatisticsPanel()
    for widget in (box, panel):
        qtbot.addWidget(widget)
    box.set_names("roh", "stabilisiert")
    box.show_figures(FIGURES)
    assert plain(box.with_face.text()) == "90,7 % von 300 Bildern"
    assert box.score.text() == "0,95"
    panel.set_progress(share=0.5, frames=1, device="cpu", detect_ms=6.84, landmarks_ms=9.0)
    assert plain(panel.processed.text()) == "50 % von 1 Bild"
    assert plain(panel.stage_times.text()) == "Landmarken 9,0 ms\nDetektor 6,8 ms"


def test_the_details_are_folded_until_they_are_wanted_and_this_is_remembered(
    qtbot: QtBot, window: MainWindow, preferences: Preferences, clip: str
) -> None:
    open_video(qtbot, window, clip)
    panel = window.statistics
    assert not panel.details.isVisibleTo(panel)
    panel.details_button.click()
    assert panel.details.isVisibleTo(panel)
    assert preferences.values("statistics") == {"details": True}
    window._retranslate()
    assert window.statistics is not panel
    assert window.statistics.details.isVisibleTo(window.statistics)
    window.statistics.details_button.click()
    assert preferences.values("statistics") == {"details": False}


@pytest.mark.usefixtures("english")
def test_no_value_is_an_unexplained_dash(qtbot: QtBot) -> None:
    panel = StatisticsPanel(details_shown=True)
    qtbot.addWidget(panel)
    panel.set_measures(None)
    panel.set_faces(None)
    panel.set_progress(
        share=0.0, frames=0, device="", detect_ms=float("nan"), landmarks_ms=float("nan")
    )
    shown = [label.text() for label in panel.findChildren(QLabel) if label.isVisibleTo(panel)]
    assert "no face in this frame" in shown
    assert "–" not in shown


@pytest.mark.usefixtures("english")
def test_expressions_and_units_of_a_face_whose_far_side_is_hidden_are_shown(qtbot: QtBot) -> None:
    panel = StatisticsPanel(details_shown=True)
    qtbot.addWidget(panel)
    face = tracked_face()
    assert face.attributes is not None
    shapes = [0.0] * len(SHAPES)
    shapes[SHAPES.index("jawOpen")], shapes[SHAPES.index("eyeBlinkLeft")] = 0.7, math.nan
    units = [math.nan, *[0.0] * 34]
    units[INTENSITIES.index("AU26_r")] = 3.5
    values = {"expressions": tuple(shapes), "action_units": tuple(units)}
    known = replace(face.attributes, values=values)
    panel.set_faces([replace(face, attributes=known)])
    (expressions,), (action_units,) = panel.readouts["expressions"], panel.readouts["action_units"]
    assert expressions.text() == "jawOpen 0.70"
    assert action_units.text() == "AU26 jaw drop 3.5"
