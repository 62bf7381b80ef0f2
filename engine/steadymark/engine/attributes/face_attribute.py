"""What a per-face attribute declares: its computation, columns, drawing, plot and readouts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.engine.core.types import AttributeValues, FaceContext, Landmarks
from steadymark.engine.output.video.draw_style import SKY_BLUE
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    """A column that an attribute adds to tables.

    Attributes:
        name: Name of the column.
        label: A few words for the window.
        unit: Unit of the values, such as `mm`.
        decimals: Number of decimals in Steadymark's tables.
        openface_decimals: Number of decimals in tables with OpenFace's columns. None leaves the
            column out of them, because OpenFace has no such column.
    """

    name: str
    label: UserText
    unit: str = ""
    decimals: int = 4
    openface_decimals: int | None = None


@dataclass(frozen=True, slots=True)
class AttributeCurve:
    """A column that is plotted over time.

    Attributes:
        column: Name of the column.
        label: Text of the legend.
        colour: Colour as `#rrggbb`.
        scale: Factor from the column's unit to the unit of the axis.
    """

    column: str
    label: UserText
    colour: str = SKY_BLUE
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class AttributePlot:
    """The plot of an attribute: the label of its axis with the unit, and its curves."""

    axis: UserText
    curves: tuple[AttributeCurve, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnLine:
    """A polyline: its (n, 2) points in frame pixels, and its colour as `#rrggbb`."""

    xy_px: NDArray[np.floating]
    colour: str


@dataclass(frozen=True, slots=True)
class DrawnText:
    """A text: its lower left corner in frame pixels, and its colour as `#rrggbb`."""

    at_px: tuple[float, float]
    text: str
    colour: str


Shapes = Sequence[DrawnLine | DrawnText]
Compute = Callable[[Landmarks, FaceContext], AttributeValues | None]


@dataclass(frozen=True, slots=True)
class AttributeDrawing:
    """How an attribute is drawn over a frame.

    Attributes:
        name: Name for `--draw`, and name of the window's command.
        label: Text of the window's command.
        shapes: Returns what to draw, from the values, the stabilized landmarks and the context.
        keys: Shortcuts of the window's command.
    """

    name: str
    label: UserText
    shapes: Callable[[AttributeValues, Landmarks, FaceContext], Shapes]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributeReadout:
    """A field of the statistics panel, which shows the values in the shown frame.

    Attributes:
        label: Name of the field.
        lines: Returns the lines of text; values that are unknown are NaN, but not all of them.
        help: Explanation of the values.
        partial: Whether `lines` also accepts values of which some are NaN.
    """

    label: UserText
    lines: Callable[[AttributeValues], Sequence[UserText]]
    help: UserText = NOTHING
    partial: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FaceAttribute:
    """Something that is computed for each face in each frame.

    Attributes:
        name: Name of the attribute, an identifier.
        label: A few words for the window.
        columns: The columns of tables, one per value.
        compute: Returns the values from the stabilized landmarks and the context; None if they are
            unknown. A single value that is unknown is NaN.
        schemas: Names of the landmark schemas that it can be computed from; empty if any.
        drawing: How it is drawn; None if it is not.
        plot: What is plotted; None if nothing is.
        readouts: Fields of the statistics panel; empty for one field with all columns.
    """

    name: str
    label: UserText
    columns: tuple[AttributeColumn, ...]
    compute: Compute
    schemas: tuple[str, ...] = ()
    drawing: AttributeDrawing | None = None
    plot: AttributePlot | None = None
    readouts: tuple[AttributeReadout, ...] = ()

    @property
    def shown(self) -> tuple[AttributeReadout, ...]:
        """The fields of the statistics panel."""
        return self.readouts or (AttributeReadout(self.label, self._lines),)

    def place(self, column: str) -> int:
        """Return the index of a column's value.

        Args:
            column: Name of the column.

        Returns:
            The index.

        Raises:
            ValueError: The attribute has no such column.
        """
        return [each.name for each in self.columns].index(column)

    def _lines(self, values: AttributeValues) -> list[UserText]:
        return [
            UserText("{label} {value}", label=c.label, value=f"{v:.{c.decimals}f} {c.unit}".strip())
            for c, v in zip(self.columns, values, strict=True)
            if not math.isnan(v)
        ]
