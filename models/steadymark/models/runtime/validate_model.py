"""Check whether a user's ONNX file with its model card is a landmark model that can track faces.

The window and the commands `add-model`, `track` and `evaluate` use this check.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.face.crop import cut
from steadymark.models.face.schema import load_schema, trackable_schemas
from steadymark.models.own_models.demo_faces import demo_faces
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.resource_limits import is_shipped
from steadymark.models.runtime.zoo import ModelCard, find_model, read_card

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image

_CROP_RANGE = (16, 1024)
_MARGIN_RANGE = (0.5, 5.0)


def validate_model(path: Path) -> ModelCard:
    """Read the card of a landmark model, check it, and run the model once on the CPU.

    Args:
        path: The .onnx file, or the model card (.json) beside it.

    Returns:
        The model card.

    Raises:
        WeightsError: The model cannot be used; the message says why and what to do.
    """
    if path.suffix.lower() not in (".onnx", ".json"):
        raise WeightsError(
            "{name} is not an ONNX model: choose a file that ends in .onnx", name=path.name
        )
    model, card_path = path.with_suffix(".onnx"), path.with_suffix(".json")
    if not model.is_file():
        raise WeightsError(
            "{parent} does not contain {name}: put it beside its card",
            name=model.name,
            parent=model.parent,
        )
    if not card_path.is_file():
        raise WeightsError(
            "{name} has no model card: put {card} beside it, or make a model of it with "
            "'steadymark add-model'",
            name=model.name,
            card=card_path.name,
        )
    card = read_card(card_path)
    if card.path != model:
        raise WeightsError(
            "the model card {beside} belongs to {name}, not to {wanted}",
            beside=card_path,
            name=card.path.name,
            wanted=model.name,
        )
    _check(card)
    follower = find_follower(card)
    if follower is not None:
        _check(replace(follower, follower=None))
    return card


def find_follower(card: ModelCard) -> ModelCard | None:
    """Find the model that replaces a landmark model once a face is aligned.

    Args:
        card: The landmark model.

    Returns:
        The follower's card, or None if the model has no follower.

    Raises:
        WeightsError: The follower is missing or has another schema.
    """
    if card.follower is None:
        return None
    follower = find_model(card.follower, "landmarks", card.path.parent)
    if follower.schema != card.schema:
        raise WeightsError(
            "the follower '{follower}' has landmarks of {theirs}, but '{name}' those of {ours}: "
            "name another follower in the model card",
            follower=follower.name,
            theirs=follower.schema,
            name=card.name,
            ours=card.schema,
        )
    return follower


def check_network(card: ModelCard, network: LandmarkNetwork) -> None:
    """Check an open model as `validate_model` does; shipped models are not checked.

    Args:
        card: The model card.
        network: The open model.

    Raises:
        WeightsError: The model cannot be used; the message says why and what to do.
    """
    if is_shipped(card.path):
        return
    check_card(card)
    _check_input(card, network)
    _run_once(card, network)


def _check(card: ModelCard) -> None:
    check_card(card)
    network = LandmarkNetwork(card, device="cpu")
    _check_input(card, network)
    _run_once(card, network)


def check_card(card: ModelCard) -> None:
    """Check a model card without opening the network.

    Args:
        card: The model card.

    Raises:
        WeightsError: It is not a landmark model, the mean shape of its schema is not known, or a
            value of the card is out of range.
    """
    if card.kind != "landmarks":
        raise WeightsError(
            "'{name}' is a {kind} model: only landmark models can be added",
            name=card.name,
            kind=card.kind,
        )
    known = trackable_schemas()
    if card.schema not in known:
        raise WeightsError(
            "the landmarks of '{name}' have the schema {schema}, whose mean shape "
            "is not known: models of {known} can track",
            name=card.name,
            schema=card.schema,
            known=", ".join(known),
        )
    for name, value, (least, most) in (
        ("crop", card.crop, _CROP_RANGE),
        ("margin", card.margin, _MARGIN_RANGE),
    ):
        if not least <= value <= most:
            raise WeightsError(
                "the model card of '{name}' says {field} {value:g}: it must be between "
                "{least:g} and {most:g}",
                name=card.name,
                field=name,
                value=value,
                least=least,
                most=most,
            )


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
    """Run the model on a face of the demo clip and on noise, and check its outputs.

    A recurrent model is run twice, the second time with its state.
    """
    crops = _test_crops(card)
    try:
        prediction = network.step(crops)
        if prediction.state:
            prediction = network.step(crops, prediction.state)
    except WeightsError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(
            "{name} fails when it runs: {reason}", name=card.path.name, reason=reason
        ) from error
    landmarks = load_schema(card.schema).count
    for name, values, shape in (
        ("points", prediction.points, (2, landmarks, 2)),
        ("raw_points", prediction.raw, (2, landmarks, 2)),
        ("scores", prediction.scores, (2, landmarks)),
        ("face", prediction.face, (2,)),
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


def _test_crops(card: ModelCard) -> Image:
    """Return two crops (2, F, F, 3): a face of the demo clip and noise."""
    size = card.crop
    noise = np.random.default_rng(1).integers(0, 256, (size, size, 3), np.uint8)
    faces = demo_faces((0,))
    if not faces:
        return np.stack((noise, noise[::-1]))
    crop = faces[0].crop(card.schema, card.margin)
    return np.stack((cut(faces[0].image, crop.matrix_to_image(size), size), noise))
