"""Outputs that are coordinates of landmarks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.own_models.graph_nodes import cast
from steadymark.models.own_models.output_kind import OUTPUT_KINDS, OutputKind
from steadymark.models.own_models.wrapper_config import CoordinateUnit
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from steadymark.models.own_models.graph_nodes import GraphNodes
    from steadymark.models.own_models.output_kind import OutputTrial, Shapes
    from steadymark.models.own_models.wrapper_config import WrapperConfig


def _find(shapes: Shapes, counts: Sequence[int]) -> tuple[tuple[str, ...], int] | None:
    for name, shape in shapes.items():
        number_count = int(np.prod(shape))
        for count in counts:
            if number_count == 2 * count or shape[-2:] == (count, 3) == shape:
                return (name,), count
    return None


def _read_coordinates(nodes: GraphNodes, wrapping: WrapperConfig) -> bytes:
    """Read points from outputs of shape (2K), (K, 2), (2, K) or (K, 3) per face."""
    (shape,), count, side = wrapping.shapes, wrapping.count, float(wrapping.crop)
    value = cast(nodes, wrapping.outputs[0])
    if len(shape) >= 2 and shape[-2:] == (count, 3):
        value = nodes.gather(nodes.reshape(value, (-1, count, 3)), (0, 1), 2)
    elif wrapping.planar:
        value = nodes.add("Transpose", nodes.reshape(value, (-1, 2, count)), perm=[0, 2, 1])
    else:
        value = nodes.reshape(value, (-1, count, 2))
    factor, offset = {
        CoordinateUnit.PIXELS: (1.0, 0.0),
        CoordinateUnit.UNIT: (side, 0.0),
        CoordinateUnit.SIGNED: (side / 2, side / 2),
    }[wrapping.scale]
    value = nodes.add("Mul", value, nodes.add_constant(factor))
    nodes.add("Add", value, nodes.add_constant(offset), named="points")
    zeros = nodes.add(
        "Mul", nodes.reduce("ReduceMax", "points", 2, keep=False), nodes.add_constant(0.0)
    )
    nodes.add("Add", zeros, nodes.add_constant(1.0), named="scores")
    nodes.reduce("ReduceMean", "scores", 1, keep=False, named="face")
    return nodes.take_bytes()


def _complete(
    wrapping: WrapperConfig, trial: OutputTrial, scale: CoordinateUnit | None
) -> WrapperConfig:
    """Find the order and the unit of the coordinates with the smallest error."""
    shape, count = wrapping.shapes[0], wrapping.count
    orders = [False, True]
    if len(shape) > 1 and shape[-2:] in ((count, 2), (count, 3), (2, count)):
        orders = [shape[-2:] == (2, count)]
    candidates = []
    for planar_order in orders:
        candidate = replace(wrapping, planar=planar_order)
        candidate = replace(candidate, scale=scale or _guess_unit(trial.points(candidate)))
        candidates.append((trial.error(candidate), planar_order, candidate))
    return min(candidates, key=lambda each: each[:2])[2]


def _guess_unit(points: NDArray[np.float32]) -> CoordinateUnit:
    """Guess the unit of coordinates from their range, since a face fills most of a crop."""
    finite = points[np.isfinite(points)]
    if not len(finite):
        return CoordinateUnit.PIXELS
    low, high = (float(v) for v in np.quantile(finite, (0.02, 0.98)))
    if max(abs(low), abs(high)) > 2.5:
        return CoordinateUnit.PIXELS
    return CoordinateUnit.SIGNED if low < -0.2 else CoordinateUnit.UNIT


OUTPUT_KINDS.add(
    OutputKind(
        "coordinates",
        UserText("coordinates"),
        _find,
        _read_coordinates,
        _complete,
        order=3,  # any 2K numbers may be coordinates
        has_scale=True,
        help=UserText("The places of the landmarks."),
    )
)
