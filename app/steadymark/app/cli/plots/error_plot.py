"""A plot of the cumulative error curves of several models."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.app.cli.plots.plot_files import COLOURS, add_legend, draw_plot, label_axes
from steadymark.engine.metrics.accuracy import (
    CURVE_END,
    FAILURE_ERROR,
    cumulative_curve,
    mean_of_finite,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.engine.metrics.accuracy import Values


def error_plot(errors: Mapping[str, Values], *, of: str, title: str) -> bytes:
    """Draw cumulative error curves as a PNG: the share of faces or frames up to each error.

    Faces that were not found (NaN) are counted, so the curve ends below 100 %.

    Args:
        errors: Name → (N,) errors in %.
        of: What is counted: faces or frames.
        title: The title of the plot.

    Raises:
        UsageError: Qt cannot be loaded.
    """
    return draw_plot(lambda plot: _fill(plot, errors, of, title))


def _fill(plot: Any, errors: Mapping[str, Values], of: str, title: str) -> None:
    import pyqtgraph as pg
    from PySide6.QtCore import Qt

    label_axes(plot, "NRMSE (% of the outer-eye distance)", f"{of} (%)", title)
    plot.setXRange(0, CURVE_END, padding=0.01)
    plot.setYRange(0, 100, padding=0.01)
    plot.addItem(
        pg.InfiniteLine(
            FAILURE_ERROR,
            pen=pg.mkPen("#808080", width=1.5, style=Qt.PenStyle.DashLine),
            label="failed: 8 % or more",
            labelOpts={"position": 0.93, "color": "#606060", "anchors": [(1, 0.5), (1, 0.5)]},
        )
    )
    add_legend(plot, (-20, -20))
    bounds = np.linspace(0, CURVE_END, 1001)
    lines = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
    for number, (name, values) in enumerate(errors.items()):
        colour = COLOURS[number % len(COLOURS)]
        style = lines[number % len(lines)]  # overlapping curves both stay visible
        plot.plot(
            bounds,
            100 * cumulative_curve(values, bounds),
            pen=pg.mkPen(colour, width=3, style=style),
            antialias=True,
            name=f"{escape(name)}: NRMSE {float(mean_of_finite(values)):.2f} %",
        )
