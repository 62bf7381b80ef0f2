"""A face score for networks that have none: how sure they are that they see a face.

`peak`: mean height and sharpness of their heatmaps. `two looks`: a network of points always gives
a plausible face, also of a wall; but on a face the points of a moved crop are the same points of
the face, and on a wall they are not. What the points' own shape tells (residual of the similarity
to the mean shape) was tried and tells nothing: it is the same on faces and on walls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
_MOVED = (0.06, 0.04, 1.12, 12.0)  # of the second look: shares of the side, growth, degrees
_SURE = 3.6  # logit of the score of what is `likely`: 0.973
_STEEPEST = 60.0
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class FaceScore:
    """What a card says: the kind, and two measured values between which the score rises.

    likely: of a face, which then scores 0.97; unlikely: of none, which scores 0.5. Of `two looks`
    they are the disagreement of both looks' points in sizes of the face, of `peak` the output.
    """

    kind: str
    likely: float
    unlikely: float

    def of(self, value: NDArray[np.floating]) -> Floats:
        """Values as `likely` and `unlikely` → scores in [0, 1]; not a number scores 0."""
        known = np.where(np.isfinite(value), value, self.unlikely)
        at = np.log(np.maximum(known, _LEAST))
        low, high = math.log(self.unlikely), math.log(self.likely)
        logit = np.clip(_SURE * (at - low) / (high - low), -_STEEPEST, _STEEPEST)
        score = 1 / (1 + np.exp(-logit))
        return np.where(np.isfinite(value), score, 0).astype(np.float32)

    def as_card(self) -> dict[str, object]:
        """As `read` takes it."""
        return {"kind": self.kind, "likely": self.likely, "unlikely": self.unlikely}


def read_face_score(value: Any) -> FaceScore | None:
    """What a card says under `face_score`.

    Raises:
        ContentError: it is none.
    """
    if value is None:
        return None
    kind, likely, unlikely = value["kind"], float(value["likely"]), float(value["unlikely"])
    rising = likely > unlikely if kind == PEAK else likely < unlikely
    finite = min(likely, unlikely) > 0 and max(likely, unlikely) < math.inf
    if kind not in (PEAK, TWO_LOOKS) or not rising or not finite:
        raise ContentError("its face_score is {value}", value=str(value)[:120])
    return FaceScore(kind, likely, unlikely)


def second_look(crops: Image) -> tuple[Image, Matrix]:
    """The same crops (n, F, F, 3), moved, and the matrix from their pixels to those given."""
    size = crops.shape[1]
    right, down, growth, roll = _MOVED
    middle = (size - 1) / 2
    place = Crop(middle + right * size, middle + down * size, growth * size, roll)
    matrix = place.to_picture(size)
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
    """(n, K): how far the points (n, K, 2) of both looks lie apart, in sizes of the face.

    The size is the root mean square distance of the first look's points from their middle.
    """
    back = transform(matrix, second)
    apart = np.hypot(*np.moveaxis(back - first, -1, 0))
    from_middle = first - first.mean(1, keepdims=True)
    size = np.sqrt(np.square(from_middle).sum(-1).mean(1))
    share: Floats = (apart / np.maximum(size, _LEAST)[:, None]).astype(np.float32)
    return share


def scored(
    face_score: FaceScore,
    crops: Image,
    points: Floats,
    scores: Floats,
    face: Floats,
    points_of: Callable[[Image], Floats],
) -> tuple[Floats, Floats]:
    """Scores of the landmarks (n, K) and of the faces (n,), from the network's own outputs."""
    if face_score.kind == PEAK:
        return scores, face_score.of(face)
    moved, matrix = second_look(crops)
    apart = disagreement(points, points_of(moved), matrix)
    return scores * face_score.of(apart), face_score.of(np.median(apart, axis=1))
