"""The cumulative error curves of two variants, with their scores."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from steadymark.app.gui.errors.shown_errors import main_scores
from steadymark.app.gui.widgets.value_axis import LocalAxis, ValueAxis
from steadymark.engine.metrics.accuracy import CURVE_END, FAILURE_ERROR, cumulative_curve
from steadymark.engine.output.video.draw_style import RAW_COLOUR, STEADY_COLOUR

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from steadymark.app.gui.errors.shown_errors import ShownErrors

_POINTS = 501
_LABEL_PX = 200  # least height with a label below the plot


class ErrorCurves(QWidget):
    """The share of the frames up to each error, and a table of the scores."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Cumulative error curve"))
        axes = {"left": ValueAxis(), "bottom": LocalAxis("bottom")}
        self.plot = pg.PlotWidget(axisItems=axes, enableMenu=False)
        item = self.plot.getPlotItem()
        item.setLabel("bottom", self.tr("NRMSE, %"))
        item.setLabel("left", self.tr("frames, %"))
        self.plot.setToolTip(self.tr("Share of the frames whose error is at most as large"))
        item.setMouseEnabled(x=False, y=False)
        self.plot.setMinimumSize(160, 60)
        item.hideButtons()
        item.setXRange(0, CURVE_END, padding=0.01)
        item.setYRange(0, 100, padding=0.02)
        for side in ("left", "bottom"):
            item.getAxis(side).enableAutoSIPrefix(False)
        self._limit = pg.InfiniteLine(FAILURE_ERROR)
        self._limit.setToolTip(self.tr("From here on, a frame counts as failed"))
        item.addItem(self._limit, ignoreBounds=True)
        self._curves = [
            item.plot([], [], pen=pg.mkPen(colour, width=2, style=style), antialias=True)
            for colour, style in (
                (RAW_COLOUR, Qt.PenStyle.DashLine),
                (STEADY_COLOUR, Qt.PenStyle.SolidLine),
            )
        ]
        self.scores = QLabel()
        self.scores.setTextFormat(Qt.TextFormat.RichText)
        self.scores.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.plot, 1)
        column.addWidget(self.scores)
        self._apply_palette()

    def show_errors(self, shown: ShownErrors | None) -> None:
        """Show these errors, or nothing."""
        bounds = np.linspace(0, CURVE_END, _POINTS)
        for number, curve in enumerate(self._curves):
            if shown is None:
                curve.setData([], [])
            else:
                curve.setData(bounds, 100 * cumulative_curve(shown.pair[number].errors, bounds))
        self.scores.setText("" if shown is None else _table(shown))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.plot.getPlotItem().getAxis("bottom").showLabel(self.height() >= _LABEL_PX)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._apply_palette()
        super().changeEvent(event)

    def _apply_palette(self) -> None:
        text = self.palette().color(QPalette.ColorRole.WindowText)
        faint = self.palette().color(QPalette.ColorRole.PlaceholderText)
        self.plot.setBackground(self.palette().color(QPalette.ColorRole.Base))
        for side in ("left", "bottom"):
            axis = self.plot.getPlotItem().getAxis(side)
            axis.setPen(faint)
            axis.setTextPen(text)
        self._limit.setPen(pg.mkPen(faint, style=Qt.PenStyle.DotLine))


def _table(shown: ShownErrors) -> str:
    """Return the scores as a table: a row for each variant, in the colour of its curve."""
    scores = [main_scores(one.scores) for one in shown.pair]
    cell = '<td align="right">&nbsp;{}</td>'
    heads = "".join(cell.format(f"<small>{title}</small>") for title, _ in scores[0])
    rows = [f"<tr><td></td>{heads}</tr>"]
    for name, colour, values in zip(shown.names, (RAW_COLOUR, STEADY_COLOUR), scores, strict=True):
        cells = "".join(cell.format(value) for _, value in values)
        mark = f'<span style="color:{colour}">■</span>'
        rows.append(f"<tr><td>{mark} {escape(name)}</td>{cells}</tr>")
    return f"<table cellspacing='0'>{''.join(rows)}</table>"
