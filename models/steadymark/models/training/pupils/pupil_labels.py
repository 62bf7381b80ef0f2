"""Labels of pupils by an earlier pupil network, for eyes that nobody has labelled."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from steadymark.models.face.eye_crop import EYE_HEIGHT, EYE_WIDTH, MARGIN, TOP
from steadymark.models.training.pupils.eye_pictures import CLOSED_BELOW, EYE_SCALE, PICTURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.training.pupils.eye_pictures import EyePicture

    Teacher = Callable[[Image], tuple[NDArray[np.floating], NDArray[np.floating]]]

Item = TypeVar("Item")

LEAST_SEEN = 0.9  # least mean score of the teacher
MOST_SPREAD = 0.025  # of the views' centres, as a share of the eye's width
LEAST_OPENING = 0.12  # of the lids, as a share of the eye's width
_VIEWS = 12
_EYES_A_RUN = 20


def label_pupils(eyes: Iterable[EyePicture], teacher: Teacher, *, seed: int) -> list[EyePicture]:
    """Label pupils by the mean of a teacher's results in several displaced, turned crops.

    Args:
        eyes: Eyes whose pupils are unknown.
        teacher: Returns the centres (n, 2) in crops (n, H, W), and the probabilities (n,) that the
            pupils are seen.
        seed: Seed of the crops.

    Returns:
        The eyes whose pupil is certain, with their labels.
    """
    found: list[EyePicture] = []
    opened = [(number, eye) for number, eye in enumerate(eyes) if eye.opening >= LEAST_OPENING]
    for part in _batched(opened, _EYES_A_RUN):
        matrices = [
            view_matrix(rng)
            for number, _ in part
            for rng in (np.random.default_rng((seed, number, 5)),)
            for _ in range(_VIEWS)
        ]
        images = [eye.image for _, eye in part for _ in range(_VIEWS)]
        crops = [cut_view(image, m) for image, m in zip(images, matrices, strict=True)]
        points, seen = teacher(np.stack(crops))
        centres = np.array(
            [
                matrix[:, :2] @ np.add(xy, (0, TOP)) + matrix[:, 2]
                for matrix, xy in zip(matrices, points, strict=True)
            ]
        )
        views, scores = centres.reshape(-1, _VIEWS, 2), seen.reshape(-1, _VIEWS).mean(1)
        spreads = np.sqrt(views.var(1).sum(1)) / EYE_SCALE
        sure = (scores >= LEAST_SEEN) & (spreads <= MOST_SPREAD)
        means = views.mean(1).astype(np.float32)
        found += [replace(part[i][1], pupil=means[i]) for i in np.flatnonzero(sure)]
    return found


def _batched(values: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of at most `size` values (itertools.batched needs Python 3.12)."""
    remaining = iter(values)
    while part := list(islice(remaining, size)):
        yield part


def closed_eyes(eyes: Iterable[EyePicture]) -> list[EyePicture]:
    """Return the eyes whose lids touch by landmarks that were labelled by hand."""
    return [eye for eye in eyes if eye.opening < CLOSED_BELOW]


def view_matrix(rng: np.random.Generator | None = None) -> NDArray[np.float64]:
    """Return the (2, 3) matrix from pixels of the square crop to those of an eye's picture.

    Args:
        rng: Makes a random displacement, turn and size; None for the crop of the landmarks.
    """
    pixel, angle, shift = MARGIN * EYE_SCALE / EYE_WIDTH, 0.0, np.zeros(2)
    if rng is not None:
        pixel *= float(np.exp(rng.normal(0, 0.06)))
        angle = float(np.radians(rng.normal(0, 4)))
        shift = rng.normal(0, 0.04, 2) * EYE_SCALE
    turned = pixel * np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    centre = (PICTURE - 1) / 2 + shift
    return np.concatenate((turned, (centre - turned @ np.full(2, (EYE_WIDTH - 1) / 2))[:, None]), 1)


def cut_view(picture: Image, matrix: NDArray[np.float64]) -> Image:
    """Cut a crop (EYE_HEIGHT, EYE_WIDTH) out of an eye's picture, see `view_matrix`."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    square = cv2.warpAffine(
        picture, matrix, (EYE_WIDTH, EYE_WIDTH), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return square[TOP : TOP + EYE_HEIGHT].astype(np.uint8, copy=False)
