"""Fits the face score of a trained landmark network, whose other weights stay as they are.

In the training of the landmarks, crops without a face are random parts of photos. The tracker asks
for more: it must tell faces from the places that the detector takes for faces. The head of the face
score is therefore fitted again on such places, see `face_candidates`.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.datasets.photo_splits import is_held_back
from steadymark.models.runtime.zoo import read_card
from steadymark.models.training.export_run import export_run
from steadymark.models.training.landmarks.face_candidates import face_crops
from steadymark.models.training.landmarks.landmark_registry import landmark_system_of
from steadymark.models.training.loop.checkpoint import load_checkpoint, origin_of, save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.training.landmarks.face_candidates import FaceCrops

SURE_SCORE = 0.9995  # face score from which the tracker believes a doubtful box
LOST_SCORE = 0.5  # face score below which the tracker loses a face
_SURE_FALSE = 0.005  # share of photos without faces that hold a place with SURE_SCORE
_LOST_FALSE = 0.10  # share of the places in these photos that have LOST_SCORE
_FOLDS = 5  # of the photos; the scores of a part are those of a head that did not see it
_EPOCHS, _BATCH, _RATE, _DECAY, _DROPPED = 15, 256, 2e-3, 0.05, 0.5
_LARGEST = 200.0  # of a feature, so that half precision can hold it


class Examples(NamedTuple):
    """Features of crops.

    Attributes:
        features: (n, C, H, W) float16, the deepest features of the backbone.
        is_face: (n,) float32, 1 for a face.
        photo: (n,) index of the photo.
        background: (n,) bool, whether the photo shows no face.
        names: Names of the photos.
    """

    features: Tensor
    is_face: Tensor
    photo: NDArray[np.int64]
    background: NDArray[np.bool_]
    names: tuple[str, ...]


class FitFigures(NamedTuple):
    """What the scores of photos that a head did not see are worth.

    Attributes:
        crops: Number of crops.
        faces: Number of crops that show a face.
        sure: Share of the faces with `SURE_SCORE` or more, 0 to 1.
        kept: Share of the faces with `LOST_SCORE` or more, 0 to 1.
    """

    crops: int
    faces: int
    sure: float
    kept: float


def fit_face_score(run: Path, data: Path, out: Path, *, seed: int) -> FitFigures:
    """Fit the face score of a run's network, and write a run with it.

    Args:
        run: Folder of the training run.
        data: The data folder.
        out: Folder of the new run.
        seed: Seed of the photos' versions, of the first weights and of their order.

    Returns:
        Figures of photos that the head did not see.

    Raises:
        OSError: The run has no checkpoint.
        ValueError: The network has no such head.
        DataError: The data folder is incomplete.
    """
    checkpoint = load_checkpoint(run / "last.pt")
    system = landmark_system_of(checkpoint["recipe"])
    network = system.build()
    network.load_state_dict(checkpoint["averaged"])
    network.eval()
    if not (hasattr(network, "backbone") and isinstance(getattr(network, "face", None), nn.Module)):
        raise ValueError(f"{system.name} has no head of this form: its face score stays as it is")
    card = read_card(export_run(run, out, "before").with_suffix(".json"))
    examples = gather(network.backbone, face_crops(data, card, seed))
    head, figures = fit_head(network.face, examples, seed)
    weights = {f"face.{name}": value for name, value in head.state_dict().items()}
    (out / "curve.csv").write_bytes((run / "curve.csv").read_bytes())
    save_checkpoint(
        out / "last.pt",
        {
            **checkpoint,
            "weights": {**checkpoint["weights"], **weights},
            "averaged": {**checkpoint["averaged"], **weights},
            "card_entries": {"judges_candidates": True},
            "origin": [
                {
                    "face_score_fitted": True,
                    **origin_of(run / "last.pt", checkpoint),
                    "began_with": checkpoint.get("origin", []),
                }
            ],
        },
    )
    return figures


@torch.no_grad()
def gather(backbone: nn.Module, found: Iterable[FaceCrops]) -> Examples:
    """Compute the features of crops.

    Args:
        backbone: The backbone of a network whose face score reads its deepest features.
        found: The crops of each photo.
    """
    features: list[Tensor] = []
    labels: list[NDArray[np.bool_]] = []
    photo: list[int] = []
    background: list[bool] = []
    names: list[str] = []
    for each in found:
        crops = (torch.from_numpy(each.crops).float() - 127.5) / 127.5
        deepest = backbone(crops)[1]
        features.append(deepest.clamp(-_LARGEST, _LARGEST).half())
        labels.append(each.is_face)
        photo += [len(names)] * len(each.crops)
        background += [each.is_background] * len(each.crops)
        names.append(each.photo)
    is_face = torch.from_numpy(np.concatenate(labels).astype(np.float32))
    return Examples(
        torch.cat(features), is_face, np.array(photo), np.array(background), tuple(names)
    )


def fit_head(
    head: nn.Sequential, examples: Examples, seed: int
) -> tuple[nn.Sequential, FitFigures]:
    """Fit a head on all examples, and scale its logits to the tracker's thresholds.

    Args:
        head: The head, whose form is copied; it ends with a linear layer.
        examples: The examples.
        seed: Seed of the first weights and of the order of the examples.

    Returns:
        The head, and figures of heads that did not see the photos they score.
    """
    fold = _folds(examples)
    unseen = np.zeros(len(fold), np.float32)
    for number in range(_FOLDS):
        part = np.flatnonzero(fold == number)
        fitted = _fitted(head, examples, np.flatnonzero(fold != number), seed)
        unseen[part] = _logits(fitted, examples.features[part]).numpy()
    scale, shift = _scaling(unseen, examples)
    fitted = _fitted(head, examples, np.arange(len(fold)), seed)
    last = fitted[-1]
    assert isinstance(last, nn.Linear)
    last.weight.data.mul_(scale)
    last.bias.data.mul_(scale).add_(shift)
    of_faces = (scale * unseen + shift)[examples.is_face.numpy() > 0]
    sure, kept = (float((of_faces >= _logit(s)).mean()) for s in (SURE_SCORE, LOST_SCORE))
    return fitted, FitFigures(len(fold), len(of_faces), sure, kept)


def _logit(score: float) -> float:
    return math.log(score / (1 - score))


def _folds(examples: Examples) -> NDArray[np.int64]:
    """Return the part of each example; all examples of a photo are in the same part."""
    shares = np.arange(1, _FOLDS) / _FOLDS
    of_photo = [sum(not is_held_back(name, share) for share in shares) for name in examples.names]
    fold: NDArray[np.int64] = np.array(of_photo)[examples.photo]
    return fold


def _fitted(
    head: nn.Sequential, examples: Examples, part: NDArray[np.int64], seed: int
) -> nn.Sequential:
    """Train a copy of the head on a part of the examples, from new weights."""
    torch.manual_seed(seed)
    fitted = copy.deepcopy(head)
    for layer in fitted.modules():
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.Linear):
            layer.reset_parameters()
    fitted.train().requires_grad_(requires_grad=True)
    optimizer = torch.optim.AdamW(fitted.parameters(), _RATE, weight_decay=_DECAY)
    steps = _EPOCHS * (len(part) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=max(1, steps))
    indices = torch.from_numpy(part)
    for _ in range(_EPOCHS):
        order = indices[torch.randperm(len(indices))]
        for batch in order[: len(order) // _BATCH * _BATCH].reshape(-1, _BATCH):
            features = examples.features[batch].float()
            inner = functional.dropout(fitted[:-1](features), _DROPPED)
            logits = fitted[-1:](inner).flatten()
            loss = functional.binary_cross_entropy_with_logits(logits, examples.is_face[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return fitted.eval().requires_grad_(requires_grad=False)


def _logits(head: nn.Module, features: Tensor) -> Tensor:
    parts = [features[i : i + 1024].float() for i in range(0, len(features), 1024)]
    return torch.cat([head(part).flatten() for part in parts])


def _scaling(logits: NDArray[np.float32], examples: Examples) -> tuple[float, float]:
    """Return scale and shift that move two logits to those of SURE_SCORE and LOST_SCORE."""
    on_background = examples.background
    best: dict[int, float] = {}
    places = zip(examples.photo[on_background], logits[on_background], strict=True)
    for photo, logit in places:
        best[int(photo)] = max(best.get(int(photo), -math.inf), float(logit))
    sure = float(np.quantile(list(best.values()), 1 - _SURE_FALSE))
    lost = float(np.quantile(logits[on_background], 1 - _LOST_FALSE))
    scale = (_logit(SURE_SCORE) - _logit(LOST_SCORE)) / max(sure - lost, 1e-3)
    return scale, _logit(SURE_SCORE) - scale * sure
