"""Figures of pupil networks on held-back eyes, beside those of simple methods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.models.face.eye_crop import TOP
from steadymark.models.runtime.pupil_network import PupilNetwork
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
from steadymark.models.training.pupils.reference_network import (
    OwnErrors,
    own_errors,
    reference_pupils,
)
from steadymark.models.training.pupils.simple_methods import SIMPLE_METHODS, darkness_of_iris

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.zoo import ModelCard

    Values = NDArray[np.floating]

HELD_BACK_KINDS = ("labelled", "closed", "open")


class MethodErrors(NamedTuple):
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


class ClosedTold(NamedTuple):
    """How well a method tells closed eyes.

    Attributes:
        method: Name of the method.
        auc: Probability that an open eye has a higher value than a closed one.
        closed_told: Share of the closed eyes whose value is below the threshold.
        open_kept: Share of the open eyes whose value is not.
    """

    method: str
    auc: float
    closed_told: float
    open_kept: float


class PupilScores(NamedTuple):
    """The figures of a network and of simple methods.

    Attributes:
        eyes: Number of eyes with known pupils.
        closed_eyes: Number of closed eyes.
        open_eyes: Number of open eyes.
        methods: Errors of each method, the network first.
        closed: How well closed eyes are told, the network first.
        own: The errors of network and labels apart; None without a reference network.
    """

    eyes: int
    closed_eyes: int
    open_eyes: int
    methods: tuple[MethodErrors, ...]
    closed: tuple[ClosedTold, ...]
    own: OwnErrors | None = None


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


def in_picture(xy: Values) -> Values:
    """Map centres (n, 2) from pixels of `crop_of_eye` to pixels of the eyes' pictures."""
    matrix = view_matrix()
    found: Values = np.add(xy, (0, TOP)) @ matrix[:, :2].T + matrix[:, 2]
    return found


def error_percent(eyes: Sequence[EyePicture], xy: Values) -> Values:
    """Return the errors (n,) in % of each eye's width, the distance of its corners.

    Args:
        eyes: n eyes with known pupils.
        xy: (n, 2) centres in pixels of `crop_of_eye`.
    """
    found = in_picture(xy)
    truth = np.stack([eye.pupil for eye in eyes])
    widths = np.array([np.hypot(*(eye.lids[3] - eye.lids[0])) for eye in eyes])
    errors: Values = np.linalg.norm(found - truth, axis=1) / widths * 100
    return errors


def area_under_curve(positive: Values, negative: Values) -> float:
    """Return the probability that a positive value exceeds a negative one; ties count half."""
    differences = positive[:, None] - negative[None]
    return float(((differences > 0) + 0.5 * (differences == 0)).mean())


def measure_pupils(card: ModelCard, data: Path, reference: Path | None = None) -> PupilScores:
    """Measure a network and simple methods on held-back eyes.

    Args:
        card: The model card of the network.
        data: The data folder.
        reference: The iris network of `reference_pupils`, or None.

    Raises:
        WeightsError: The network cannot be opened, or the reference network not be run.
    """
    network, eyes = PupilNetwork(card), held_back_eyes(data)
    labelled = eyes["labelled"]
    crops = {kind: np.stack([crop_of_eye(eye) for eye in eyes[kind]]) for kind in eyes}
    found = {"network": network(crops["labelled"])[0]}
    for name, method in SIMPLE_METHODS.items():
        pairs = zip(crops["labelled"], labelled, strict=True)
        found[name] = np.array([method(crop, eye) for crop, eye in pairs], np.float32)
    opened, closed = (
        {
            "network": network(crops[kind])[1],
            "darkness of the darkest disc": np.array([*map(darkness_of_iris, crops[kind])]),
        }
        for kind in ("open", "closed")
    )
    limits = {name: float(np.percentile(opened[name], 5)) for name in opened}
    limits["network"] = card.threshold
    own = None
    if reference is not None:
        truth = np.stack([eye.pupil for eye in labelled])
        own = own_errors(in_picture(found["network"]), truth, reference_pupils(reference, labelled))
    return PupilScores(
        len(labelled),
        len(eyes["closed"]),
        len(eyes["open"]),
        tuple(_errors_of(name, error_percent(labelled, xy)) for name, xy in found.items()),
        tuple(_told(name, opened[name], closed[name], limits[name]) for name in opened),
        own,
    )


def _errors_of(method: str, errors: Values) -> MethodErrors:
    percentile = float(np.percentile(errors, 95))
    within = float((errors <= 3).mean())
    return MethodErrors(method, float(errors.mean()), float(np.median(errors)), percentile, within)


def _told(method: str, opened: Values, closed: Values, limit: float) -> ClosedTold:
    told, kept = float((closed < limit).mean()), float((opened >= limit).mean())
    return ClosedTold(method, area_under_curve(opened, closed), told, kept)


def write_scores(card: ModelCard, measured: PupilScores) -> None:
    """Write the figures of a network into its card.

    Args:
        card: The model card of the network.
        measured: Result of `measure_pupils`.
    """
    file = card.path.with_suffix(".json")
    entries = json.loads(file.read_text(encoding="utf-8"))
    errors, closed = measured.methods[0], measured.closed[0]
    entries["scores"] = {
        "held_back_eyes_mean_error_percent": round(errors.mean, 3),
        "held_back_eyes_median_error_percent": round(errors.median, 3),
        "held_back_eyes_95_error_percent": round(errors.at_95, 3),
        "held_back_eyes_within_3_percent": round(100 * errors.within_3, 2),
        "held_back_closed_eyes_auc": round(closed.auc, 4),
        "held_back_closed_eyes_told_percent": round(100 * closed.closed_told, 2),
        "held_back_open_eyes_kept_percent": round(100 * closed.open_kept, 2),
    }
    entries["scores_note"] = "steadymark-train pupil-scores; errors in % of the eye's width"
    file.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
