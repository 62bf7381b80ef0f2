"""Fit the scores of landmarks that a model card stores: `steadymark-train calibrate-scores`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.models.errors import DataError
from steadymark.models.face.brightness import brighten_crops
from steadymark.models.face.crop import Crop, cut, fit_crop, transform
from steadymark.models.face.point_scores import IN_PLACE, PointScores, logit
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import verified_bytes
from steadymark.models.synthesis.conditions.known_occlusion import OCCLUDERS
from steadymark.models.synthesis.score_faces import (
    EXACT_VERSIONS,
    FIT,
    KINDS,
    PLAIN,
    TRAIN,
    occluder_textures,
    score_faces,
    score_files,
)
from steadymark.models.training.landmarks.visibility_head import (
    bare,
    fit_head,
    has_features,
    has_head,
    with_head,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.zoo import ModelCard
    from steadymark.models.synthesis.score_faces import ScoreFace

    Floats = NDArray[np.float32]
    Flags = NDArray[np.bool_]

VISIBLE_WEIGHT = 0.75  # chosen on the photos of the fit, see docs/decisions/scores.md
_TRACKED, _DETECTED = (0.02, 0.04, 4.0), (0.04, 0.08, 12.0)  # shift and scale (shares), roll (deg)
_REFINE = "refine"  # the cell that computes the scores from the heatmaps of several frames
_MOST_TRAINING_PHOTOS = 400
_OCCLUDERS_OF_A_PHOTO = 4
# Shares of the points, by rising signal, that each knot averages over; the ends need fine steps.
_KNOT_SHARES = (0.002, 0.008, 0.02, 0.04, 0.06, *(0.08,) * 10, 0.05, 0.02)


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """What a network says of n faces whose landmarks are known.

    Attributes:
        scores: (n, K) scores of the network.
        visible: (n, K) output `visible`, or None.
        in_place: (n, K), True where the landmark lies within 5 % of the eye distance.
        hidden: (n, K), True where an occluder hides the landmark.
    """

    scores: Floats
    visible: Floats | None
    in_place: Flags
    hidden: Flags


def calibrate_scores(
    card: ModelCard, data: Path, out: Path, *, card_only: bool = False
) -> PointScores:
    """Fit the scores of a landmark model, and write the model and its card.

    A heatmap1d network gets the output `visible`, see `visibility_head`, which is fitted on photos
    of its training. The probability that a landmark is in place is fitted on half of the photos
    that are held back; `bench scores` measures it on the other half.

    Args:
        card: The model.
        data: The data folder with 300w/train.
        out: Folder of the model and its card; it may be that of the given model.
        card_only: Whether to leave the ONNX file as it is and to write only the card.

    Returns:
        What the card now stores.

    Raises:
        DataError: The data, the model's schema or its stabilizer are not suitable.
        WeightsError: The model cannot be opened.
        OSError: A file cannot be written.
    """
    if card.schema != IBUG68:
        raise DataError(
            f"{card.name} has the schema {card.schema}: scores are fitted for {IBUG68} alone"
        )
    if card.cell == _REFINE:
        raise DataError(
            f"the scores of {card.name} depend on earlier frames: scores are fitted to single "
            "photos, so fit those of the model that it stabilizes"
        )
    content = verified_bytes(card)
    model = bare(content)
    if has_features(model) and not card_only:
        crops, hidden = _training_crops(card, data)
        content = with_head(model, fit_head(card, model, crops, hidden), card.crop)
    asks = PointScores((0.0, 1.0), (0.0, 1.0), visible_weight=float(has_head(content)))
    network = LandmarkNetwork(replace(card, point_scores=asks), content=content)
    files = score_files(data, FIT)
    faces = score_faces(files, KINDS, occluder_textures(data, files))
    found = fit_point_scores(observe(network, faces))
    _write(card, out, content, found, photos=len(files))
    return found


def fit_point_scores(seen: Observations) -> PointScores:
    """Fit the probability that a landmark is in place.

    Args:
        seen: What the network says of held-back faces.

    Returns:
        A function that rises with the signal. Without the output `visible`, the signal is relative
        to the typical score of each landmark, since the scores of some landmarks are always lower.
    """
    typical: tuple[float, ...] = ()
    if seen.visible is None:
        logits = np.where(seen.hidden, np.nan, logit(seen.scores))
        typical = tuple(round(float(v), 3) for v in np.nanmean(logits, axis=0).tolist())
    weight = 0.0 if seen.visible is None else VISIBLE_WEIGHT
    asks = PointScores((0.0, 1.0), (0.0, 1.0), typical, weight)
    signals = asks.signal(seen.scores, seen.visible).ravel()
    order = np.argsort(signals, kind="stable")
    ends = np.rint(np.cumsum(_KNOT_SHARES) / np.sum(_KNOT_SHARES) * len(order)).astype(int)
    parts = [part for part in np.split(order, ends[:-1]) if len(part)]
    in_place = seen.in_place.ravel()
    means = np.array([signals[part].mean() for part in parts])
    shares = rising(
        np.array([in_place[part].mean() for part in parts]), np.array([len(p) for p in parts])
    )
    knots = dict(
        zip(
            np.round(means.astype(np.float64), 3).tolist(),
            np.round(shares, 4).tolist(),
            strict=True,
        )
    )
    return replace(asks, signals=tuple(knots), shares=tuple(knots.values()))


def rising(values: NDArray[np.floating], weights: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the nearest values that never fall (weighted least squares, pool adjacent violators).

    Args:
        values: (n,) values.
        weights: (n,) weights above 0.
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, number of values
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, wa, na), (b, wb, nb) = pools[-2:]
            pools[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    return np.repeat([mean for mean, _, _ in pools], [count for *_, count in pools])


def observe(network: LandmarkNetwork, faces: Iterable[ScoreFace]) -> Observations:
    """Run a network on faces as the tracker does: on a detected box, then on its own landmarks."""
    rows: list[tuple[Floats, Floats | None, Flags, Flags]] = []
    schema, size, margin = load_schema(IBUG68), network.card.crop, network.card.margin
    right, left = schema.eyes
    for number, face in enumerate(faces):
        crop = displaced(
            fit_crop(face.points, schema.mean_shape, margin=margin),
            np.random.default_rng((1, number)),
            _DETECTED,
        )
        for _ in range(2):
            matrix = crop.matrix_to_image(size)
            prediction = network.step(cut(face.image, matrix, size)[None])
            points = transform(matrix, prediction.raw[0])
            crop = fit_crop(points, schema.mean_shape, margin=margin)
        distance = np.linalg.norm(points - face.points, axis=1)
        eyes = float(np.linalg.norm(face.points[right] - face.points[left]))
        visible = None if prediction.visible is None else prediction.visible[0]
        rows.append((prediction.scores[0], visible, distance <= IN_PLACE * eyes, face.hidden))
    scores, visible_rows, in_place, hidden = zip(*rows, strict=True)
    known = [row for row in visible_rows if row is not None]
    return Observations(
        np.stack(scores), np.stack(known) if known else None, np.stack(in_place), np.stack(hidden)
    )


def displaced(crop: Crop, rng: Generator, deviations: tuple[float, float, float]) -> Crop:
    """Return a crop with random shift, scale (shares of the side) and roll (degrees)."""
    shift, scale, roll_deg = deviations
    x, y = rng.normal(0, shift * crop.side, 2)
    side = crop.side * float(np.exp(rng.normal(0, scale)))
    return Crop(crop.x + x, crop.y + y, side, crop.roll_deg + rng.normal(0, roll_deg))


def _training_crops(card: ModelCard, data: Path) -> tuple[Image, Flags]:
    """Return crops (n, F, F, 3) of training photos, and which landmarks are hidden, (n, K)."""
    rng = np.random.default_rng(0)
    files = score_files(data, TRAIN)
    chosen = [files[i] for i in rng.permutation(len(files))[:_MOST_TRAINING_PHOTOS]]
    textures, mean_shape = occluder_textures(data, chosen), load_schema(IBUG68).mean_shape
    crops, hidden = [], []
    for file in chosen:
        for face in score_faces([file], _some_kinds(rng), textures):
            crop = displaced(fit_crop(face.points, mean_shape, margin=card.margin), rng, _TRACKED)
            crops.append(cut(face.image, crop.matrix_to_image(card.crop), card.crop))
            hidden.append(face.hidden)
    return brighten_crops(np.stack(crops)), np.stack(hidden)


def _some_kinds(rng: Generator) -> Sequence[str]:
    """Return the kinds in which a training photo is shown."""
    occluders = rng.permutation(tuple(OCCLUDERS))[:_OCCLUDERS_OF_A_PHOTO]
    return PLAIN, *occluders.tolist(), str(rng.choice(EXACT_VERSIONS))


def _write(card: ModelCard, out: Path, content: bytes, found: PointScores, *, photos: int) -> None:
    """Write the ONNX file and its card with the new entries."""
    entries: dict[str, Any] = json.loads(card.path.with_suffix(".json").read_text(encoding="utf-8"))
    entries |= {
        "point_scores": {
            **found.as_card(),
            "made_of": f"{photos} held-back photos of 300w/train, with and without occluders",
        },
        "file": f"{card.name}.onnx",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{card.name}.onnx").write_bytes(content)
    text = json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
    (out / f"{card.name}.json").write_text(text, encoding="utf-8")
