"""The errors of landmarks against ground truth, by frame and by landmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import mean_of_finite
from steadymark.engine.metrics.accuracy_scores import accuracy_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.metrics.accuracy_scores import (
        AccuracyScores,
        FacePlace,
        LandmarkComparison,
    )
    from steadymark.models.face.schema import LandmarkSchema

    Values = NDArray[np.float64]

MOST_WORST = 100  # frames that are listed


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkErrors:
    """The errors of one variant in N frames, in % of the distance between the outer eye corners.

    Attributes:
        schema: The schema of the K landmarks.
        places: The frames.
        errors: (N,), the mean error of the landmarks of each frame; NaN without a face.
        by_landmark: (K,), the mean error of each landmark over the frames with a face; NaN for
            landmarks that are not compared.
        worst: The indices of the frames with the largest errors, the worst first; frames without a
            face are before all others. Two frames of a video are never close together.
        scores: The scores that `steadymark evaluate` reports.
    """

    schema: LandmarkSchema
    places: tuple[FacePlace, ...]
    errors: Values
    by_landmark: Values
    worst: tuple[int, ...]
    scores: AccuracyScores


ErrorPair = tuple[LandmarkErrors, LandmarkErrors]  # of the two compared variants


def landmark_errors(compared: LandmarkComparison) -> LandmarkErrors:
    """Return the errors of a comparison with ground truth.

    Args:
        compared: Predicted and true landmarks of at least one frame.

    Returns:
        The errors.
    """
    errors = compared.errors()
    by_landmark = np.full(compared.schema.count, np.nan)
    by_landmark[list(compared.scored)] = mean_of_finite(compared.of_points(), axis=0)
    return LandmarkErrors(
        schema=compared.schema,
        places=compared.places,
        errors=errors,
        by_landmark=by_landmark,
        worst=tuple(compared.worst(MOST_WORST, errors)),
        scores=accuracy_of(compared),
    )
