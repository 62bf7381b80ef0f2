"""The time axis of the plots, and their export as SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea

from steadymark.app.gui.panels.plot_header import header_entries, header_html
from steadymark.app.gui.panels.plots import Plots
from steadymark.app.gui.panels.portable_svg import without_scaled_strokes

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.session.analysis.face_measures import FaceMeasures

SVG_NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def plots(qtbot: QtBot) -> Plots:
    plots = Plots()
    qtbot.addWidget(plots)
    plots.resize(900, 300)
    with qtbot.waitExposed(plots):
        plots.show()
    return plots


def plot_seconds(qtbot: QtBot, plots: Plots, seconds: float) -> None:
    """Plot a curve of this length in every plot."""
    times = np.linspace(0, seconds, 500)
    for curve in plots._curves.values():
        curve.setData(times, 1.5 + np.sin(times))
        # pyqtgraph updates ranges when it paints
    qtbot.waitUntil(lambda: all(seconds <= last < 1.1 * seconds for _, last in spans(plots)))


def spans(plots: Plots) -> list[tuple[float, float]]:
    return [tuple(plots._plots[name].viewRange()[0]) for name in plots.shown_plots]


@pytest.mark.parametrize("others", [("jitter", "x"), ("jitter", "x", "y", "head_pose"), ("score",)])
def test_the_time_axis_adapts_to_another_recording(
    qtbot: QtBot, plots: Plots, others: tuple[str, ...]
) -> None:
    plot_seconds(qtbot, plots, 50)
    plots.show_plots(*others)
    plots.show_plots("jitter", "x")
    plots.set_measures(None)
    plot_seconds(qtbot, plots, 4)
    assert len(spans(plots)) == 2
    assert all(-1 < first <= 0 for first, _ in spans(plots))


def test_a_double_click_shows_the_whole_recording_and_does_not_seek(
    qtbot: QtBot, plots: Plots
) -> None:
    plot_seconds(qtbot, plots, 50)
    plots._measures = cast("FaceMeasures", object())  # A click counts only when there are curves.
    plots._plots["jitter"].setXRange(10, 12)
    assert spans(plots)[1][1] < 13
    seek_requested: list[float] = []
    plots.clicked.connect(seek_requested.append)
    view, left, position = plots._widget.viewport(), Qt.MouseButton.LeftButton, QPoint(450, 60)
    QTest.mouseClick(view, left, pos=position)
    QTest.mouseDClick(view, left, pos=position)
    QTest.mouseRelease(view, left, pos=position)
    qtbot.waitUntil(lambda: all(last >= 50 for _, last in spans(plots)))
    qtbot.wait(2 * QApplication.doubleClickInterval())
    assert seek_requested == []
    QTest.mouseClick(view, left, pos=position)
    qtbot.waitUntil(lambda: len(seek_requested) == 1)
    assert 20 < seek_requested[0] < 30


def test_five_plots_stay_readable_and_scroll(qtbot: QtBot, plots: Plots) -> None:
    plots.show_plots("jitter", "x", "y", "score", "speed")
    plot_seconds(qtbot, plots, 50)
    area = plots._widget.parentWidget().parentWidget()
    assert isinstance(area, QScrollArea)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    for name in plots.shown_plots:
        plot = plots._plots[name]
        assert plot.getAxis("left").style["showValues"]
        assert plot.vb.height() >= 35
        assert plots.header(name).strip()
    plots.show_plots("jitter")
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)


def test_the_header_shows_the_values_at_the_playback_position() -> None:
    values = {
        "x_raw": np.array([1.0, np.nan, 250.25]),
        "x_stabilized": np.array([2.0, 3.0, 0.00012]),
    }
    entries = header_entries("x")
    shown = [header_html("x, px", entries, ("raw", "One Euro"), values, n) for n in (0, 1, 2)]
    assert all(text.startswith("<b>x, px</b>") for text in shown)
    assert [text.count("–") for text in shown] == [0, 1, 0]
    assert "raw 250.2" in shown[2]
    assert "One Euro 0.00012" in shown[2]
    without = header_html("x, px", entries, ("raw", "One Euro"), None, 1)
    assert without.endswith("One Euro")


def test_curves_of_an_svg_do_not_use_non_scaling_strokes(qtbot: QtBot, plots: Plots) -> None:
    plot_seconds(qtbot, plots, 50)
    root = ElementTree.fromstring(plots.as_svg())
    width, height = (float(size) for size in root.attrib["viewBox"].split()[2:])
    curves = 0
    for group in root.iter(f"{SVG_NAMESPACE}g"):
        for shape in group:
            assert "vector-effect" not in shape.attrib, (group.attrib, shape.tag, shape.attrib)
            if (
                shape.tag in (f"{SVG_NAMESPACE}path", f"{SVG_NAMESPACE}polyline")
                and group.get("stroke") != "none"
            ):
                assert (
                    "transform" not in group.attrib or "matrix(1,0,0,1" in group.attrib["transform"]
                )
                text = shape.get("d") or shape.attrib["points"]
                points = np.array([p.split(",") for p in re.findall(r"[-\d.]+,[-\d.]+", text)])
                assert (points.astype(float) >= -50).all()
                assert (points.astype(float) <= [width + 50, height + 50]).all()
                curves += len(points) > 100
    assert curves >= 4  # of jitter and x, raw and stabilized


def test_the_transform_of_an_svg_is_applied_to_every_point() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg"><g transform="matrix(2,0,0,-10,100,50)">'
        '<path vector-effect="non-scaling-stroke" d="M0,1 L1.5,-2e-1 Z"/></g></svg>'
    )
    group = ElementTree.fromstring(without_scaled_strokes(svg.encode()))[0]
    assert group.attrib == {}
    assert group[0].attrib == {"d": "M100.00,40.00 L103.00,52.00 Z"}
