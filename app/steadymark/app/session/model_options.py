"""Parsing of the options that describe a user's network, for the command line and the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from steadymark.engine.core.errors import UsageError
from steadymark.models.own_models.output_kind import OUTPUT_KINDS
from steadymark.models.own_models.preprocessing_search import NetworkDescription
from steadymark.models.own_models.wrapper_config import CoordinateUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.models.own_models.add_model import PreparedModel
    from steadymark.models.own_models.preprocessing_search import Triple

Known = TypeVar("Known")

SCALES = {each.value: each for each in CoordinateUnit}
COLOURS = {"rgb": True, "bgr": False}
LAYOUTS = {"nchw": False, "nhwc": True}
PIXELS = {"1": 1.0, "255": 255.0}


def parse_network_description(texts: Mapping[str, str]) -> NetworkDescription:
    """Parse the typed description of a network.

    Args:
        texts: The texts of output, output-names, input-size, colours, pixels, mean, std, layout,
            scale, schema and margin. Empty and missing ones are detected automatically.

    Raises:
        UsageError: One of the texts is not valid.
    """
    text = {name: value.strip() for name, value in texts.items()}
    size = _number("input-size", text.get("input-size", ""))
    if size is not None and size != int(size):
        raise UsageError("{name} is '{text}': write a number", name="input-size", text=f"{size:g}")
    names = text.get("output-names", "").split(",")
    return NetworkDescription(
        output=_one_of("output", text, {name: name for name in OUTPUT_KINDS.names()}),
        outputs=tuple(part.strip() for part in names if part.strip()),
        crop=None if size is None else int(size),
        mean=_triple("mean", text),
        std=_triple("std", text),
        white=_one_of("pixels", text, PIXELS),
        rgb=_one_of("colours", text, COLOURS),
        channels_last=_one_of("layout", text, LAYOUTS),
        scale=_one_of("scale", text, SCALES),
        schema=text.get("schema") or None,
        margin=_number("margin", text.get("margin", "")),
    )


def description_texts(prepared: PreparedModel) -> dict[str, str]:
    """Return the detected description of a network as texts for `parse_network_description`."""
    config = prepared.wrapping
    mean, std = (",".join(f"{v:g}" for v in each) for each in (config.mean, config.std))
    words = {
        "input-size": str(config.crop),
        "layout": "nhwc" if config.channels_last else "nchw",
        "colours": "rgb" if config.rgb else "bgr",
        "pixels": f"{config.white:g}",
        "mean": mean,
        "std": std,
        "output": config.output,
        "output-names": ",".join(config.outputs),
        "schema": prepared.schema,
        "margin": f"{prepared.margin:g}",
    }
    if OUTPUT_KINDS.find(config.output).has_scale:
        words["scale"] = config.scale.value
    return words


def _one_of(name: str, text: Mapping[str, str], known: Mapping[str, Known]) -> Known | None:
    value = text.get(name, "").lower()
    if not value:
        return None
    if value not in known:
        raise UsageError(
            "{name} is '{text}': choose one of {known}",
            name=name,
            text=value,
            known=", ".join(known),
        )
    return known[value]


def _number(name: str, value: str) -> float | None:
    if not value:
        return None
    try:
        return float(value)
    except ValueError as error:
        raise UsageError("{name} is '{text}': write a number", name=name, text=value) from error


def _triple(name: str, text: Mapping[str, str]) -> Triple | None:
    """Parse one number for all channels, or three numbers."""
    value = text.get(name, "")
    if not value:
        return None
    try:
        values = [float(part) for part in value.split(",")]
    except ValueError as error:
        raise UsageError(
            "{name} is '{text}': write a number, or three: 0.5,0.5,0.5", name=name, text=value
        ) from error
    if len(values) == 1:
        values *= 3
    if len(values) != 3:
        raise UsageError(
            "{name} has {count} numbers: write one, or three (one per channel)",
            name=name,
            count=len(values),
        )
    return values[0], values[1], values[2]
