"""Convert landmarks from one schema to another."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.schema import IBUG68, assets_root, load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Points

_HUB = IBUG68  # every file in assets/schemas/maps maps to this schema


def map_points(
    points: NDArray[np.floating], source: str, target: str, *, exact: bool = False
) -> Points:
    """Convert landmarks of one schema to another schema.

    Args:
        points: (..., K, 2) landmarks of the schema `source`.
        source: Name of the schema of `points`.
        target: Name of the schema to convert to.
        exact: Leave out landmarks that correspond only roughly, such as the ends of the brows,
            which each dataset annotates differently.

    Returns:
        (..., L, 2) float32 landmarks of the schema `target`; NaN where `source` has no such
        landmark.

    Raises:
        ValueError: A schema is unknown, `source` does not have K landmarks, or no mapping between
            the schemas is known.
    """
    count = load_schema(source).count
    if points.shape[-2:] != (count, 2):
        raise ValueError(f"points of {source} are (..., {count}, 2), not {points.shape}")
    indices = matching_landmarks(source, target, exact=exact)
    mapped: Points = points[..., indices, :].astype(np.float32)
    mapped[..., indices < 0, :] = np.nan
    return mapped


@cache
def matching_landmarks(source: str, target: str, *, exact: bool = False) -> NDArray[np.int64]:
    """Find the landmarks of one schema that correspond to those of another.

    Args:
        source: Name of the first schema.
        target: Name of the second schema, with L landmarks.
        exact: See `map_points`.

    Returns:
        (L,) index in `source` of each landmark of `target`, or -1 if `source` does not have it.

    Raises:
        ValueError: A schema is unknown, or no mapping between the schemas is known.
    """
    if source == target:
        return np.arange(load_schema(target).count)
    target_of_hub = {hub: i for i, hub in _pairs(target, exact=exact)}
    source_pairs = _pairs(source, exact=exact)
    indices = np.full(load_schema(target).count, -1, np.int64)
    for i, hub in source_pairs:
        if hub in target_of_hub:
            indices[target_of_hub[hub]] = i
    return indices


def to_ibug68(points: NDArray[np.floating], source: str) -> NDArray[np.float64]:
    """Convert landmarks to iBUG's 68, those that correspond only roughly, too.

    `source` needs a file in assets/schemas/maps, but it need not be a schema, as for `map_points`:
    `mediapipe478` (or the first 468 of them) and `openseeface66` are landmarks of other trackers.

    Args:
        points: (..., K, 2) landmarks.
        source: Name of the landmarks.

    Returns:
        (..., 68, 2) landmarks; NaN where `source` has no such landmark.

    Raises:
        ValueError: No mapping is known, or it names landmarks that are not there.
    """
    pairs = _pairs(source, exact=False)
    if not pairs or max(i for i, _ in pairs) >= points.shape[-2]:
        raise ValueError(f"points of {source} are not {points.shape}")
    converted = np.full((*points.shape[:-2], load_schema(_HUB).count, 2), np.nan)
    for i, hub in pairs:
        converted[..., hub, :] = points[..., i, :]
    return converted


@cache
def _pairs(name: str, *, exact: bool) -> list[tuple[int, int]]:
    """Return (index, index in the hub schema) of each common landmark."""
    if name == _HUB:
        return [(i, i) for i in range(load_schema(_HUB).count)]
    path = assets_root() / "schemas" / "maps" / f"{name}_{_HUB}.json"
    if not path.is_file():
        load_schema(name)  # it refuses an unknown name
        raise ValueError(f"no points of {name} are known to be points of {_HUB}")
    data = json.loads(path.read_text(encoding="utf-8"))
    return [(i, hub) for i, hub in data["pairs"] + ([] if exact else data["near"])]
