"""Measures of scores: reliability, calibration error, and how well they separate two groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Flags = NDArray[np.bool_]

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The landmarks whose score lies in an interval.

    Attributes:
        low: Lower limit of the score.
        high: Upper limit of the score.
        count: Number of landmarks.
        mean_score: Mean of their scores; NaN if there are none.
        in_place: Share of them that is in place; NaN if there are none.
    """

    low: float
    high: float
    count: int
    mean_score: float
    in_place: float


def reliability(scores: Floats, in_place: Flags) -> tuple[ReliabilityBin, ...]:
    """Compare scores with the share of landmarks that are in place, in ten intervals.

    Args:
        scores: (n,) scores from 0 to 1.
        in_place: (n,), True where the landmark is in place.
    """
    index = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    found = []
    for i in range(BINS):
        inside = index == i
        count = int(inside.sum())
        mean, share = (
            (float(scores[inside].mean()), float(in_place[inside].mean()))
            if count
            else (float("nan"), float("nan"))
        )
        found.append(ReliabilityBin(i / BINS, (i + 1) / BINS, count, mean, share))
    return tuple(found)


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Return the expected calibration error: the mean of |mean score - share| over landmarks."""
    total = sum(each.count for each in bins)
    gaps = [each.count * abs(each.mean_score - each.in_place) for each in bins if each.count]
    return sum(gaps) / total if total else float("nan")


def auc(higher: Floats, lower: Floats) -> float:
    """Return the probability that a value of one group is above one of the other (area under ROC).

    Args:
        higher: (n,) values that should be higher.
        lower: (m,) values that should be lower.

    Returns:
        From 0 to 1, where 0.5 is chance; NaN if a group is empty.
    """
    if not len(higher) or not len(lower):
        return float("nan")
    ordered = np.sort(lower)
    below, up_to = (np.searchsorted(ordered, higher, side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * len(lower)))
