"""The cumulative error curves of several models in one picture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.errors import UsageError
from steadymark.engine.metrics.accuracy import cumulative_curve, mean_of_finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QApplication

    from steadymark.engine.metrics.accuracy import Values

MOST = 10.0  # % of the outer-eye distance, where the curves end
FAILED = 8.0
_WIDTH, _HEIGHT = 1000, 680
# Okabe and Ito's palette, without its yellow, which does not show on white
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")


def error_plot(errors: Mapping[str, Values], *, of: str, title: str) -> bytes:
    """A PNG of the share of `of` (faces, frames) over the error; errors: name → (N,) in %.

    What was not found (NaN) counts among the N, so that its curve ends below 100 %.

    Raises:
        UsageError: Qt cannot be loaded here.
    """
    application = _application()
    import pyqtgraph as pg
    from PySide6.QtCore import QBuffer, QIODevice

    widget = pg.GraphicsLayoutWidget(size=(_WIDTH, _HEIGHT))
    try:
        widget.setBackground("w")
        _fill(widget.addPlot(), errors, of, title)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        widget.grab().save(buffer, "PNG")
        return bytes(buffer.data().data())
    finally:
        widget.close()
        widget.deleteLater()
        application.sendPostedEvents(widget, 0)


def _application() -> QApplication:
    """The one that runs, else a new one that needs no display."""
    try:
        from PySide6.QtWidgets import QApplication
    except ImportError as error:
        raise UsageError(
            f"--plot needs Qt, which cannot be loaded ({error}): install the system libraries "
            "that the README names, or leave --plot out"
        ) from error
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    return QApplication(["steadymark", "-platform", "offscreen"])


def _fill(plot, errors: Mapping[str, Values], of: str, title: str) -> None:  # type: ignore[no-untyped-def]
    import pyqtgraph as pg
    from PySide6.QtCore import Qt

    for side, text in (("bottom", "NRMSE (% of the outer-eye distance)"), ("left", f"{of} (%)")):
        axis = plot.getAxis(side)
        axis.setPen("k")
        axis.setTextPen("k")
        axis.setLabel(text, color="k", **{"font-size": "12pt"})
    plot.setTitle(escape(title), color="k", size="12pt")
    plot.showGrid(x=True, y=True, alpha=0.2)
    plot.setXRange(0, MOST, padding=0.01)
    plot.setYRange(0, 100, padding=0.01)
    plot.addItem(
        pg.InfiniteLine(
            FAILED,
            pen=pg.mkPen("#808080", width=1.5, style=Qt.PenStyle.DashLine),
            label="failed: 8 % or more",
            labelOpts={"position": 0.93, "color": "#606060", "anchors": [(1, 0.5), (1, 0.5)]},
        )
    )
    legend = plot.addLegend(offset=(-20, -20), labelTextColor="k", labelTextSize="11pt")
    legend.setBrush(pg.mkBrush(255, 255, 255, 230))
    legend.setPen(pg.mkPen("#c0c0c0"))
    bounds = np.linspace(0, MOST, 1001)
    lines = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
    for number, (name, values) in enumerate(errors.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        style = lines[number % len(lines)]  # curves that lie on each other show both
        plot.plot(
            bounds,
            100 * cumulative_curve(values, bounds),
            pen=pg.mkPen(colour, width=3, style=style),
            antialias=True,
            name=f"{escape(name)}: NRMSE {float(mean_of_finite(values)):.2f} %",
        )
