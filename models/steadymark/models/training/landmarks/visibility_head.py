"""A head that tells from a trained network's features whether something hides a landmark.

The features of the backbone are read at each landmark that the network found, and each landmark has
weights of its own (logistic regression). The network itself stays as it is: the head is appended to
its ONNX graph as the output `visible`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.errors import WeightsError
from steadymark.models.face.crop import planar
from steadymark.models.face.point_scores import VISIBLE
from steadymark.models.runtime.onnx_session import open_content

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.zoo import ModelCard

    Floats = NDArray[np.float32]

PREFIX = "visible."  # of the names of the head's nodes and weights
_AXIS_CONV = "network.cnn1_x.0.weight"  # of the convolution that reads a heatmap1d backbone
_WEIGHT_DECAY = 0.01
_FIT_STEPS = 80
_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class VisibilityHead:
    """Weights (K, C) of the features and bias (K,): the logit that a landmark is visible."""

    weight: Floats
    bias: Floats


def has_features(model: onnx.ModelProto) -> bool:
    """Return whether the graph is that of a heatmap1d network, alone or inside a stabilizer."""
    return _features_of(model) is not None


def has_head(content: bytes) -> bool:
    """Return whether an ONNX file has the output `visible`."""
    return any(output.name == VISIBLE for output in onnx.load_from_string(content).graph.output)


def bare(content: bytes) -> onnx.ModelProto:
    """Read an ONNX file and remove its visibility head, if it has one."""
    model = onnx.load_from_string(content)
    graph = model.graph
    for part in (graph.node, graph.initializer):
        for each in [each for each in part if each.name.startswith(PREFIX)]:
            part.remove(each)
    for each in [each for each in graph.output if each.name == VISIBLE]:
        graph.output.remove(each)
    return model


def fit_head(
    card: ModelCard, model: onnx.ModelProto, crops: Image, hidden: NDArray[np.bool_]
) -> VisibilityHead:
    """Fit the head of a network.

    Args:
        card: The model card.
        model: The graph without a head, see `bare`.
        crops: (n, F, F, 3) uint8 crops of faces.
        hidden: (n, K), True where something hides the landmark.

    Raises:
        WeightsError: The graph is not that of a heatmap1d network.
    """
    features = torch.from_numpy(_features_at_landmarks(card, model, crops))  # (n, K, C)
    mean, spread = features.mean((0, 1)), features.std((0, 1)) + 1e-3
    inputs = (features - mean) / spread
    target = torch.from_numpy((~hidden).astype(np.float32))
    weight = torch.zeros(inputs.shape[1:], requires_grad=True)
    bias = torch.zeros(inputs.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=_FIT_STEPS, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        logit = torch.einsum("nkc,kc->nk", inputs, weight) + bias
        value = functional.binary_cross_entropy_with_logits(logit, target)
        value = value + _WEIGHT_DECAY * weight.square().mean(0).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        scaled = weight / spread
        shifted = bias - scaled @ mean
    return VisibilityHead(scaled.numpy(), shifted.numpy())


def with_head(model: onnx.ModelProto, head: VisibilityHead, crop: int) -> bytes:
    """Append the head to the graph of a network, whose other outputs stay the same.

    A convolution weighs the features of each landmark everywhere, and the result is interpolated at
    the landmark. This takes a quarter of the time of reading all features there (GridSample).

    Args:
        model: The graph without a head, see `bare`; it is changed.
        head: The weights.
        crop: Side of the network's crops, pixels.

    Returns:
        The ONNX file.

    Raises:
        WeightsError: The graph is not that of a heatmap1d network.
    """
    features, points = _required_features(model), _points_of(model)
    side = _side_of(model, features)
    constants: dict[str, NDArray[Any]] = {
        "scale": np.array(side / crop, np.float32),
        "shift": np.array(0.5 * side / crop - 0.5, np.float32),
        "first": np.array(0, np.float32),
        "last": np.array(side - 1, np.float32),
        "one": np.array(1, np.float32),
        "cells": np.arange(side, dtype=np.float32),
        "last_axis": np.array([3], np.int64),
        "map_axes": np.array([2, 3], np.int64),
        "weight": head.weight[..., None, None],  # (K, C, 1, 1)
        "bias": head.bias,
    }
    steps: tuple[tuple[str, list[str], list[str], dict[str, Any]], ...] = (
        ("Conv", [features, "weight"], ["maps"], {}),  # (n, K, side, side)
        ("Mul", [points, "scale"], ["scaled"], {}),
        ("Add", ["scaled", "shift"], ["places"], {}),  # (n, K, 2), cells of the features
        ("Clip", ["places", "first", "last"], ["inside"], {}),
        ("Unsqueeze", ["inside", "last_axis"], ["places_of_cells"], {}),  # (n, K, 2, 1)
        ("Sub", ["places_of_cells", "cells"], ["offsets"], {}),
        ("Abs", ["offsets"], ["distances"], {}),
        ("Sub", ["one", "distances"], ["nearness"], {}),
        ("Relu", ["nearness"], ["shares"], {}),  # of bilinear interpolation
        ("Split", ["shares"], ["share_x", "share_y"], {"axis": 2, "num_outputs": 2}),
        ("MatMul", ["share_y", "maps"], ["rows"], {}),  # (n, K, 1, side)
        ("Mul", ["rows", "share_x"], ["weighted"], {}),
        ("ReduceSum", ["weighted", "map_axes"], ["sum"], {"keepdims": 0}),  # (n, K)
        ("Add", ["sum", "bias"], ["logit"], {}),
        ("Sigmoid", ["logit"], [VISIBLE], {}),
    )
    own = {*constants, *(name for _, _, outputs, _ in steps for name in outputs)} - {VISIBLE}
    named = {name: PREFIX + name if name in own else name for name in (*own, VISIBLE)}
    for kind, inputs, outputs, options in steps:
        model.graph.node.append(
            helper.make_node(
                kind,
                [named.get(name, name) for name in inputs],
                [named[name] for name in outputs],
                name=PREFIX + outputs[0],
                **options,
            )
        )
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(value, PREFIX + name))
    shape: list[str | int | None] = ["n", len(head.bias)]
    model.graph.output.append(helper.make_tensor_value_info(VISIBLE, TensorProto.FLOAT, shape))
    return bytes(model.SerializeToString())


def head_of(model: onnx.ModelProto) -> VisibilityHead | None:
    """Return the head that a graph has, or None."""
    stored = {w.name: w for w in model.graph.initializer}
    names = (f"{PREFIX}weight", f"{PREFIX}bias")
    if not stored.keys() >= set(names):
        return None
    weight, bias = (numpy_helper.to_array(stored[name]) for name in names)
    is_transposed = weight.ndim == 3  # (1, C, K), before there was a convolution
    return VisibilityHead(weight[0].T if is_transposed else weight[..., 0, 0], bias)


def _features_of(model: onnx.ModelProto) -> str | None:
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[1].endswith(_AXIS_CONV):
            return str(node.input[0])
    return None


def _required_features(model: onnx.ModelProto) -> str:
    found = _features_of(model)
    if found is None:
        raise WeightsError("the graph is not that of a heatmap1d network: its backbone is unknown")
    return found


def _side_of(model: onnx.ModelProto, features: str) -> int:
    """Return the side of the square features, which the graph states."""
    for value in model.graph.value_info:
        if value.name == features:
            return int(value.type.tensor_type.shape.dim[-1].dim_value)
    raise WeightsError("the graph does not state the size of its features: export the model again")


def _points_of(model: onnx.ModelProto) -> str:
    """Return the output with the landmarks of the crop alone, before any stabilization."""
    return "raw_points" if any(o.name == "raw_points" for o in model.graph.output) else "points"


def _features_at_landmarks(card: ModelCard, model: onnx.ModelProto, crops: Image) -> Floats:
    """Return the features (n, K, C) at the landmarks that the network finds in crops."""
    features, points = _required_features(model), _points_of(model)
    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    tapped.graph.output.append(helper.make_tensor_value_info(features, TensorProto.FLOAT, None))
    runner = open_content(tapped.SerializeToString(), card.path)
    sampled = []
    for first in range(0, len(crops), _BATCH):
        inputs = still_inputs(runner.session, planar(crops[first : first + _BATCH]))
        maps, found = (torch.from_numpy(v) for v in runner([features, points], **inputs))
        grid = (found * (2 / card.crop) + (1 / card.crop - 1)).unsqueeze(2)
        columns = nn.functional.grid_sample(maps, grid, padding_mode="border", align_corners=False)
        sampled.append(columns[..., 0].transpose(1, 2).numpy())  # (B, K, C)
    return np.concatenate(sampled)


def still_inputs(session: object, crops: Image) -> dict[str, NDArray[np.generic]]:
    """Return the inputs of a network for faces that it has not seen before.

    Args:
        session: The session of ONNX Runtime.
        crops: (n, 3, F, F) uint8.
    """
    inputs: dict[str, NDArray[np.generic]] = {"crops": crops}
    for each in session.get_inputs():  # type: ignore[attr-defined]
        if each.name == "moved":
            inputs["moved"] = np.eye(2, 3, dtype=np.float32)[None].repeat(len(crops), 0)
        elif each.name.startswith("state_"):
            inputs[each.name] = np.zeros((len(crops), *each.shape[1:]), np.float32)
    return inputs
