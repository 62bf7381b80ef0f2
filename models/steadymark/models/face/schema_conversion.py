"""Carrying points from one landmark schema to another."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.schema import assets_root, load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Points

_HUB = "ibug68"  # every file in assets/schemas/maps leads here


def map_points(
    points: NDArray[np.floating], source: str, target: str, *, exact: bool = False
) -> Points:
    """Points (..., K, 2) of schema `source` as points (..., L, 2) float32 of schema `target`.

    Points without a counterpart are NaN. exact: leave out counterparts that are only near, such as
    the ends of the brows, which every data set marks in its own way.

    Raises:
        ValueError: an unknown schema, or a number of points that is not the source's.
    """
    count = load_schema(source).count
    if points.shape[-2:] != (count, 2):
        raise ValueError(f"points of {source} are (..., {count}, 2), not {points.shape}")
    place = matching_landmarks(source, target, exact=exact)
    mapped: Points = points[..., place, :].astype(np.float32)
    mapped[..., place < 0, :] = np.nan
    return mapped


@cache
def matching_landmarks(source: str, target: str, *, exact: bool = False) -> NDArray[np.int64]:
    """(L,) the index in `source` of each point of `target`, -1 for those that it does not have."""
    if source == target:
        return np.arange(load_schema(target).count)
    from_hub = {hub: i for i, hub in _pairs(target, exact=exact)}
    to_hub = _pairs(source, exact=exact)
    place = np.full(load_schema(target).count, -1, np.int64)
    for i, hub in to_hub:
        if hub in from_hub:
            place[from_hub[hub]] = i
    return place


def _pairs(name: str, *, exact: bool) -> list[tuple[int, int]]:
    """(index, index in the hub) of each common point."""
    if name == _HUB:
        return [(i, i) for i in range(load_schema(_HUB).count)]
    path = assets_root() / "schemas" / "maps" / f"{name}_{_HUB}.json"
    if not path.is_file():
        raise ValueError(f"no points of {load_schema(name).name} are known to be points of {_HUB}")
    data = json.loads(path.read_text(encoding="utf-8"))
    return [(i, hub) for i, hub in data["pairs"] + ([] if exact else data["near"])]
