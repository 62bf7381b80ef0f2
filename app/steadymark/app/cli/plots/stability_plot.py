"""A plot of jitter against lag, with a point for each filter setting and each stabilizer."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from steadymark.app.cli.plots.plot_files import COLOURS, add_legend, draw_plot, label_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.bench.scenes.stability_benchmark import StabilityRow
    from steadymark.engine.bench.scenes.stability_scores import StabilityBenchScores

_SYMBOLS = ("o", "s", "t", "d", "star")


def stability_plot(rows: Sequence[StabilityRow], *, noise: int, title: str) -> bytes:
    """Draw MAV against lag for the rows of one noise level as a PNG; a stabilizer has one colour.

    Raises:
        UsageError: Qt cannot be loaded.
    """
    shown = [row for row in rows if row.noise == noise and _can_be_drawn(row.reached)]
    return draw_plot(lambda plot: _fill(plot, shown, title))


def _can_be_drawn(reached: StabilityBenchScores) -> bool:
    """Return whether Qt can draw the point: it crashes on NaN, and 0 has no logarithm."""
    return isfinite(reached.lag_frames) and isfinite(reached.mav) and reached.mav > 0


def _fill(plot: Any, rows: list[StabilityRow], title: str) -> None:
    import pyqtgraph as pg

    label_axes(
        plot, "lag (frames)", "MAV of the error ((% of the outer-eye distance)\u00b2)", title
    )
    plot.setLogMode(x=False, y=True)
    add_legend(plot, (-20, -60))
    names = list(dict.fromkeys(row.choice for row in rows))
    for number, name in enumerate(names):
        colour = pg.mkColor(COLOURS[number % len(COLOURS)])
        faint = pg.mkColor(colour)
        faint.setAlpha(110)
        curve = [row.reached for row in rows if row.choice == name and row.setting]
        if curve:
            plot.plot(
                [r.lag_frames for r in curve],
                [r.mav for r in curve],
                pen=None,
                symbol="o",
                symbolSize=8,
                symbolBrush=faint,
                symbolPen=None,
            )
        for row in rows:
            if row.choice == name and not row.setting:
                plot.plot(
                    [row.reached.lag_frames],
                    [row.reached.mav],
                    pen=None,
                    symbol=_SYMBOLS[number % len(_SYMBOLS)],
                    symbolSize=18,
                    symbolBrush=colour,
                    symbolPen=pg.mkPen("w", width=1.5),
                    name=f"{name}: NRMSE {row.reached.nrmse:.2f} %",
                )
