"""Whether somebody's ONNX file with its card is a landmark model that can be tracked with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.runtime import LandmarkNetwork
from steadymark.models.zoo import ModelCard, find_model, read_card

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA, LANDMARKS = "ibug68", 68
_CROPS = (16, 1024)
_MARGINS = (0.5, 5.0)


def vet(path: Path) -> ModelCard:
    """The card of a landmark model, after it was read, checked and run once on the CPU.

    path: of the .onnx file, or of the .json beside it.

    Raises:
        WeightsError: what is wrong, with what, and what to do.
    """
    if path.suffix.lower() not in (".onnx", ".json"):
        raise WeightsError(
            "{name} is no ONNX model: choose a file that ends in .onnx", name=path.name
        )
    model, beside = path.with_suffix(".onnx"), path.with_suffix(".json")
    if not model.is_file():
        raise WeightsError(
            "there is no {name} in {parent}: put it beside its card",
            name=model.name,
            parent=model.parent,
        )
    if not beside.is_file():
        raise WeightsError(
            "{name} has no model card: put {card} beside it ('steadymark-train export' writes "
            "both)",
            name=model.name,
            card=beside.name,
        )
    card = read_card(beside)
    if card.path != model:
        raise WeightsError(
            "the model card {beside} is of {name}, not of {wanted}",
            beside=beside,
            name=card.path.name,
            wanted=model.name,
        )
    _check(card)
    if card.follower is not None:
        _check(replace(find_model(card.follower, "landmarks", card.path.parent), follower=None))
    return card


def _check(card: ModelCard) -> None:
    if card.kind != "landmarks":
        raise WeightsError(
            "'{name}' is a {kind} model: only landmark models are added",
            name=card.name,
            kind=card.kind,
        )
    if (card.schema or SCHEMA) != SCHEMA:
        raise WeightsError(
            "the landmarks of '{name}' are those of {schema}: models of {wanted} ({landmarks} "
            "landmarks) are tracked with",
            name=card.name,
            schema=card.schema,
            wanted=SCHEMA,
            landmarks=LANDMARKS,
        )
    for name, value, (least, most) in (
        ("crop", card.crop, _CROPS),
        ("margin", card.margin, _MARGINS),
    ):
        if not least <= value <= most:
            raise WeightsError(
                "the model card of '{name}' says {field} {value:g}: it must lie between {least:g} "
                "and {most:g}",
                name=card.name,
                field=name,
                value=value,
                least=least,
                most=most,
            )
    network = LandmarkNetwork(card, device="cpu")
    _check_input(card, network)
    _run_once(card, network)


def _check_input(card: ModelCard, network: LandmarkNetwork) -> None:
    (crops,) = [i for i in network.runner.session.get_inputs() if i.name == "crops"]
    side = card.crop
    fits = list(crops.shape[1:]) in ([3, side, side], [side, side, 3])
    if crops.type != "tensor(uint8)" or not fits:
        raise WeightsError(
            "the input 'crops' of {name} is {type} {shape}: its card says crop {side}, so it must "
            "be tensor(uint8) [n, 3, {side}, {side}] or [n, {side}, {side}, 3]",
            name=card.path.name,
            type=crops.type,
            shape=crops.shape,
            side=side,
        )


def _run_once(card: ModelCard, network: LandmarkNetwork) -> None:
    """Two frames of two grey faces."""
    crops = np.full((2, card.crop, card.crop, 3), 128, np.uint8)
    try:
        seen = network.step(crops)
        if seen.state:
            seen = network.step(crops, seen.state)
    except WeightsError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(
            "{name} fails when it is run: {reason}", name=card.path.name, reason=reason
        ) from error
    for name, values, shape in (
        ("points", seen.points, (2, LANDMARKS, 2)),
        ("raw_points", seen.raw, (2, LANDMARKS, 2)),
        ("scores", seen.scores, (2, LANDMARKS)),
        ("face", seen.face, (2,)),
    ):
        if values.shape != shape or values.dtype != np.float32:
            raise WeightsError(
                "the output '{name}' of {model} is {dtype} {shape}: for two faces it must be "
                "float32 {wanted}",
                name=name,
                model=card.path.name,
                dtype=values.dtype,
                shape=values.shape,
                wanted=shape,
            )
        if not np.isfinite(values).all():
            raise WeightsError(
                "the output '{name}' of {model} is not finite", name=name, model=card.path.name
            )
