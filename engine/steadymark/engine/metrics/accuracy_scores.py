"""All accuracy measures of one model or tracker, computed from predicted and true landmarks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
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
from steadymark.models.face.schema import IBUG_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.engine.metrics.accuracy import Length, Real, Values
    from steadymark.models.face.crop import Image
    from steadymark.models.face.schema import LandmarkSchema

# Least distance in frames between two worst faces of a video; closer ones show the same moment.
APART = 15
YAW_LIMITS_DEG = (0, 30, 60, 90)  # ranges of yaw in which AFLW2000-3D is reported


class FacePlace(NamedTuple):
    """Where the image of a face can be read again.

    Attributes:
        name: Name of the image or video, for display.
        source: The image or the video as `open_source` takes it; empty when only the landmarks of a
            video are known.
        frame: Frame number in the video; None for an image.
        load_image: Loads the image of a data set whose images `open_source` does not read one by
            one; None for other images and for videos.
    """

    name: str
    source: str
    frame: int | None = None
    load_image: Callable[[], Image] | None = None


class HeadYaw(NamedTuple):
    """Yaw of the heads of N faces.

    Attributes:
        deg: Yaw, (N,), in degrees, to either side; NaN where it is unknown.
        source: What it comes from, for display: the data set, or the true landmarks.
    """

    deg: Values
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkComparison:
    """Predicted and true landmarks of N faces.

    Attributes:
        places: Where each of the N faces comes from.
        found: Predicted landmarks, (N, K, 2), in pixels; NaN where the face was not found.
        truth: True landmarks, (N, K, 2), in pixels; NaN for landmarks that the ground truth lacks.
        schema: The landmark schema with K landmarks.
        scored: Indices of the landmarks that count in the scores.
        box_px: Width and height, (N, 2), in pixels, of the box of all landmarks that the ground
            truth has, in whatever schema; None takes the box of `truth`.
        yaw: Yaw of the heads; None if it is unknown.

    Raises:
        ValueError: The shapes of `found` and `truth` do not match `places` and `schema`.
    """

    places: tuple[FacePlace, ...]
    found: Values
    truth: Values
    schema: LandmarkSchema
    scored: tuple[int, ...]
    box_px: Values | None = None
    yaw: HeadYaw | None = None

    def __post_init__(self) -> None:
        shape = (len(self.places), self.schema.count, 2)
        if not self.found.shape == self.truth.shape == shape:
            raise ValueError(f"found {self.found.shape}, truth {self.truth.shape}, not {shape}")

    @property
    def box_sizes(self) -> Values:
        """√(width · height) of the box of the true landmarks of each face, (N,), in pixels."""
        return box_size(self.truth) if self.box_px is None else np.sqrt(self.box_px.prod(1))

    @property
    def box_diagonals(self) -> Values:
        """The diagonal of the box of the true landmarks of each face, (N,), in pixels."""
        return box_diagonal(self.truth) if self.box_px is None else np.hypot(*self.box_px.T)

    def of_points(self, length: Length | Values | None = None) -> Values:
        """Return the error of each scored landmark, in percent of a reference length.

        Args:
            length: The reference lengths, (N,), in pixels, or the function that computes them; the
                outer-eye distance by default.

        Returns:
            Errors, (N, number of scored landmarks), in percent.
        """
        if isinstance(length, np.ndarray):
            errors = point_errors(self.found, self.truth, lambda _: length)
        else:
            errors = point_errors(self.found, self.truth, length or eye_length(self.schema))
        return errors[:, list(self.scored)]

    def errors(self, length: Length | Values | None = None) -> Values:
        """Return the NRMSE of each face.

        Args:
            length: See `of_points`.

        Returns:
            Errors, (N,), in percent; NaN where the face was not found.
        """
        errors: Values = self.of_points(length).mean(-1)
        return errors

    def worst(self, count: int, errors: Values | None = None) -> list[int]:
        """Return the faces with the largest errors, worst first.

        Faces that were not found come first. Of two faces of the same video that are fewer than
        `APART` frames apart, only the worse one is returned.

        Args:
            count: The largest number of faces to return.
            errors: Error of each face by which they are chosen, (N,); by default `errors()`.

        Returns:
            Indices of faces.
        """
        errors = self.errors() if errors is None else errors
        order = np.argsort(-np.where(np.isnan(errors), np.inf, errors), kind="stable")
        frames = np.array([np.nan if p.frame is None else p.frame for p in self.places])
        sources = np.unique([place.source for place in self.places], return_inverse=True)[1]
        near_chosen = np.zeros(len(self.places), np.bool_)
        chosen: list[int] = []
        for i in order.tolist():
            if len(chosen) == count:
                break
            if not near_chosen[i]:
                chosen.append(i)
                near_chosen |= (sources == sources[i]) & (np.abs(frames - frames[i]) < APART)
        return chosen


def join_comparisons(parts: Sequence[LandmarkComparison]) -> LandmarkComparison:
    """Concatenate the faces of several comparisons that share one schema.

    Args:
        parts: One or more comparisons; the schema and the scored landmarks are those of the first.

    Returns:
        One comparison with the faces of all parts, in order.
    """
    return LandmarkComparison(
        tuple(place for part in parts for place in part.places),
        np.concatenate([part.found for part in parts]),
        np.concatenate([part.truth for part in parts]),
        parts[0].schema,
        parts[0].scored,
    )


@dataclass(frozen=True, slots=True)
class YawScores:
    """Accuracy on the faces of a range of yaw.

    Attributes:
        faces: Number of faces.
        missed: Number of faces that were not found.
        nrmse_box_size: Mean error of the found faces, in percent of √(width · height) of the
            landmarks' box; NaN if there are none.
    """

    faces: int
    missed: int
    nrmse_box_size: float


@dataclass(frozen=True, slots=True)
class AccuracyScores:
    """Accuracy scores of one model or tracker.

    Attributes:
        faces: Number of faces.
        missed: Number of faces that were not found.
        nrmse: Mean error of the found faces, in percent of the outer-eye distance.
        median: Median error of the found faces, in percent of the outer-eye distance.
        fr8: Share of all faces with an error of 8 % or more; a missed face counts as a failure.
        fr10: Share of all faces with an error of 10 % or more; a missed face counts as a failure.
        auc8: Area under the cumulative error curve up to 8 %, in [0, 1]; a missed face counts 0.
        auc10: Area under the cumulative error curve up to 10 %, in [0, 1]; a missed face counts 0.
        nrmse_inter_pupil: Mean error, in percent of the inter-pupil distance; NaN when the schema
            does not have 68 landmarks or the ground truth lacks the eyes.
        nrmse_box_diagonal: Mean error, in percent of the diagonal of the landmarks' box.
        nrmse_box_size: Mean error, in percent of √(width · height) of the landmarks' box.
        regions: NRMSE of each region of the face, by the region's name.
        yaw: Accuracy by range of yaw in degrees, such as `30-60`; empty if the yaw is unknown.
        yaw_mean: Mean of `nrmse_box_size` over the ranges, so that each counts the same, as is
            usual on AFLW2000-3D; NaN unless each range has a face.
        yaw_source: What the yaw comes from; empty if it is unknown.
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
    yaw: dict[str, YawScores] = field(default_factory=dict)
    yaw_mean: float = float("nan")
    yaw_source: str = ""


def accuracy_of(compared: LandmarkComparison) -> AccuracyScores:
    """Compute all accuracy scores of a comparison.

    Args:
        compared: Predicted and true landmarks of at least one face.

    Returns:
        The scores.

    Raises:
        ValueError: The comparison holds no face.
    """
    errors = compared.errors()
    finite = np.isfinite(errors)
    pupils: Length = inter_pupil_distance if compared.schema.name in IBUG_ORDER else _unknown
    by_yaw = _by_yaw(compared)
    return AccuracyScores(
        faces=len(errors),
        missed=int((~finite).sum()),
        nrmse=float(mean_of_finite(errors)),
        median=float(np.median(errors[finite])) if finite.any() else float("nan"),
        fr8=failure_rate(errors, 8.0),
        fr10=failure_rate(errors, 10.0),
        auc8=auc(errors, 8.0),
        auc10=auc(errors, 10.0),
        nrmse_inter_pupil=float(mean_of_finite(compared.errors(pupils))),
        nrmse_box_diagonal=float(mean_of_finite(compared.errors(compared.box_diagonals))),
        nrmse_box_size=float(mean_of_finite(compared.errors(compared.box_sizes))),
        regions=_by_region(compared),
        yaw=by_yaw,
        yaw_mean=float(np.mean([part.nrmse_box_size for part in by_yaw.values()]))
        if by_yaw
        else float("nan"),
        yaw_source="" if compared.yaw is None else compared.yaw.source,
    )


def eye_length(schema: LandmarkSchema) -> Length:
    """Return a function that measures the distance between the schema's outer eye corners.

    Args:
        schema: The landmark schema.

    Returns:
        A function of landmarks (..., K, 2) that returns distances (...), in their unit.
    """
    return partial(outer_eye_distance, corners=schema.eyes)


def _by_region(compared: LandmarkComparison) -> dict[str, float]:
    errors = compared.of_points()
    scored = np.array(compared.scored)
    return {
        name: float(mean_of_finite(errors[:, np.isin(scored, part)]))
        for name, part in compared.schema.regions.items()
    }


def _by_yaw(compared: LandmarkComparison) -> dict[str, YawScores]:
    if compared.yaw is None:
        return {}
    errors, yaw_deg = compared.errors(compared.box_sizes), np.abs(compared.yaw.deg)
    scores = {}
    for low, high in pairwise(YAW_LIMITS_DEG):
        inside = (yaw_deg <= high) & ((yaw_deg > low) | (low == 0))
        found = np.isfinite(errors[inside])
        scores[f"{low}-{high}"] = YawScores(
            int(inside.sum()), int((~found).sum()), float(mean_of_finite(errors[inside]))
        )
    return scores


def _unknown(points: Real) -> Values:
    return np.full(points.shape[:-2], np.nan)
