"""The line above each plot: its quantity and unit, its curves, and their values at the position."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from steadymark.app.gui.i18n.local_numbers import UNKNOWN, number_text, significant_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.panels.plot_curves import attribute_curves
from steadymark.engine.output.video.draw_style import GREEN, PURPLE, RAW_COLOUR, STEADY_COLOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

RAW, STABILIZED = "raw", "stabilized"
_PLAIN = {"score": GREEN, "speed": PURPLE}
_COMPARED = ("jitter", "x", "y", "error")


@dataclass(frozen=True, slots=True)
class HeaderEntry:
    """One curve that a header names.

    Attributes:
        curve: The name of the curve whose value is shown.
        label: RAW or STABILIZED for the compared variants, else the text; empty without a text.
        colour: The colour of the curve.
    """

    curve: str
    label: str
    colour: str


def header_entries(plot: str) -> tuple[HeaderEntry, ...]:
    """Return the curves that the header of a plot names."""
    if plot in _PLAIN:
        return (HeaderEntry(plot, "", _PLAIN[plot]),)
    if plot in _COMPARED:
        # The faint curve of the jitter has all values, the other one only those at rest.
        curves = [
            f"{plot}_{which}{'_moving' * (plot == 'jitter')}" for which in ("raw", "stabilized")
        ]
        return (
            HeaderEntry(curves[0], RAW, RAW_COLOUR),
            HeaderEntry(curves[1], STABILIZED, STEADY_COLOUR),
        )
    return tuple(
        HeaderEntry(name, translated(curve.label), curve.colour)
        for name, (plotted, curve) in attribute_curves().items()
        if plotted == plot
    )


def header_html(
    title: str,
    entries: tuple[HeaderEntry, ...],
    variants: tuple[str, str],
    values: Mapping[str, NDArray[np.float64]] | None,
    frame: int,
) -> str:
    """Return the header of a plot as HTML.

    Args:
        title: The quantity with its unit; empty to omit it.
        entries: The curves of the plot.
        variants: The names of the two compared variants.
        values: The values of all curves by their names; None to show no values.
        frame: The frame whose values are shown.
    """
    names = dict(zip((RAW, STABILIZED), variants, strict=True))
    parts = [f"<b>{escape(title)}</b>"] if title else []
    for entry in entries:
        label = names.get(entry.label, entry.label)
        words = [escape(label)] if label else []
        if values is not None:
            words.append(value_text(values.get(entry.curve), frame))
        if words:
            square = f"<span style='color: {entry.colour}'>■</span>"
            parts.append(f"{square} {' '.join(words)}")
    return "&nbsp;&nbsp;&nbsp;".join(parts)


def value_text(values: NDArray[np.float64] | None, frame: int) -> str:
    """Return a value with three significant digits and no exponent if it is large, or a dash."""
    if values is None or not 0 <= frame < len(values):
        return UNKNOWN
    value = float(values[frame])
    return number_text(value, 1) if 100 <= abs(value) < 1e6 else significant_text(value, 3)
