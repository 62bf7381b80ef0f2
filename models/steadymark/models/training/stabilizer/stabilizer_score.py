"""How still, how true and how late stabilized points are: what a stabilizer is validated by.

The measures are those of `steadymark bench stability`, pooled over sequences with exact truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.schema_conversion import map_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.schema import LandmarkSchema

    Floats = NDArray[np.float64]

# of ibug68, to which other schemas are mapped: pairs of inner lips, and of lids
MOUTH = ((61, 67), (62, 66), (63, 65))
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))
_EYES = (36, 45)
_MOVES = 2.0  # % of the outer-eye distance: an opening that truly moves by less says nothing
_MOST = 3  # frames of lag looked for
AMPLITUDE, LAG = (0.95, 1.05), 0.1  # within these nothing is taken off
_AMPLITUDE_WEIGHT, _LAG_WEIGHT = 10.0, 5.0


@dataclass(frozen=True, slots=True)
class StabilizerScore:
    """nrmse: mean, %. mav: of the error, (% of the outer-eye distance)². lag: frames.

    mouth, lids: amplitude of their opening over the true one; NaN where it is not known.
    """

    nrmse: float
    mav: float
    lag: float
    mouth: float
    lids: float

    def score(self, raw: StabilizerScore) -> float:
        """The less, the better: NRMSE · MAV, by which the paper chooses (its tables 3 and 4).

        It is more where lips or lids move too little or too much, or the face moves late. An
        amplitude of 0.85 or 1.15 makes it e times as large, so does a lag of 0.3 frames. raw: of
        the backbone's points; what these do not show of an opening is not asked of a stabilizer.
        """
        beyond = 0.0
        for value, seen in ((self.mouth, raw.mouth), (self.lids, raw.lids)):
            beyond += _outside(value, AMPLITUDE[0] * min(1.0, seen), AMPLITUDE[1])
        late = max(0.0, abs(self.lag) - LAG) if math.isfinite(self.lag) else 0.0
        return self.nrmse * self.mav * math.exp(_AMPLITUDE_WEIGHT * beyond + _LAG_WEIGHT * late)


def stabilizer_score(found: Floats, truth: Floats, schema: LandmarkSchema) -> StabilizerScore:
    """Of sequences (N, T, K, 2), crop pixels."""
    right, left = schema.eyes
    eyes = np.linalg.norm(truth[:, :, right] - truth[:, :, left], axis=-1)  # (N, T)
    error = found - truth
    nrmse = float((np.linalg.norm(error, axis=-1).mean(-1) * 100 / eyes).mean())
    mouth, lids = (
        _amplitude(found, truth, schema.name, pairs, pairs_eyes=_EYES) for pairs in (MOUTH, LIDS)
    )
    return StabilizerScore(nrmse, allan_variance(error, eyes), lag(found, truth), mouth, lids)


def allan_variance(error: Floats, eyes: Floats) -> float:
    """Eq. 11 of convlstm_jitter_pdc on errors (N, T, K, 2): Σ(e_{t+1} - e_t)² / (2(T-1)).

    In (% of the sequence's mean outer-eye distance)²; eyes: (N, T).
    """
    scaled = error * (100 / eyes.mean(1))[:, None, None, None]
    change = np.diff(scaled, axis=1)
    return float((np.square(change).sum(1) / (2 * (error.shape[1] - 1))).mean())


def lag(found: Floats, truth: Floats) -> float:
    """By how many frames motion comes late: the shift at which both correlate best, to parts.

    NaN where nothing moves, or sequences are too short.
    """
    steps, true = np.diff(found, axis=1), np.diff(truth, axis=1)
    if steps.shape[1] < 2 * _MOST + 2:
        return math.nan
    scores = np.array([_correlation(steps, true, shift) for shift in range(-_MOST, _MOST + 1)])
    best = int(scores.argmax())
    if not np.isfinite(scores).all():
        return math.nan
    if not 0 < best < len(scores) - 1:
        return float(best - _MOST)
    before, peak, after = scores[best - 1 : best + 2]
    bend = before - 2 * peak + after
    return float(best - _MOST + (0.5 * (before - after) / bend if bend < 0 else 0.0))


def _correlation(steps: Floats, true: Floats, shift: int) -> float:
    """Of `steps`, `shift` frames later than `true`."""
    length = true.shape[1] - abs(shift)
    a = steps[:, max(0, shift) :][:, :length]
    b = true[:, max(0, -shift) :][:, :length]
    power = math.sqrt(float(np.square(a).sum()) * float(np.square(b).sum()))
    return float((a * b).sum()) / power if power else math.nan


def _amplitude(
    found: Floats,
    truth: Floats,
    schema: str,
    pairs: tuple[tuple[int, int], ...],
    *,
    pairs_eyes: tuple[int, int],
) -> float:
    """How far openings go, over how far the true ones go, of the sequences in which these do."""
    try:
        true_68, found_68 = (map_points(points, schema, "ibug68") for points in (truth, found))
    except ValueError:  # a schema without a map
        return math.nan
    eyes = np.linalg.norm(true_68[:, :, pairs_eyes[0]] - true_68[:, :, pairs_eyes[1]], axis=-1)
    true, seen = (_spread(_opening(points, pairs, eyes)) for points in (true_68, found_68))
    moves = np.isfinite(true) & (true > _MOVES)
    return float(seen[moves].sum() / true[moves].sum()) if moves.any() else math.nan


def _opening(
    points: NDArray[np.floating], pairs: tuple[tuple[int, int], ...], eyes: Floats
) -> Floats:
    """(N, T), % of the outer-eye distance."""
    a, b = (points[:, :, [pair[i] for pair in pairs]].astype(np.float64) for i in (0, 1))
    opening: Floats = np.linalg.norm(a - b, axis=-1).mean(-1) / eyes * 100
    return opening


def _spread(opening: Floats) -> Floats:
    """(N,): 98th percentile over the 2nd."""
    low, high = np.percentile(opening, (2, 98), axis=1)
    spread: Floats = high - low
    return spread


def _outside(value: float, low: float, high: float) -> float:
    return max(0.0, low - value, value - high) if math.isfinite(value) else 0.0
