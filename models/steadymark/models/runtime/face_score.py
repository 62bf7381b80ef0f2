"""Compute a face score for networks that have none, that is, whether a crop shows a face.

There are two kinds. `peak` uses the mean height and sharpness of the heatmaps. `two looks` runs
the network on the crop and on a moved crop: on a face it finds the same points of the face in
both, on a wall it does not. A network that regresses coordinates needs this kind, because its
points look like a face on any image; so the shape of the points does not help either.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.errors import ContentError
from steadymark.models.face.crop import Crop, transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Matrix

    Floats = NDArray[np.float32]

PEAK, TWO_LOOKS = "peak", "two looks"
_SECOND_CROP = (
    0.06,
    0.04,
    1.12,
    12.0,
)  # second crop: shift right, down (shares of side), scale, degrees
_LIKELY_LOGIT = 3.6  # logit of the score at `likely`, which is 0.973
_MAX_LOGIT = 60.0  # largest absolute logit
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class FaceScore:
    """How a measured value becomes a face score; the model card stores it.

    The value is the network's `face` output for the kind `peak`. For `two looks` it is the distance
    between the points of both crops, as a share of the face's size.

    Attributes:
        kind: `peak` or `two looks`.
        likely: The value for which the score is 0.97, typical of a face.
        unlikely: The value for which the score is 0.5.

    Raises:
        ContentError: A value is not allowed.
    """

    kind: str
    likely: float
    unlikely: float

    def __post_init__(self) -> None:
        low, high = sorted((self.likely, self.unlikely))
        in_order = self.likely > self.unlikely if self.kind == PEAK else self.likely < self.unlikely
        if self.kind not in (PEAK, TWO_LOOKS) or not (in_order and low > 0 and high < math.inf):
            raise ContentError("its face_score is {value}", value=str(self.as_card())[:120])

    def of(self, value: NDArray[np.floating]) -> Floats:
        """Convert measured values to scores.

        Args:
            value: (...) values of the kind that `likely` and `unlikely` are.

        Returns:
            (...) float32 in [0, 1]; 0 for NaN and infinity.
        """
        finite = np.where(np.isfinite(value), value, self.unlikely)
        log_value = np.log(np.maximum(finite, _TINY))
        log_unlikely, log_likely = math.log(self.unlikely), math.log(self.likely)
        logit = np.clip(
            _LIKELY_LOGIT * (log_value - log_unlikely) / (log_likely - log_unlikely),
            -_MAX_LOGIT,
            _MAX_LOGIT,
        )
        score = 1 / (1 + np.exp(-logit))
        return np.where(np.isfinite(value), score, 0).astype(np.float32)

    def as_card(self) -> dict[str, object]:
        """Return the entry of the model card."""
        return asdict(self)


def move_crops(crops: Image) -> tuple[Image, Matrix]:
    """Move crops for the second run of the network.

    Args:
        crops: (n, F, F, 3) uint8.

    Returns:
        The moved crops of the same shape, and the (2, 3) matrix from their pixels to those of the
        given crops.
    """
    size = crops.shape[1]
    right, down, growth, roll = _SECOND_CROP
    centre = (size - 1) / 2
    second_crop = Crop(centre + right * size, centre + down * size, growth * size, roll)
    matrix = second_crop.matrix_to_image(size)
    moved = np.empty_like(crops)
    for crop, out in zip(crops, moved, strict=True):
        cv2.warpAffine(
            crop,
            matrix,
            (size, size),
            dst=out,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return moved, matrix


def disagreement(first: Floats, second: Floats, matrix: Matrix) -> Floats:
    """Compute how far the points found in the crop and in the moved crop lie apart.

    Args:
        first: (n, K, 2) points of the crops, pixels.
        second: (n, K, 2) points of the moved crops, pixels.
        matrix: (2, 3) matrix from moved to given pixels, see `move_crops`.

    Returns:
        (n, K) distances divided by the face's size, which is the RMS distance of `first` from its
        mean.
    """
    second_in_first = transform(matrix, second)
    distances = np.hypot(*np.moveaxis(second_in_first - first, -1, 0))
    from_centre = first - first.mean(1, keepdims=True)
    size = np.sqrt(np.square(from_centre).sum(-1).mean(1))
    relative: Floats = (distances / np.maximum(size, _TINY)[:, None]).astype(np.float32)
    return relative


def compute_scores(
    face_score: FaceScore,
    crops: Image,
    points: Floats,
    scores: Floats,
    face: Floats,
    points_of: Callable[[Image], Floats],
) -> tuple[Floats, Floats]:
    """Compute the scores of landmarks and faces from the network's own outputs.

    Args:
        face_score: How to compute them.
        crops: (n, F, F, 3) uint8.
        points: (n, K, 2) points that the network found in the crops.
        scores: (n, K) `scores` output of the network.
        face: (n,) `face` output of the network.
        points_of: Runs the network on crops and returns their points.

    Returns:
        Scores of the landmarks (n, K) and of the faces (n,).
    """
    if face_score.kind == PEAK:
        return scores, face_score.of(face)
    moved, matrix = move_crops(crops)
    distances = disagreement(points, points_of(moved), matrix)
    return scores * face_score.of(distances), face_score.of(np.median(distances, axis=1))
