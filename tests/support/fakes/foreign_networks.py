"""Small third-party networks; their outputs do not depend on faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from steadymark.models.face.schema import load_schema
from steadymark.models.face.schema_conversion import matching_landmarks
from steadymark.models.runtime.zoo import weights_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def network(
    *outputs: tuple[str, NDArray[np.floating]],
    side: int | str = 32,
    batch: int | str = "n",
    last: bool = False,
    kind: int = TensorProto.FLOAT,
    opset: int = 13,
    input_name: str = "picture",
) -> bytes:
    """A network with the same outputs for each image: each output is (n, *shape)."""
    shape: list[Any] = [batch, side, side, 3] if last else [batch, 3, side, side]
    nodes = [
        helper.make_node("Cast", [input_name], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Shape", ["real"], ["whole"]),
        helper.make_node("Gather", ["whole", "first"], ["many"], axis=0),
    ]
    constants = [numpy_helper.from_array(np.array([0], np.int64), "first")]
    output_infos = []
    for name, value in outputs:
        shape_values = np.array(value.shape, np.int64)
        constants.append(numpy_helper.from_array(value.astype(np.float32), f"{name}_value"))
        constants.append(numpy_helper.from_array(shape_values, f"{name}_sides"))
        nodes.append(
            helper.make_node("Concat", ["many", f"{name}_sides"], [f"{name}_shape"], axis=0)
        )
        nodes.append(helper.make_node("Expand", [f"{name}_value", f"{name}_shape"], [name]))
        output_shape: list[Any] = [batch, *value.shape]
        output_infos.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, output_shape))
    inputs = [helper.make_tensor_value_info(input_name, kind, shape)]
    graph = helper.make_graph(nodes, "strange", inputs, output_infos, constants)
    return model_bytes(graph, opset)


def echo(count: int, *, side: int = 16, last: bool = False, opset: int = 13) -> bytes:
    """A network whose coordinates are the first 2 · `count` numbers of its input."""
    shape: list[Any] = ["n", side, side, 3] if last else ["n", 3, side, side]
    nodes = [
        helper.make_node("Flatten", ["picture"], ["flat"], axis=1),
        helper.make_node("Gather", ["flat", "some"], ["numbers"], axis=1),
    ]
    some = numpy_helper.from_array(np.arange(2 * count), "some")
    graph = helper.make_graph(
        nodes,
        "echo",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("numbers", TensorProto.FLOAT, ["n", 2 * count])],
        [some],
    )
    return model_bytes(graph, opset)


def model_bytes(graph: onnx.GraphProto, opset: int) -> bytes:
    """A model with this graph, serialized."""
    versions = [helper.make_opsetid("", opset)]
    content: bytes = helper.make_model(
        graph, opset_imports=versions, ir_version=8
    ).SerializeToString()
    return content


def mean_face(schema: str, side: float, share: float = 0.7) -> NDArray[np.float32]:
    """(K, 2) pixels: the mean shape in the middle of an input, scaled to `share` of it."""
    return (load_schema(schema).mean_shape * share + 0.5) * np.float32(side)


def heatmap1d_network(folder: Path, schema: str = "ibug68", *, batch: int | str = "n") -> Path:
    """heatmap1d-lite as a third-party network: only points, of another schema.

    Landmarks without a counterpart get the position of the nearest one that has one.
    """
    model = onnx.load(weights_folder() / "heatmap1d-lite.onnx")
    source_of = matching_landmarks("ibug68", schema)
    shape = load_schema(schema).mean_shape
    known = np.flatnonzero(source_of >= 0)
    nearest = known[np.linalg.norm(shape[:, None] - shape[None, known], axis=-1).argmin(1)]
    order = numpy_helper.from_array(source_of[nearest], "order")
    model.graph.initializer.append(order)
    model.graph.node.append(helper.make_node("Gather", ["points", "order"], ["theirs"], axis=1))
    del model.graph.output[:]
    output = helper.make_tensor_value_info("theirs", TensorProto.FLOAT, [batch, len(source_of), 2])
    model.graph.output.append(output)
    model.graph.input[0].type.tensor_type.shape.dim[0].Clear()
    if isinstance(batch, int):
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    path = folder / f"strange{len(source_of)}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def heatmap1d_heatmaps_network(folder: Path) -> Path:
    """heatmap1d-lite as a third-party network: only its heatmaps along x and along y."""
    model = onnx.load(weights_folder() / "heatmap1d-lite.onnx")
    maps = [node.output[0] for node in model.graph.node if node.op_type == "Softmax"][-1]
    del model.graph.output[:]
    for index, name in enumerate(("x_lines", "y_lines")):
        which = numpy_helper.from_array(np.array(index, np.int64), f"which_{name}")
        model.graph.initializer.append(which)
        model.graph.node.append(helper.make_node("Gather", [maps, which.name], [name], axis=2))
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 68, 256])
        model.graph.output.append(output)
    return write_network(folder, model.SerializeToString(), "lines")


def write_network(folder: Path, content: bytes, name: str = "strange") -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(content)
    return path


def gaussian_maps(
    positions: Sequence[tuple[float, float]] | NDArray[np.float32], height: int, width: int
) -> NDArray[Any]:
    """(K, H, W) Gaussians of σ 1.5 at positions (K, 2), in bins."""
    y, x = np.mgrid[:height, :width]
    squares = [np.square(x - px) + np.square(y - py) for px, py in positions]
    return np.exp(-np.stack(squares) / (2 * 1.5**2)).astype(np.float32)
