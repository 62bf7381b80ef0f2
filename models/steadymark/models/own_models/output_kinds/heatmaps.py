"""Outputs that are a 2D heatmap for each landmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.own_models.graph_nodes import add_centres, add_scores, bin_centres, cast
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
        for count in counts:
            first = shape[0] in (count, count + 1) and min(shape[1:]) >= _SMALLEST_MAP
            last = shape[2] in (count, count + 1) and min(shape[:2]) >= _SMALLEST_MAP
            if first or last:
                return (name,), count
    return None


def _read_heatmaps(nodes: GraphNodes, wrapping: WrapperConfig) -> bytes:
    """Read points from heatmaps (C, H, W) or (H, W, C); the first K of C channels are used."""
    (shape,), count = wrapping.shapes, wrapping.count
    value = cast(nodes, wrapping.outputs[0])
    if _last_channels(shape, count):
        value = nodes.add("Transpose", value, perm=[0, 3, 1, 2])
        shape = (shape[2], *shape[:2])
    channels, height, width = shape
    value = nodes.reshape(value, (-1, channels, height * width))
    if channels != count:
        value = nodes.gather(value, range(count), 1)
    rows, columns = np.mgrid[:height, :width].reshape(2, -1)
    bin_xy = np.stack(
        (bin_centres(columns, wrapping.crop, width), bin_centres(rows, wrapping.crop, height)), -1
    )
    bins = max(1.0, 0.03 * max(height, width))
    reach = (bins * wrapping.crop / width, bins * wrapping.crop / height)
    points, share, peak = add_centres(nodes, value, bin_xy, reach, softmax=wrapping.softmax)
    nodes.add("Reshape", points, nodes.add_constant((-1, count, 2), np.int64), named="points")
    return add_scores(nodes, [(share, peak)])


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
