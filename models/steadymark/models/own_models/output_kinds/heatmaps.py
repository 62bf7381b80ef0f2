"""Outputs that are a 2D heatmap for each landmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.own_models.graph_nodes import add_centres, add_scores, bin_places, cast
from steadymark.models.own_models.logits import find_softmax
from steadymark.models.own_models.output_kind import OUTPUT_KINDS, OutputKind
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.models.own_models.graph_nodes import GraphNodes
    from steadymark.models.own_models.output_kind import Shapes
    from steadymark.models.own_models.wrapper_config import WrapperConfig

_SMALLEST_MAP = 8


def _find(shapes: Shapes, counts: Sequence[int]) -> tuple[tuple[str, ...], int] | None:
    for name, shape in shapes.items():
        if len(shape) != 3:
            continue
        for k in counts:
            first = shape[0] in (k, k + 1) and min(shape[1:]) >= _SMALLEST_MAP
            last = shape[2] in (k, k + 1) and min(shape[:2]) >= _SMALLEST_MAP
            if first or last:
                return (name,), k
    return None


def _read_heatmaps(nodes: GraphNodes, wrapping: WrapperConfig) -> bytes:
    """Read points from heatmaps (C, H, W) or (H, W, C); the first K of C channels are used."""
    (shape,), k = wrapping.shapes, wrapping.count
    value = cast(nodes, wrapping.outputs[0])
    if _last_channels(shape, k):
        value = nodes.add("Transpose", value, perm=[0, 3, 1, 2])
        shape = (shape[2], *shape[:2])
    channels, height, width = shape
    value = nodes.reshaped(value, (-1, channels, height * width))
    if channels != k:
        value = nodes.taken(value, range(k), 1)
    rows, columns = np.mgrid[:height, :width].reshape(2, -1)
    places = np.stack(
        (bin_places(columns, wrapping.crop, width), bin_places(rows, wrapping.crop, height)), -1
    )
    bins = max(1.0, 0.03 * max(height, width))
    reach = (bins * wrapping.crop / width, bins * wrapping.crop / height)
    points, quality, peak = add_centres(nodes, value, places, reach, softmax=wrapping.softmax)
    nodes.add("Reshape", points, nodes.values((-1, k, 2), np.int64), named="points")
    return add_scores(nodes, [(quality, peak)])


def _last_channels(shape: Sequence[int], count: int) -> bool:
    """Return whether heatmaps of this shape are (H, W, C) and not (C, H, W)."""
    return shape[0] not in (count, count + 1) and shape[2] in (count, count + 1)


OUTPUT_KINDS.add(
    OutputKind(
        "heatmaps",
        UserText("heatmaps"),
        _find,
        _read_heatmaps,
        find_softmax,
        order=1,
        has_peaks=True,
        help=UserText("A map of scores for each landmark, (K, H, W) or (H, W, K)."),
    )
)
