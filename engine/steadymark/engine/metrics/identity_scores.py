"""Multi-face identity scores against ground truth: MOTA and IDF1.

MOTA and identity switches follow Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking
Performance: The CLEAR MOT Metrics (2008), section 2.1. IDF1 follows Ristani, Solera, Zou, Cucchiara
and Tomasi, Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking (2016),
section 3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from steadymark.engine.core.types import FaceBox

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_IOU = 0.5  # Least IoU at which a found face matches a true face.

Boxes = Mapping[int, FaceBox]  # Face boxes by id.


class IdentityFrame(NamedTuple):
    """True and tracked face boxes of one frame, each by id.

    Attributes:
        truth: True faces that the tracker must find.
        found: Faces that the tracker reported.
        ignored: True faces that are too occluded to be required; tracked faces on them do not
            count.
    """

    truth: Boxes
    found: Boxes
    ignored: Boxes


@dataclass(frozen=True, slots=True)
class IdentityScores:
    """Counts from which MOTA and IDF1 follow; counts of several videos can be added.

    Attributes:
        truths: Number of true faces, summed over frames.
        founds: Number of tracked faces, summed over frames.
        misses: Number of true faces without a matching tracked face.
        false: Number of tracked faces without a matching true face.
        switches: How often a true face matched another id than at its previous match.
        kept: Number of faces, summed over frames, that match under the best one-to-one assignment
            of ids in each video (IDTP).
    """

    truths: int = 0
    founds: int = 0
    misses: int = 0
    false: int = 0
    switches: int = 0
    kept: int = 0

    def __add__(self, other: IdentityScores) -> IdentityScores:
        return IdentityScores(
            self.truths + other.truths,
            self.founds + other.founds,
            self.misses + other.misses,
            self.false + other.false,
            self.switches + other.switches,
            self.kept + other.kept,
        )

    @property
    def mota(self) -> float:
        """MOTA: 1 - (misses + false + switches) / truths, at most 1; NaN without true faces."""
        wrong = self.misses + self.false + self.switches
        return 1 - wrong / self.truths if self.truths else float("nan")

    @property
    def idf1(self) -> float:
        """IDF1: 2 IDTP / (2 IDTP + IDFP + IDFN), in [0, 1]; NaN without any face."""
        every = self.truths + self.founds
        return 2 * self.kept / every if every else float("nan")


def identity_scores(video: Iterable[IdentityFrame]) -> IdentityScores:
    """Compute the identity scores of one video.

    Args:
        video: The video's frames, in order.

    Returns:
        The counts of this video.
    """
    last: dict[int, int] = {}  # true id → tracked id of its latest match
    both: Counter[tuple[int, int]] = Counter()
    truths = founds = matched = switches = 0
    for frame in video:
        found = _without_ignored(frame)
        pairs = _kept_pairs(frame.truth, found, last)
        free = {i: b for i, b in frame.truth.items() if i not in pairs}
        rest = {i: b for i, b in found.items() if i not in pairs.values()}
        pairs |= _best_pairs(free, rest)
        switches += sum(last.get(true, ours) != ours for true, ours in pairs.items())
        last |= pairs
        truths, founds = truths + len(frame.truth), founds + len(found)
        matched += len(pairs)
        both.update(
            (true, ours)
            for true, box in frame.truth.items()
            for ours, other in found.items()
            if box.iou(other) >= LEAST_IOU
        )
    return IdentityScores(
        truths, founds, truths - matched, founds - matched, switches, _best_total(both)
    )


def _without_ignored(frame: IdentityFrame) -> dict[int, FaceBox]:
    """Return the tracked faces, except those whose best match is an ignored true face."""
    every = {(0, i): box for i, box in frame.truth.items()}
    every |= {(1, i): box for i, box in frame.ignored.items()}
    numbered = dict(enumerate(every.values()))
    required = len(frame.truth)
    dropped = {ours for i, ours in _best_pairs(numbered, frame.found).items() if i >= required}
    return {i: box for i, box in frame.found.items() if i not in dropped}


def _kept_pairs(truth: Boxes, found: Boxes, last: Mapping[int, int]) -> dict[int, int]:
    """Return the matches of earlier frames that still overlap; they take precedence."""
    return {
        true: last[true]
        for true, box in truth.items()
        if last.get(true) in found and box.iou(found[last[true]]) >= LEAST_IOU
    }


def _best_pairs(truth: Boxes, found: Boxes) -> dict[int, int]:
    """Return the largest set of matches; among equal sets, the one with the largest total IoU."""
    if not truth or not found:
        return {}
    ids = list(found)
    overlap = np.array([[box.iou(found[i]) for i in ids] for box in truth.values()])
    gain = np.where(overlap >= LEAST_IOU, 1 + overlap, 0)
    rows, columns = linear_sum_assignment(-gain)
    true_ids = list(truth)
    return {
        true_ids[r]: ids[c]
        for r, c in zip(rows, columns, strict=True)
        if overlap[r, c] >= LEAST_IOU
    }


def _best_total(both: Counter[tuple[int, int]]) -> int:
    """Return the number of matches under the best one-to-one assignment of ids (IDTP)."""
    if not both:
        return 0
    true_ids, our_ids = (sorted({pair[side] for pair in both}) for side in (0, 1))
    frames = np.array([[both[t, o] for o in our_ids] for t in true_ids])
    rows, columns = linear_sum_assignment(-frames)
    return int(frames[rows, columns].sum())
