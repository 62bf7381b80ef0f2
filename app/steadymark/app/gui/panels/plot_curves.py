"""The values of the plotted curves, computed from measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.gui.i18n.local_numbers import file_number
from steadymark.engine.attributes.attribute_registry import ATTRIBUTES, attribute_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.engine.attributes.face_attribute import AttributeCurve


def curves_of(measures: FaceMeasures) -> dict[str, NDArray[np.float64]]:
    """Return the values of each curve by its name: `PLOT`, `PLOT_WHAT` or `ATTRIBUTE/COLUMN`.

    Each curve has one value per frame, which is NaN where the measure is not known.
    """
    at_rest = measures.at_rest
    raw, stabilized = _above_zero(measures.jitter_raw), _above_zero(measures.jitter_stabilized)
    return (
        {
            "jitter_raw_moving": raw,
            "jitter_stabilized_moving": stabilized,
            "jitter_raw": np.where(at_rest, raw, np.nan),
            "jitter_stabilized": np.where(at_rest, stabilized, np.nan),
            "x_raw": measures.raw_xy[:, 0],
            "x_stabilized": measures.stabilized_xy[:, 0],
            "y_raw": measures.raw_xy[:, 1],
            "y_stabilized": measures.stabilized_xy[:, 1],
            "score": measures.score,
            "speed": measures.speed,
        }
        | _attribute_values(measures)
        | _ground_truth_values(measures)
    )


def curves_csv(measures: FaceMeasures, plots: tuple[str, ...]) -> str:
    """Return the curves of these plots as CSV text with one row per frame.

    The jitter has all values; `at_rest` tells in which frames it is free of motion. A value that is
    not known is an empty field.
    """
    curves = curves_of(measures)
    names = [name for name in curves if not name.endswith("_moving") and _plot_of(name) in plots]
    if measures.truth is None:
        names = [name for name in names if not name.endswith("_truth")]
    columns = [curves.get(f"{name}_moving", curves[name]) for name in names]
    with_rest = "jitter" in plots
    lines = [",".join(["frame", "time_s", *names, *["at_rest"] * with_rest])]
    for frame, time_s in enumerate(measures.times_s):
        values = [file_number(c[frame], 7) for c in columns]
        rest = [str(int(measures.at_rest[frame]))] * with_rest
        lines.append(",".join([str(frame), f"{time_s:.6f}", *values, *rest]))
    return "\n".join(lines) + "\n"


def _plot_of(curve: str) -> str:
    return curve.split("/")[0] if "/" in curve else curve.split("_")[0]


def attribute_curves() -> dict[str, tuple[str, AttributeCurve]]:
    """Return the plot's name and the curve of each curve of an attribute, by the curve's name."""
    return {
        f"{attribute.name}/{curve.column}": (attribute.name, curve)
        for attribute in ATTRIBUTES.all()
        if attribute.plot is not None
        for curve in attribute.plot.curves
    }


def _attribute_values(measures: FaceMeasures) -> dict[str, NDArray[np.float64]]:
    columns = [column.name for column in attribute_columns()]
    return {
        name: measures.attributes[:, columns.index(curve.column)] * curve.scale
        for name, (_, curve) in attribute_curves().items()
    }


def _ground_truth_values(measures: FaceMeasures) -> dict[str, NDArray[np.float64]]:
    truth = measures.truth
    if truth is None:
        nothing = np.full(len(measures.times_s), np.nan)
        return dict.fromkeys(("error_raw", "error_stabilized", "x_truth", "y_truth"), nothing)
    return {
        "error_raw": truth.error_raw,
        "error_stabilized": truth.error_stabilized,
        "x_truth": truth.xy[:, 0],
        "y_truth": truth.xy[:, 1],
    }


def _above_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace values that have no logarithm by NaN."""
    with np.errstate(invalid="ignore"):
        shown: NDArray[np.float64] = np.where(values > 0, values, np.nan)
    return shown
