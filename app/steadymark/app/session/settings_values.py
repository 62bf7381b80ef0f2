"""Conversion of settings to plain values for files and QSettings, and back with checks."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.stabilizers.stabilizer_registry import (
    STABILIZER_REGISTRY,
    ChosenStabilizer,
    StabilizerEntry,
    choose,
)
from steadymark.engine.tracking.settings import TrackSettings, plain_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

_LIMITS = {
    "threads": Annotated[int, Meta(ge=0, le=1024)],
    "detector_threshold": Annotated[float, Meta(ge=0, le=1)] | None,
    "focal_px": Annotated[float, Meta(ge=1, le=sys.float_info.max)] | None,
}


def settings_to_dict(settings: TrackSettings) -> dict[str, Any]:
    """Return the settings as values that JSON supports."""
    plain: dict[str, Any] = msgspec.to_builtins(plain_settings(settings))
    return plain


def settings_from_dict(values: Mapping[str, Any]) -> TrackSettings:
    """Return settings from plain values. Unknown, missing or invalid values keep their defaults."""
    others = {name: value for name, value in values.items() if name != "filters"}
    settings = with_valid_values(TrackSettings(), others, _LIMITS)
    entries = (entry for entry in STABILIZER_REGISTRY.all() if entry.parameters)
    filters = (_filter(e, part) for e in entries if isinstance(part := values.get(e.key), dict))
    return replace(settings, filters=tuple(filters))


def restored_settings(values: Mapping[str, Any]) -> TrackSettings:
    """Return settings like `settings_from_dict`, but replace an unknown stabilizer by the default.

    A stabilizer of a plug-in is unknown when the plug-in is no longer there.
    """
    settings = settings_from_dict(values)
    known = settings.stabilizer in STABILIZER_REGISTRY.names()
    return settings if known else replace(settings, stabilizer=TrackSettings().stabilizer)


def _filter(entry: StabilizerEntry, values: Mapping[str, Any]) -> ChosenStabilizer:
    chosen = choose(entry.name)
    for parameter in entry.parameters:
        value = values.get(parameter.name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            with suppress(SteadymarkError, OverflowError):
                chosen = chosen.changed(**{parameter.name: value})
    return chosen


def with_valid_values(
    default: T, values: Mapping[str, Any], limits: Mapping[str, Any] = MappingProxyType({})
) -> T:
    """Return a dataclass with the plain values that are valid; its other fields stay the same.

    Args:
        default: The dataclass to change.
        values: Values by the names of the fields; unknown names are ignored.
        limits: Types of fields that are stricter than their annotation.
    """
    types = {**get_type_hints(type(default)), **limits}
    for name in [item.name for item in fields(default) if item.name in values]:
        value = values[name]
        try:
            if is_dataclass(types[name]) and isinstance(value, dict):
                value = with_valid_values(getattr(default, name), value)
            else:
                value = msgspec.convert(value, types[name])
            default = replace(default, **{name: value})
        except (SteadymarkError, ValueError):
            continue
    return default
