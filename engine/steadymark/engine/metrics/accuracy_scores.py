"""Every measure of accuracy of one model or tracker, from its landmarks and the true ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.metrics.accuracy import (
    auc,
    box_diagonal,
    box_size,
    failure_rate,
    inter_pupil_distance,
    mean_of_finite,
    outer_eye_distance,
    point_errors,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.metrics.accuracy import Length, Real, Values
    from steadymark.models.face.schema import LandmarkSchema

APART = 15  # frames between two worst ones of a video, which otherwise show one moment N times


class FacePlace(NamedTuple):
    """Where a face is to be seen: source is a picture, or a video with the frame's number.

    source is empty where only the landmarks of the video are known.
    """

    name: str
    source: str
    frame: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkComparison:
    """What was found in N faces, against the truth.

    found: (N, K, 2), NaN where the face was not found. truth: (N, K, 2), NaN in landmarks that it
    lacks. scored: the landmarks that count. places: N.
    """

    places: tuple[FacePlace, ...]
    found: Values
    truth: Values
    schema: LandmarkSchema
    scored: tuple[int, ...]

    def __post_init__(self) -> None:
        shape = (len(self.places), self.schema.count, 2)
        if not self.found.shape == self.truth.shape == shape:
            raise ValueError(f"found {self.found.shape}, truth {self.truth.shape}, not {shape}")

    def of_points(self, length: Length | None = None) -> Values:
        """(N, number scored): each landmark's error, in % of a length; outer eyes by default."""
        errors = point_errors(self.found, self.truth, length or eye_length(self.schema))
        return errors[:, list(self.scored)]

    def errors(self, length: Length | None = None) -> Values:
        """(N,): NRMSE of each face; NaN where it was not found."""
        errors: Values = self.of_points(length).mean(-1)
        return errors

    def worst(self, count: int) -> list[int]:
        """Indices of the worst faces, those not found first; of a video's, only well apart."""
        errors = self.errors()
        order = np.argsort(-np.where(np.isnan(errors), np.inf, errors), kind="stable")
        chosen: list[int] = []
        for i in (int(i) for i in order):
            if len(chosen) == count:
                break
            if not any(_near(self.places[i], self.places[j]) for j in chosen):
                chosen.append(i)
        return chosen


def join_comparisons(parts: Sequence[LandmarkComparison]) -> LandmarkComparison:
    """The faces of several comparisons of one schema."""
    return LandmarkComparison(
        tuple(place for part in parts for place in part.places),
        np.concatenate([part.found for part in parts]),
        np.concatenate([part.truth for part in parts]),
        parts[0].schema,
        parts[0].scored,
    )


@dataclass(frozen=True, slots=True)
class AccuracyScores:
    """What a model reached.

    nrmse (mean) and median in % of the outer-eye distance, over the faces found; the same mean in
    % of the inter-pupil distance, of the diagonal and of √(width · height) of the landmarks' box,
    NaN where the truth lacks landmarks of these. fr8, fr10: share of all faces with an error of 8
    (10) % or more, those not found included; auc8, auc10: in [0, 1], a face not found counts 0.
    regions: nrmse of each. missed: faces that were not found.
    """

    faces: int
    missed: int
    nrmse: float
    median: float
    fr8: float
    fr10: float
    auc8: float
    auc10: float
    nrmse_inter_pupil: float
    nrmse_box_diagonal: float
    nrmse_box_size: float
    regions: dict[str, float]


def accuracy_of(compared: LandmarkComparison) -> AccuracyScores:
    """All measures of accuracy of N ≥ 1 faces."""
    errors = compared.errors()
    there = np.isfinite(errors)
    pupils: Length = inter_pupil_distance if compared.schema.count == 68 else _unknown
    return AccuracyScores(
        faces=len(errors),
        missed=int((~there).sum()),
        nrmse=float(mean_of_finite(errors)),
        median=float(np.median(errors[there])) if there.any() else float("nan"),
        fr8=failure_rate(errors, 8.0),
        fr10=failure_rate(errors, 10.0),
        auc8=auc(errors, 8.0),
        auc10=auc(errors, 10.0),
        nrmse_inter_pupil=float(mean_of_finite(compared.errors(pupils))),
        nrmse_box_diagonal=float(mean_of_finite(compared.errors(box_diagonal))),
        nrmse_box_size=float(mean_of_finite(compared.errors(box_size))),
        regions=_by_region(compared),
    )


def eye_length(schema: LandmarkSchema) -> Length:
    """The distance of the schema's outer eye corners."""
    return partial(outer_eye_distance, corners=schema.eyes)


def _by_region(compared: LandmarkComparison) -> dict[str, float]:
    errors = compared.of_points()
    scored = np.array(compared.scored)
    return {
        name: float(mean_of_finite(errors[:, np.isin(scored, part)]))
        for name, part in compared.schema.regions.items()
    }


def _unknown(points: Real) -> Values:
    return np.full(points.shape[:-2], np.nan)


def _near(a: FacePlace, b: FacePlace) -> bool:
    if a.frame is None or b.frame is None or a.source != b.source:
        return False
    return abs(a.frame - b.frame) < APART
