"""Add a user's network to the model zoo; unknown settings are found on faces of the demo clip."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import IBUG68_3D, load_schema, trackable_schemas
from steadymark.models.own_models.network_inspection import (
    ForeignNetwork,
    find_landmarks,
    open_network,
)
from steadymark.models.own_models.preprocessing_search import (
    MARGINS,
    NetworkDescription,
    NetworkTrial,
    face_score_of,
    find_preprocessing,
    quality_warnings,
)
from steadymark.models.own_models.wrapper_config import WrapperConfig
from steadymark.models.runtime.face_score import PEAK, TWO_LOOKS, FaceScore
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.validate_model import check_card, check_network
from steadymark.models.runtime.zoo import ModelCard, own_folder, read_card, weights_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.models.own_models.preprocessing_search import Triple
    from steadymark.models.user_text import UserText

NOT_STATED = "not stated by the person who added it"
UNKNOWN = "unknown"  # what the user types if the licence or the data are not known


@dataclass(frozen=True, slots=True, eq=False)
class PreparedModel:
    """A wrapped network that can be saved to the zoo.

    Attributes:
        source: The user's ONNX file.
        source_sha256: SHA-256 of that file.
        stated: The fields of `NetworkDescription` that the user gave; all others were read from
            the file or found by trying.
        content: The wrapped ONNX file.
        wrapping: How it is wrapped.
        schema: Name of its landmark schema.
        margin: Side of the crop divided by the fitted size of the face.
        batch: Number of faces per run, 0 for any.
        face_score: How to compute a face score.
        error: Mean landmark error on the demo clip, as a share of the eye distance.
        warnings: What the user should know before adding it.
    """

    source: Path
    source_sha256: str
    stated: tuple[str, ...]
    content: bytes
    wrapping: WrapperConfig
    schema: str
    margin: float
    batch: int
    face_score: FaceScore
    error: float
    warnings: tuple[UserText, ...]


def prepare_model(
    path: Path,
    description: NetworkDescription | None = None,
    *,
    on_try: Callable[[int, int], None] = lambda *_: None,
) -> PreparedModel:
    """Wrap a network, find the settings that the user did not give, and test the result.

    Preprocessings, margins and schemas with the right number of landmarks are tried on faces of the
    demo clip, whose landmarks are known. The settings with the smallest error are used.

    Args:
        path: The ONNX file.
        description: What the user knows of the network.
        on_try: Called with the number of trials that are done and the number of all trials.

    Returns:
        The wrapped network.

    Raises:
        WeightsError: The network cannot be used as a landmark model; the message says why.
    """
    description = description or NetworkDescription()
    _check_description(description)
    network = open_network(path, crop=description.crop, channels_last=description.channels_last)
    count = None if description.schema is None else load_schema(description.schema).count
    found = find_landmarks(
        network, output=description.output, names=description.outputs, count=count
    )
    first = WrapperConfig(
        input=network.input,
        input_type=network.input_type,
        crop=network.crop,
        outputs=found.names,
        shapes=tuple(network.outputs[name] for name in found.names),
        output=found.output,
        count=found.count,
        channels_last=network.channels_last,
    )
    trial, margin = _best_trial(network, first, description, on_try)
    error = trial.error(margin)
    if not np.isfinite(error):
        raise WeightsError("{name} returns landmarks that are not finite", name=path.name)
    face_score, warnings = face_score_of(trial, margin)
    if not np.isfinite([face_score.likely, face_score.unlikely]).all():
        raise WeightsError("{name} returns landmarks that are not finite", name=path.name)
    return PreparedModel(
        source=path,
        source_sha256=hashlib.sha256(network.content).hexdigest(),
        stated=tuple(
            field for field, value in asdict(description).items() if value not in (None, ())
        ),
        content=trial.content,
        wrapping=trial.wrapping,
        schema=trial.schema,
        margin=margin,
        batch=network.batch,
        face_score=face_score,
        error=error,
        warnings=(*quality_warnings(trial, margin, error), *warnings),
    )


def _best_trial(
    network: ForeignNetwork,
    wrapping: WrapperConfig,
    description: NetworkDescription,
    on_try: Callable[[int, int], None],
) -> tuple[NetworkTrial, float]:
    """Find the schema, preprocessing and margin with the smallest error on known faces."""
    # the known faces look straight ahead, where the jaw of ibug68_3d is that of ibug68
    matching_schemas = [
        s for s in trackable_schemas() if load_schema(s).count == wrapping.count and s != IBUG68_3D
    ]
    schemas = matching_schemas if description.schema is None else [description.schema]
    margins = MARGINS if description.margin is None else (description.margin,)
    trials = []
    for number, schema in enumerate(schemas):

        def report_trial(done: int, count: int, number: int = number) -> None:
            on_try(number * count + done, len(schemas) * count)

        trial = find_preprocessing(network, wrapping, description, schema, report_trial)
        margin = min(margins, key=trial.cost)
        trials.append((trial, margin))
    return min(trials, key=lambda each: each[0].error(each[1]))


def _check_description(description: NetworkDescription) -> None:
    if description.schema is not None and description.schema not in trackable_schemas():
        raise WeightsError(
            "unknown schema '{schema}': models of {known} can be added",
            schema=description.schema,
            known=", ".join(trackable_schemas()),
        )
    if description.std is not None and not all(0 < value < np.inf for value in description.std):
        raise WeightsError("std must be more than 0, not {std}", std=_join_numbers(description.std))
    if description.mean is not None and not all(np.isfinite(description.mean)):
        raise WeightsError("mean must be finite, not {mean}", mean=_join_numbers(description.mean))
    if description.margin is not None and not 0.5 <= description.margin <= 5:
        raise WeightsError(
            "margin must be between 0.5 and 5, not {margin:g}", margin=description.margin
        )


def _join_numbers(values: Triple) -> str:
    return ",".join(f"{value:g}" for value in values)


def save_model(
    prepared: PreparedModel,
    *,
    name: str,
    licence: str,
    data: str,
    folder: Path | None = None,
    overwrite: bool = False,
) -> ModelCard:
    """Write NAME.onnx and its model card NAME.json, and check both; a bad model is removed again.

    Args:
        prepared: The wrapped network.
        name: Name of the new model.
        licence: Licence of the weights, or `unknown`.
        data: The data that the network was trained on, or `unknown`.
        folder: Where to write; by default the folder of the user's own models.
        overwrite: Replace an own model of that name.

    Returns:
        The card of the new model.

    Raises:
        WeightsError: The name is not allowed or is taken, the licence or the data are missing, the
            files cannot be written, or the check fails.
    """
    folder = folder or own_folder()
    check_name(name, folder, overwrite=overwrite)
    stated = {"licence": _stated("licence", licence), "data": _stated("data", data)}
    model_path, card_path = folder / f"{name}.onnx", folder / f"{name}.json"
    content = {**_card(prepared, name), **stated}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        model_path.write_bytes(prepared.content)
        card_path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise WeightsError(
            "{path} cannot be written: {reason}", path=folder, reason=error.strerror
        ) from error
    try:
        saved_card = read_card(card_path)
        check_card(saved_card)
        check_network(saved_card, LandmarkNetwork(saved_card, device="cpu"))
    except WeightsError:
        model_path.unlink()
        card_path.unlink()
        raise
    return saved_card


def check_name(name: str, folder: Path | None = None, *, overwrite: bool = False) -> None:
    """Check the name of a new model.

    Args:
        name: The name.
        folder: Where the model will be written; by default the folder of the user's own models.
        overwrite: Accept the name of an own model.

    Raises:
        WeightsError: The name contains characters that are not allowed, or a model has this name.
    """
    if not _NAME.fullmatch(name):
        raise WeightsError(
            "'{name}' is not a valid name for a model: use letters, digits, '-', '_' and '.'",
            name=name[:80],
        )
    if (weights_folder() / f"{name}.json").is_file():
        raise WeightsError(
            "'{name}' is the name of a shipped model: choose another name", name=name
        )
    if not overwrite and ((folder or own_folder()) / f"{name}.json").exists():
        raise WeightsError("there is already a model '{name}': choose another name", name=name)


def _stated(entry: str, text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise WeightsError(
            "the {what} of the model is missing: give it, or '{unknown}' if you do not know it",
            what=entry,
            unknown=UNKNOWN,
        )
    return NOT_STATED if text.lower() == UNKNOWN else text


def _card(prepared: PreparedModel, name: str) -> dict[str, Any]:
    """Return the model card's entries, except licence and data, which only the user knows."""
    wrapping = prepared.wrapping
    layout = "NHWC" if wrapping.channels_last else "NCHW"
    return {
        "name": name,
        "version": "1",
        "kind": "landmarks",
        "schema": prepared.schema,
        "file": f"{name}.onnx",
        "sha256": hashlib.sha256(prepared.content).hexdigest(),
        "size_bytes": len(prepared.content),
        "crop": wrapping.crop,
        "margin": prepared.margin,
        "batch": prepared.batch,
        "input": {
            "type": "uint8",
            "layout": f"{layout} BGR",
            "size": f"{wrapping.crop}x{wrapping.crop}",
        },
        "face_score": prepared.face_score.as_card(),
        "face_score_note": _NOTES[prepared.face_score.kind],
        "wrapped": {
            "source_file": prepared.source.name,
            "source_sha256": prepared.source_sha256,
            "stated": list(prepared.stated),
            **asdict(wrapping),
        },
        "warnings": list(prepared.warnings),
        "scores": {"demo_clip_nrmse_percent": round(100 * prepared.error, 2)},
    }


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(?<!\.)")
_NOTES = {
    PEAK: "the network has no face score: that of the height and sharpness of its heatmaps stands "
    "for it, set by one face and what is none of the demo clip",
    TWO_LOOKS: "the network has no face score: how well its points of two crops agree stands for "
    "it, set by one face and what is none of the demo clip; each face is looked at twice for it",
}
