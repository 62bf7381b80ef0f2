"""Figures of pupil networks on held-back eyes, beside those of simple methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.models.face.eye_crop import EYE_HEIGHT, EYE_WIDTH, MARGIN, TOP
from steadymark.models.training.loop.checkpoint import load_checkpoint, save_checkpoint
from steadymark.models.training.pupils.eye_pictures import (
    CLOSED_BELOW,
    OPEN_ABOVE,
    EyePicture,
    annotated_eyes,
    as_tensors,
    from_tensors,
    labelled_eyes,
)
from steadymark.models.training.pupils.pupil_labels import cut_view, view_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.pupil_network import PupilNetwork

    Values = NDArray[np.floating]

HELD_BACK_KINDS = ("labelled", "closed", "open")
_IRIS_PX = 0.2 * EYE_WIDTH / MARGIN  # usual radius of an iris in a crop


class PupilFigures(NamedTuple):
    """Errors of a method on eyes with known pupils, in % of the eye's width.

    Attributes:
        method: Name of the method.
        mean: Mean error.
        median: Median error.
        at_95: Error that 95 % of the eyes do not exceed.
        within_3: Share of the eyes with an error of at most 3 %.
    """

    method: str
    mean: float
    median: float
    at_95: float
    within_3: float


class ClosedFigures(NamedTuple):
    """How well the score tells closed eyes.

    Attributes:
        closed: Number of closed eyes.
        open: Number of open eyes.
        auc: Probability that an open eye has a higher score than a closed one.
        closed_told: Share of the closed eyes whose score is below the threshold.
        open_kept: Share of the open eyes whose score is not.
    """

    closed: int
    open: int
    auc: float
    closed_told: float
    open_kept: float


def held_back_eyes(data: Path, cache: Path | None = None) -> dict[str, list[EyePicture]]:
    """Return the held-back eyes: with known pupils, and closed and open ones by hand-made labels.

    Args:
        data: The data folder.
        cache: Folder in which they are kept, since cutting them takes a minute.
    """
    file = None if cache is None else cache / "held_back_eyes.pt"
    cached = load_checkpoint(file) if file is not None and file.is_file() else {}
    if cached.get("made_of") == [str(data)]:
        return {kind: from_tensors(cached[kind]) for kind in HELD_BACK_KINDS}
    annotated = annotated_eyes(data, held_back=True)
    eyes = {
        "labelled": labelled_eyes(data, held_back=True),
        "closed": [eye for eye in annotated if eye.opening < CLOSED_BELOW],
        "open": [eye for eye in annotated if eye.opening >= OPEN_ABOVE],
    }
    if file is not None and all(eyes.values()):
        tensors = {kind: as_tensors(found) for kind, found in eyes.items()}
        save_checkpoint(file, {"made_of": [str(data)], **tensors})
    return eyes


def crop_of_eye(eye: EyePicture) -> Image:
    """Return the crop (EYE_HEIGHT, EYE_WIDTH) that the tracker would cut of an eye."""
    return cut_view(eye.image, view_matrix())


def error_percent(eyes: Sequence[EyePicture], xy: Values) -> Values:
    """Return the errors (n,) in % of each eye's width, the distance of its corners.

    Args:
        eyes: n eyes with known pupils.
        xy: (n, 2) centres in pixels of `crop_of_eye`.
    """
    matrix = view_matrix()
    found = (xy + (0, TOP)) @ matrix[:, :2].T + matrix[:, 2]
    truth = np.stack([eye.pupil for eye in eyes])
    widths = np.array([np.hypot(*(eye.lids[3] - eye.lids[0])) for eye in eyes])
    errors: Values = np.linalg.norm(found - truth, axis=1) / widths * 100
    return errors


def area_under_curve(positive: Values, negative: Values) -> float:
    """Return the probability that a positive value exceeds a negative one; ties count half."""
    differences = positive[:, None] - negative[None]
    return float(((differences > 0) + 0.5 * (differences == 0)).mean())


def pupil_figures(
    eyes: dict[str, list[EyePicture]], network: PupilNetwork, threshold: float
) -> tuple[list[PupilFigures], ClosedFigures]:
    """Measure a network and simple methods on held-back eyes.

    Args:
        eyes: Result of `held_back_eyes`.
        network: The network.
        threshold: Score below which a pupil counts as not seen.

    Returns:
        The errors of each method, the network first; and how well the network tells closed eyes.
    """
    labelled = eyes["labelled"]
    crops = np.stack([crop_of_eye(eye) for eye in labelled])
    results = {"network": network(crops)[0]}
    for name, method in SIMPLE_METHODS.items():
        found = [method(crop, eye) for crop, eye in zip(crops, labelled, strict=True)]
        results[name] = np.array(found, np.float32)
    errors = {name: error_percent(labelled, xy) for name, xy in results.items()}
    figures = [
        PupilFigures(
            name,
            float(each.mean()),
            float(np.median(each)),
            float(np.percentile(each, 95)),
            float((each <= 3).mean()),
        )
        for name, each in errors.items()
    ]
    opened, closed = (
        network(np.stack([crop_of_eye(eye) for eye in eyes[kind]]))[1] for kind in ("open", "closed")
    )
    told = ClosedFigures(
        len(closed),
        len(opened),
        area_under_curve(opened, closed),
        float((closed < threshold).mean()),
        float((opened >= threshold).mean()),
    )
    return figures, told


def _lids_in_crop(eye: EyePicture) -> Values:
    matrix = view_matrix()
    lids: Values = (eye.lids - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T - (0, TOP)
    return lids


def _within_lids(eye: EyePicture) -> NDArray[np.bool_]:
    mask = np.zeros((EYE_HEIGHT, EYE_WIDTH), np.uint8)
    cv2.fillPoly(mask, [_lids_in_crop(eye).round().astype(np.int32)], 1)
    return mask > 0


def centre_of_lids(crop: Image, eye: EyePicture) -> Values:
    """Return the mean of the eye's landmarks."""
    centre: Values = _lids_in_crop(eye).mean(0)
    return centre


def darkest_disc(crop: Image, eye: EyePicture) -> Values:
    """Return the centre of the darkest disc of an iris's size whose centre lies between the lids."""
    radius = round(_IRIS_PX)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2).astype(np.float32)
    darkness = cv2.filter2D(crop.astype(np.float32), -1, kernel / kernel.sum())
    darkness[~_within_lids(eye)] = np.inf
    row, column = np.unravel_index(int(darkness.argmin()), darkness.shape)
    return np.array((column, row), np.float32)


def dark_ellipse(crop: Image, eye: EyePicture) -> Values:
    """Return the centre of mass of the darkest 30 % of the pixels between the lids."""
    within = _within_lids(eye)
    if not within.any():
        return centre_of_lids(crop, eye)
    limit = np.percentile(crop[within], 30)
    rows, columns = np.nonzero(within & (crop <= limit))
    return np.array((columns.mean(), rows.mean()), np.float32)


SIMPLE_METHODS: dict[str, Callable[[Image, EyePicture], Values]] = {
    "centre of the lids": centre_of_lids,
    "darkest disc": darkest_disc,
    "darkest 30 % between the lids": dark_ellipse,
}
