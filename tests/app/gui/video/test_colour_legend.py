"""The view has a legend for the colours of scores and speeds while they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QImage

from steadymark.app.gui.video.colour_legend import legend_lines
from steadymark.app.gui.video.overlay import SPEED_BANDS
from steadymark.app.session.state import OverlayOptions, ShownLandmarks
from steadymark.engine.output.video.draw_style import SCORE_BANDS
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


def test_the_legend_lists_only_visible_colour_scales(english: None) -> None:
    assert legend_lines(OverlayOptions()) == []
    assert legend_lines(OverlayOptions(points=False, scores=True)) == []
    lines = legend_lines(OverlayOptions(scores=True, trails=True))
    assert [title for title, _ in lines] == ["score", "speed, % of the face/s"]
    assert [words for _, words in lines[0][1]] == ["< 0.3", "< 0.6", "< 0.8", "≥ 0.8"]
    assert [colour for colour, _ in lines[0][1]] == [colour for _, colour in SCORE_BANDS]
    assert [colour for colour, _ in lines[1][1]] == [colour for _, colour in SPEED_BANDS]


def test_the_legend_is_visible_while_landmarks_are_shown(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    session, all_scores = window.session, {colour for _, colour in SCORE_BANDS}
    assert not all_scores <= corner_colours(window)
    session.set_overlay(replace(session.display.overlay, scores=True))
    assert all_scores <= corner_colours(window)
    session.set_shown_landmarks(ShownLandmarks.OFF)
    assert not all_scores <= corner_colours(window)


def corner_colours(window: MainWindow) -> set[str]:
    """Return the colours of the view's upper right corner."""
    image: QImage = window.view.grab().toImage()
    width = image.width()
    return {QColor(image.pixel(x, y)).name() for x in range(width // 2, width) for y in range(60)}
