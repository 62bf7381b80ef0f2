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
        raise WeightsError(f"{path.name} is no ONNX model: choose a file that ends in .onnx")
    model, beside = path.with_suffix(".onnx"), path.with_suffix(".json")
    if not model.is_file():
        raise WeightsError(f"there is no {model.name} in {model.parent}: put it beside its card")
    if not beside.is_file():
        raise WeightsError(
            f"{model.name} has no model card: put {beside.name} beside it "
            "('steadymark-train export' writes both)"
        )
    card = read_card(beside)
    if card.path != model:
        raise WeightsError(f"the model card {beside} is of {card.path.name}, not of {model.name}")
    _check(card)
    if card.follower is not None:
        _check(replace(find_model(card.follower, "landmarks", card.path.parent), follower=None))
    return card


def _check(card: ModelCard) -> None:
    if card.kind != "landmarks":
        raise WeightsError(f"'{card.name}' is a {card.kind} model: only landmark models are added")
    if (card.schema or SCHEMA) != SCHEMA:
        raise WeightsError(
            f"the landmarks of '{card.name}' are those of {card.schema}: models of {SCHEMA} "
            f"({LANDMARKS} landmarks) are tracked with"
        )
    for name, value, (least, most) in (
        ("crop", card.crop, _CROPS),
        ("margin", card.margin, _MARGINS),
    ):
        if not least <= value <= most:
            raise WeightsError(
                f"the model card of '{card.name}' says {name} {value:g}: it must lie between "
                f"{least:g} and {most:g}"
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
            f"the input 'crops' of {card.path.name} is {crops.type} {crops.shape}: its card says "
            f"crop {side}, so it must be tensor(uint8) [n, 3, {side}, {side}] or "
            f"[n, {side}, {side}, 3]"
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
        raise WeightsError(f"{card.path.name} fails when it is run: {reason}") from error
    for name, values, shape in (
        ("points", seen.points, (2, LANDMARKS, 2)),
        ("raw_points", seen.raw, (2, LANDMARKS, 2)),
        ("scores", seen.scores, (2, LANDMARKS)),
        ("face", seen.face, (2,)),
    ):
        if values.shape != shape or values.dtype != np.float32:
            raise WeightsError(
                f"the output '{name}' of {card.path.name} is {values.dtype} {values.shape}: "
                f"for two faces it must be float32 {shape}"
            )
        if not np.isfinite(values).all():
            raise WeightsError(f"the output '{name}' of {card.path.name} is not finite")
