"""The values of the plotted curves, computed from measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.app.session.analysis.face_measures import FaceMeasures


def curves_of(measures: FaceMeasures) -> dict[str, NDArray[np.float64]]:
    """Return the values of each curve by its name, `PLOT` or `PLOT_WHAT`.

    Each curve has one value per frame, which is NaN where the measure is not known.
    """
    still = measures.still
    raw, steady = _above_zero(measures.jitter_raw), _above_zero(measures.jitter_steady)
    return {
        "jitter_raw_moving": raw,
        "jitter_steady_moving": steady,
        "jitter_raw": np.where(still, raw, np.nan),
        "jitter_steady": np.where(still, steady, np.nan),
        "x_raw": measures.raw_xy[:, 0],
        "x_steady": measures.steady_xy[:, 0],
        "y_raw": measures.raw_xy[:, 1],
        "y_steady": measures.steady_xy[:, 1],
        "score": measures.score,
        "speed": measures.speed,
        "pose_pitch": measures.angles_deg[:, 0],
        "pose_yaw": measures.angles_deg[:, 1],
        "pose_roll": measures.angles_deg[:, 2],
    } | _of_truth(measures)


def _of_truth(measures: FaceMeasures) -> dict[str, NDArray[np.float64]]:
    truth = measures.truth
    if truth is None:
        nothing = np.full(len(measures.times_s), np.nan)
        return dict.fromkeys(("error_raw", "error_steady", "x_truth", "y_truth"), nothing)
    return {
        "error_raw": truth.error_raw,
        "error_steady": truth.error_steady,
        "x_truth": truth.xy[:, 0],
        "y_truth": truth.xy[:, 1],
    }


def _above_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace values that have no logarithm by NaN."""
    with np.errstate(invalid="ignore"):
        shown: NDArray[np.float64] = np.where(values > 0, values, np.nan)
    return shown
