"""Two outputs that are 1D heatmaps along x and along y for each landmark."""

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

_SHORTEST_LINE = 16


def _find(shapes: Shapes, counts: Sequence[int]) -> tuple[tuple[str, ...], int] | None:
    for count in counts:
        fitting = [
            name
            for name, shape in shapes.items()
            if len(shape) == 2 and shape[0] == count and shape[1] >= _SHORTEST_LINE
        ]
        if len(fitting) == 2:
            return (fitting[0], fitting[1]), count
    return None


def _read_lines(nodes: GraphNodes, wrapping: WrapperConfig) -> bytes:
    """Read points from two outputs (K, L), 1D heatmaps along x and y."""
    count, centres, scores = wrapping.count, [], []
    for name, (_, length) in zip(wrapping.outputs, wrapping.shapes, strict=True):
        value = nodes.reshape(cast(nodes, name), (-1, count, length))
        bin_px = bin_centres(np.arange(length), wrapping.crop, length)[:, None]
        reach = max(1.0, 0.03 * length) * wrapping.crop / length
        centre, share, peak = add_centres(nodes, value, bin_px, (reach,), softmax=wrapping.softmax)
        centres.append(centre)
        scores.append((share, peak))
    nodes.add("Concat", *centres, named="points", axis=2)
    return add_scores(nodes, scores)


OUTPUT_KINDS.add(
    OutputKind(
        "lines",
        UserText("lines (x and y)"),
        _find,
        _read_lines,
        find_softmax,
        order=2,
        has_peaks=True,
        help=UserText("Two outputs with a line of scores for each landmark, along x and along y."),
    )
)
