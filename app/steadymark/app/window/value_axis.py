"""The upright axis of a plot, which may be very low."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyqtgraph as pg
from PySide6.QtGui import QFontMetricsF

if TYPE_CHECKING:
    from collections.abc import Sequence

Ticks = list[tuple[float | None, "Sequence[float]"]]  # spacing, values


class ValueAxis(pg.AxisItem):  # type: ignore[misc]
    """Values that have no room above each other are left out."""

    def __init__(self) -> None:
        super().__init__("left")

    def tickValues(self, low: float, high: float, size: float) -> Ticks:
        line = QFontMetricsF(self.font()).height()
        least = line * (high - low) / size if size > 0 else 0.0  # between two values
        return [
            (spacing, values[:: max(1, math.ceil(least / spacing))] if spacing else values)
            for spacing, values in super().tickValues(low, high, size)
        ]
