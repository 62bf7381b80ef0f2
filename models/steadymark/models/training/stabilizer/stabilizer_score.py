"""Validation measures of a stabilizer: jitter, accuracy, lag and amplitude.

The measures are those of `steadymark bench stability`, pooled over sequences with exact ground
truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.schema import IBUG68
from steadymark.models.face.schema_conversion import map_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.schema import LandmarkSchema

    Floats = NDArray[np.float64]

# ibug68 indices of pairs on the inner lips and on the lids; other schemas are converted to ibug68
MOUTH = ((61, 67), (62, 66), (63, 65))
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))
_EYES = (36, 45)  # ibug68 indices of the outer eye corners
_MIN_OPENING_MOTION = (
    2.0  # % of the outer-eye distance; openings that truly move by less are ignored
)
_MAX_LAG = 3  # largest lag in frames that is searched
AMPLITUDE, LAG = (0.95, 1.05), 0.1  # values within these limits are not penalized
_AMPLITUDE_WEIGHT, _LAG_WEIGHT = 10.0, 5.0


@dataclass(frozen=True, slots=True)
class StabilizerScore:
    """Measures of landmarks against the ground truth.

    Attributes:
        nrmse: Mean error in % of the outer-eye distance.
        mav: Mean Allan variance of the error, in (% of the outer-eye distance)².
        lag: Delay in frames; NaN if it is not known.
        mouth: Amplitude of the mouth opening relative to the true one; NaN if it is not known.
        lids: Amplitude of the eye opening relative to the true one; NaN if it is not known.
    """

    nrmse: float
    mav: float
    lag: float
    mouth: float
    lids: float

    def score(self, raw: StabilizerScore) -> float:
        """Return NRMSE · MAV with penalties for wrong amplitude and lag; lower is better.

        The paper selects by NRMSE · MAV (its tables 3 and 4). The score is e times as large for an
        amplitude of 0.85 or 1.15, or for a lag of 0.3 frames.

        Args:
            raw: Measures of the backbone's landmarks. If these already have too small an amplitude,
                the stabilizer need not restore it.
        """
        amplitude_excess = 0.0
        for value, raw_value in ((self.mouth, raw.mouth), (self.lids, raw.lids)):
            amplitude_excess += _outside(value, AMPLITUDE[0] * min(1.0, raw_value), AMPLITUDE[1])
        lag_excess = max(0.0, abs(self.lag) - LAG) if math.isfinite(self.lag) else 0.0
        return (
            self.nrmse
            * self.mav
            * math.exp(_AMPLITUDE_WEIGHT * amplitude_excess + _LAG_WEIGHT * lag_excess)
        )


def stabilizer_score(found: Floats, truth: Floats, schema: LandmarkSchema) -> StabilizerScore:
    """Return the measures of landmarks against the ground truth.

    Args:
        found: (N, T, K, 2) landmarks of sequences in crop pixels.
        truth: (N, T, K, 2) true landmarks.
        schema: Schema of the landmarks.
    """
    right, left = schema.eyes
    eyes = np.linalg.norm(truth[:, :, right] - truth[:, :, left], axis=-1)  # (N, T)
    error = found - truth
    nrmse = float((np.linalg.norm(error, axis=-1).mean(-1) * 100 / eyes).mean())
    mouth, lids = (
        _amplitude(found, truth, schema.name, pairs, pairs_eyes=_EYES) for pairs in (MOUTH, LIDS)
    )
    return StabilizerScore(nrmse, allan_variance(error, eyes), lag(found, truth), mouth, lids)


def allan_variance(error: Floats, eyes: Floats) -> float:
    """Return the mean Allan variance of errors (N, T, K, 2): Σ(e_{t+1} - e_t)² / (2(T-1)).

    This is eq. 11 of convlstm_jitter_pdc, in (% of the sequence's mean outer-eye distance)².

    Args:
        error: (N, T, K, 2) errors in pixels.
        eyes: (N, T) outer-eye distances in pixels.
    """
    scaled = error * (100 / eyes.mean(1))[:, None, None, None]
    change = np.diff(scaled, axis=1)
    return float((np.square(change).sum(1) / (2 * (error.shape[1] - 1))).mean())


def lag(found: Floats, truth: Floats) -> float:
    """Return by how many frames the motion is late: the shift with the highest correlation.

    The maximum is interpolated to fractions of a frame. The result is NaN if nothing moves or the
    sequences are too short.
    """
    found_motion, true_motion = np.diff(found, axis=1), np.diff(truth, axis=1)
    if found_motion.shape[1] < 2 * _MAX_LAG + 2:
        return math.nan
    scores = np.array(
        [_correlation(found_motion, true_motion, shift) for shift in range(-_MAX_LAG, _MAX_LAG + 1)]
    )
    best = int(scores.argmax())
    if not np.isfinite(scores).all():
        return math.nan
    if not 0 < best < len(scores) - 1:
        return float(best - _MAX_LAG)
    before, peak, after = scores[best - 1 : best + 2]
    curvature = before - 2 * peak + after
    return float(best - _MAX_LAG + (0.5 * (before - after) / curvature if curvature < 0 else 0.0))


def _correlation(found_motion: Floats, true_motion: Floats, shift: int) -> float:
    """Return the correlation of `true_motion` with `found_motion`, taken `shift` frames later."""
    length = true_motion.shape[1] - abs(shift)
    found_part = found_motion[:, max(0, shift) :][:, :length]
    true_part = true_motion[:, max(0, -shift) :][:, :length]
    power = math.sqrt(float(np.square(found_part).sum()) * float(np.square(true_part).sum()))
    return float((found_part * true_part).sum()) / power if power else math.nan


def _amplitude(
    found: Floats,
    truth: Floats,
    schema: str,
    pairs: tuple[tuple[int, int], ...],
    *,
    pairs_eyes: tuple[int, int],
) -> float:
    """Return the range of an opening relative to the true one, over sequences in which it moves."""
    try:
        true_68, found_68 = (map_points(points, schema, IBUG68) for points in (truth, found))
    except ValueError:  # a schema that cannot be converted to ibug68
        return math.nan
    eyes = np.linalg.norm(true_68[:, :, pairs_eyes[0]] - true_68[:, :, pairs_eyes[1]], axis=-1)
    true_range, found_range = (
        _range_of(_opening(points, pairs, eyes)) for points in (true_68, found_68)
    )
    is_moving = np.isfinite(true_range) & (true_range > _MIN_OPENING_MOTION)
    return (
        float(found_range[is_moving].sum() / true_range[is_moving].sum())
        if is_moving.any()
        else math.nan
    )


def _opening(
    points: NDArray[np.floating], pairs: tuple[tuple[int, int], ...], eyes: Floats
) -> Floats:
    """Return the openings (N, T) in % of the outer-eye distance."""
    first, second = (points[:, :, [pair[i] for pair in pairs]].astype(np.float64) for i in (0, 1))
    opening: Floats = np.linalg.norm(first - second, axis=-1).mean(-1) / eyes * 100
    return opening


def _range_of(opening: Floats) -> Floats:
    """Return the range (N,) between the 2nd and 98th percentile."""
    low, high = np.percentile(opening, (2, 98), axis=1)
    spread: Floats = high - low
    return spread


def _outside(value: float, low: float, high: float) -> float:
    return max(0.0, low - value, value - high) if math.isfinite(value) else 0.0
