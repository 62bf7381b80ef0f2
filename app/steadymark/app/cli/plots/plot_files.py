"""Plots for files, drawn black on white by pyqtgraph without a display."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from steadymark.engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication

_WIDTH, _HEIGHT = 1000, 680
# Okabe and Ito's palette without its yellow, which is hard to see on white
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")


def draw_plot(fill: Callable[[Any], None]) -> bytes:
    """Return a PNG of one plot, which `fill` draws into.

    Raises:
        UsageError: Qt cannot be loaded.
    """
    application = _application()
    import pyqtgraph as pg
    from PySide6.QtCore import QBuffer, QIODevice

    widget = pg.GraphicsLayoutWidget(size=(_WIDTH, _HEIGHT))
    try:
        widget.setBackground("w")
        fill(widget.addPlot())
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        widget.grab().save(buffer, "PNG")
        return bytes(buffer.data().data())
    finally:
        widget.close()
        widget.deleteLater()
        application.sendPostedEvents(widget, 0)


def label_axes(plot: Any, bottom: str, left: str, title: str) -> None:
    """Set the labels, the title and the grid of a plot in black on white."""
    for side, text in (("bottom", bottom), ("left", left)):
        axis = plot.getAxis(side)
        axis.setPen("k")
        axis.setTextPen("k")
        axis.setLabel(text, color="k", **{"font-size": "12pt"})
    plot.setTitle(escape(title), color="k", size="12pt")
    plot.showGrid(x=True, y=True, alpha=0.2)


def add_legend(plot: Any, offset: tuple[int, int]) -> None:
    """Add a legend.

    Args:
        plot: The plot.
        offset: Horizontal and vertical distance in pixels. It is measured from the left and the
            top, or from the right and the bottom if it is negative.
    """
    import pyqtgraph as pg

    legend = plot.addLegend(offset=offset, labelTextColor="k", labelTextSize="11pt")
    legend.setBrush(pg.mkBrush(255, 255, 255, 230))
    legend.setPen(pg.mkPen("#c0c0c0"))


def _application() -> QApplication:
    """Return the running application, or a new one that needs no display."""
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
