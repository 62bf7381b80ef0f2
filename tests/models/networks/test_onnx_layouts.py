"""1D convolutions of an exported graph are computed in 2D."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from steadymark.models.networks.onnx_layouts import with_2d_convolutions
from steadymark.models.runtime.onnxruntime_offline import ort

RNG = np.random.default_rng(0)
WEIGHTS = {
    "first": RNG.normal(size=(6, 4, 3)).astype(np.float32),
    "bias": RNG.normal(size=6).astype(np.float32),
    "each": RNG.normal(size=(6, 1, 5)).astype(np.float32),
}


def small_graph() -> onnx.ModelProto:
    """Two convolutions with a ReLU between them, whose values another node reads, too."""
    nodes = [
        helper.make_node("Conv", ["x", "first", "bias"], ["a"], pads=[1, 1], strides=[2]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "each"], ["c"], pads=[2, 2], group=6),
        helper.make_node("Add", ["b", "c"], ["d"]),
        helper.make_node("Softmax", ["d"], ["y"], axis=2),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4, 10])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 6, 5])
    stored = [numpy_helper.from_array(value, name) for name, value in WEIGHTS.items()]
    opset = [helper.make_opsetid("", 20)]
    graph = helper.make_graph(nodes, "small", [x], [y], stored)
    return helper.make_model(graph, opset_imports=opset, ir_version=10)


def test_the_results_and_weights_stay_the_same() -> None:
    model = small_graph()
    changed = with_2d_convolutions(model)
    onnx.checker.check_model(changed, full_check=True)
    x = RNG.normal(size=(3, 4, 10)).astype(np.float32)
    expected, found = (
        ort.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, {"x": x}
        )[0]
        for m in (model, changed)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)
    stored = {w.name: numpy_helper.to_array(w) for w in changed.graph.initializer}
    for name, value in WEIGHTS.items():
        np.testing.assert_array_equal(stored[name], value)


def test_no_axis_is_added_and_removed_between_the_convolutions() -> None:
    kinds = [node.op_type for node in with_2d_convolutions(small_graph()).graph.node]
    assert kinds.count("Unsqueeze") == 3  # of the input and of both weights
    assert kinds.count("Squeeze") == 1
