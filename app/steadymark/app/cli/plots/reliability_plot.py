"""A plot of the share of landmarks in place against their score, for several models."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from steadymark.app.cli.plots.plot_files import COLOURS, add_legend, draw_plot, label_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.engine.bench.score_benchmark import ScoreFigures

_FEWEST = 50  # landmarks of an interval that are drawn


def reliability_plot(figures: Mapping[str, ScoreFigures], *, title: str) -> bytes:
    """Draw a reliability diagram as a PNG; a calibrated model lies on the diagonal.

    Args:
        figures: Name of the model → its figures.
        title: The title of the plot.

    Raises:
        UsageError: Qt cannot be loaded.
    """
    return draw_plot(lambda plot: _fill(plot, figures, title))


def _fill(plot: Any, figures: Mapping[str, ScoreFigures], title: str) -> None:
    import pyqtgraph as pg
    from PySide6.QtCore import Qt

    label_axes(plot, "score", "landmarks within 5 % of the eye distance (%)", title)
    plot.setXRange(0, 1, padding=0.01)
    plot.setYRange(0, 100, padding=0.01)
    add_legend(plot, (20, 20))
    plot.plot(
        [0, 1],
        [0, 100],
        pen=pg.mkPen("#808080", width=1.5, style=Qt.PenStyle.DashLine),
        name="what the score says",
    )
    for number, (name, each) in enumerate(figures.items()):
        colour = COLOURS[number % len(COLOURS)]
        shown = [part for part in each.bins if part.count >= _FEWEST]
        total = max(1, *(part.count for part in shown), 1)
        plot.plot(
            [part.mean_score for part in shown],
            [100 * part.in_place for part in shown],
            pen=pg.mkPen(colour, width=3),
            symbol="o",
            symbolSize=[6 + 14 * (part.count / total) ** 0.5 for part in shown],
            symbolBrush=colour,
            symbolPen=pg.mkPen("w"),
            antialias=True,
            name=f"{escape(name)}: calibration error {100 * each.error:.1f} %",
        )
