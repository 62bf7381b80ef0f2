"""Networks of strangers in miniature: what they give does not depend on faces, or on ours."""

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
    given: str = "picture",
) -> bytes:
    """A network that gives the same for every picture: each output is (n, *shape)."""
    shape: list[Any] = [batch, side, side, 3] if last else [batch, 3, side, side]
    nodes = [
        helper.make_node("Cast", [given], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Shape", ["real"], ["whole"]),
        helper.make_node("Gather", ["whole", "first"], ["many"], axis=0),
    ]
    constants = [numpy_helper.from_array(np.array([0], np.int64), "first")]
    told = []
    for name, value in outputs:
        sides = np.array(value.shape, np.int64)
        constants.append(numpy_helper.from_array(value.astype(np.float32), f"{name}_value"))
        constants.append(numpy_helper.from_array(sides, f"{name}_sides"))
        nodes.append(
            helper.make_node("Concat", ["many", f"{name}_sides"], [f"{name}_shape"], axis=0)
        )
        nodes.append(helper.make_node("Expand", [f"{name}_value", f"{name}_shape"], [name]))
        whole: list[Any] = [batch, *value.shape]
        told.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, whole))
    inputs = [helper.make_tensor_value_info(given, kind, shape)]
    graph = helper.make_graph(nodes, "strange", inputs, told, constants)
    return made(graph, opset)


def echo(count: int, *, side: int = 16, last: bool = False, opset: int = 13) -> bytes:
    """Gives the first 2 · `count` numbers of what it is fed, as coordinates."""
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
    return made(graph, opset)


def made(graph: onnx.GraphProto, opset: int) -> bytes:
    """The bytes of a model."""
    versions = [helper.make_opsetid("", opset)]
    content: bytes = helper.make_model(
        graph, opset_imports=versions, ir_version=8
    ).SerializeToString()
    return content


def mean_face(schema: str, side: float, share: float = 0.7) -> NDArray[np.float32]:
    """(K, 2) pixels: the mean shape in the middle of an input, so large a share of it."""
    return (load_schema(schema).mean_shape * share + 0.5) * np.float32(side)


def of_heatmap1d(folder: Path, schema: str = "ibug68", *, batch: int | str = "n") -> Path:
    """Our own network as a stranger's: points of another schema, and nothing else.

    Landmarks without a counterpart are laid on that of the nearest of those that have one.
    """
    model = onnx.load(weights_folder() / "heatmap1d-lite.onnx")
    place = matching_landmarks("ibug68", schema)
    shape = load_schema(schema).mean_shape
    known = np.flatnonzero(place >= 0)
    nearest = known[np.linalg.norm(shape[:, None] - shape[None, known], axis=-1).argmin(1)]
    order = numpy_helper.from_array(place[nearest], "order")
    model.graph.initializer.append(order)
    model.graph.node.append(helper.make_node("Gather", ["points", "order"], ["theirs"], axis=1))
    del model.graph.output[:]
    told = helper.make_tensor_value_info("theirs", TensorProto.FLOAT, [batch, len(place), 2])
    model.graph.output.append(told)
    model.graph.input[0].type.tensor_type.shape.dim[0].Clear()
    if isinstance(batch, int):
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    path = folder / f"strange{len(place)}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def lines_of_heatmap1d(folder: Path) -> Path:
    """Our own network as a stranger's: its heatmaps along x and along y, and nothing else."""
    model = onnx.load(weights_folder() / "heatmap1d-lite.onnx")
    del model.graph.output[:]
    for index, name in enumerate(("x_lines", "y_lines")):
        which = numpy_helper.from_array(np.array(index, np.int64), f"which_{name}")
        model.graph.initializer.append(which)
        model.graph.node.append(
            helper.make_node("Gather", ["heatmaps", which.name], [name], axis=2)
        )
        told = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 68, 256])
        model.graph.output.append(told)
    return write(folder, model.SerializeToString(), "lines")


def write(folder: Path, content: bytes, name: str = "strange") -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(content)
    return path


def bumps(
    places: Sequence[tuple[float, float]] | NDArray[np.float32], height: int, width: int
) -> NDArray[Any]:
    """(K, H, W) Gaussians of σ 1.5 at places (K, 2), bins."""
    y, x = np.mgrid[:height, :width]
    squares = [np.square(x - px) + np.square(y - py) for px, py in places]
    return np.exp(-np.stack(squares) / (2 * 1.5**2)).astype(np.float32)
