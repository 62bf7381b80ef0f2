"""The time axis of the plots, and their export as SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from steadymark.app.gui.panels.plots import Plots
from steadymark.app.gui.panels.portable_svg import without_scaled_strokes

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

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
    return [tuple(plots._plots[name].viewRange()[0]) for name in plots.chosen]


@pytest.mark.parametrize("others", [("jitter", "x"), ("jitter", "x", "y", "pose"), ("score",)])
def test_the_time_axis_adapts_to_another_recording(
    qtbot: QtBot, plots: Plots, others: tuple[str, ...]
) -> None:
    plot_seconds(qtbot, plots, 50)
    plots.choose(*others)
    plots.choose("jitter", "x")
    plots.set_measures(None)
    plot_seconds(qtbot, plots, 4)
    assert len(spans(plots)) == 2
    assert all(-1 < first <= 0 for first, _ in spans(plots))


def test_a_double_click_shows_the_whole_recording(qtbot: QtBot, plots: Plots) -> None:
    plot_seconds(qtbot, plots, 50)
    plots._plots["jitter"].setXRange(10, 12)
    assert spans(plots)[1][1] < 13
    view, left, position = plots._widget.viewport(), Qt.MouseButton.LeftButton, QPoint(450, 60)
    QTest.mouseClick(view, left, pos=position)
    QTest.mouseDClick(view, left, pos=position)
    QTest.mouseRelease(view, left, pos=position)
    qtbot.waitUntil(lambda: all(last >= 50 for _, last in spans(plots)))


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
