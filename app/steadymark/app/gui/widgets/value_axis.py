"""The axes of plots, whose numbers have the decimal sign of the language."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyqtgraph as pg
from PySide6.QtGui import QFontMetricsF

from steadymark.app.gui.i18n.local_numbers import local_text, significant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Ticks = list[tuple[float, "Sequence[float]"]]  # spacing and values


class LocalAxis(pg.AxisItem):  # type: ignore[misc]
    """Axis whose numbers have the decimal sign of the language."""

    def tickStrings(self, values: Iterable[float], scale: float, spacing: float) -> list[str]:
        return [local_text(text) for text in super().tickStrings(values, scale, spacing)]


class ValueAxis(LocalAxis):
    """Vertical axis that omits values that would overlap."""

    def __init__(self) -> None:
        super().__init__("left")

    def tickValues(self, low: float, high: float, size: float) -> Ticks:
        line = QFontMetricsF(self.font()).height()
        # minimum distance between two values
        min_distance = line * (high - low) / size if size > 0 else 0.0
        shown: list[float] = []
        ticks: Ticks = []
        for spacing, all_values in super().tickValues(low, high, size):
            # pyqtgraph hides values that would be cut off at the ends.
            whole = [
                v for v in all_values if low + min_distance / 2 <= v <= high - min_distance / 2
            ]
            values = whole or ([] if shown else list(all_values))
            if not self.logMode:  # Values are not evenly spaced on a logarithmic axis.
                values = values[:: max(1, math.ceil(min_distance / spacing))]
            values = _separated(values, shown, min_distance)
            shown += values
            ticks.append((spacing, values))
        return ticks

    def logTickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return plain numbers such as 0.02, 5 and 300 instead of powers of ten."""
        return [significant_text(10.0**value * scale, 4) for value in values]


def _separated(values: Sequence[float], shown: Sequence[float], min_distance: float) -> list[float]:
    """Return the values that are far enough from each other and from the shown ones."""
    chosen: list[float] = []
    for value in values:
        if all(abs(value - other) >= min_distance for other in (*shown, *chosen)):
            chosen.append(value)
    return chosen
