"""A small landmark model with its card, as a user would add one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import onnx
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from pathlib import Path

CARD = {"name": "own", "kind": "landmarks", "licence": "MIT", "crop": 16, "margin": 1.4}


def tiny_model(
    *,
    side: int = 16,
    landmarks: int = 68,
    inputs: str = "crops",
    kind: int = TensorProto.UINT8,
    extra: bool = False,
    value: float = 0.5,
) -> onnx.ModelProto:
    """A model that outputs constant landmarks."""
    float_type = TensorProto.FLOAT
    nodes = [
        helper.make_node("Shape", [inputs], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "one"], ["n"]),
        helper.make_node("Concat", ["n", "rest"], ["whole"], axis=0),
        helper.make_node("Expand", ["value", "whole"], ["points"]),
        helper.make_node("ReduceMean", ["points"], ["scores"], axes=[2], keepdims=0),
        helper.make_node("ReduceMean", ["scores"], ["face"], axes=[1], keepdims=0),
    ]
    input_infos = [helper.make_tensor_value_info(inputs, kind, ["n", 3, side, side])]
    if extra:
        input_infos.append(helper.make_tensor_value_info("mood", float_type, [1]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        input_infos,
        [
            helper.make_tensor_value_info("points", float_type, ["n", landmarks, 2]),
            helper.make_tensor_value_info("scores", float_type, ["n", landmarks]),
            helper.make_tensor_value_info("face", float_type, ["n"]),
        ],
        [
            helper.make_tensor("value", float_type, [], [value]),
            helper.make_tensor("zero", TensorProto.INT64, [1], [0]),
            helper.make_tensor("one", TensorProto.INT64, [1], [1]),
            helper.make_tensor("rest", TensorProto.INT64, [2], [landmarks, 2]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def write_model(folder: Path, model: onnx.ModelProto | bytes | None = None, **card: Any) -> Path:
    """Write own.onnx, and own.json with its correct SHA-256."""
    model = tiny_model() if model is None else model
    content = model if isinstance(model, bytes) else model.SerializeToString()
    path = folder / "own.onnx"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    data = {**CARD, "file": "own.onnx", "sha256": digest, **card}
    data = {key: value for key, value in data.items() if value is not None}
    path.with_suffix(".json").write_text(json.dumps(data), encoding="utf-8")
    return path
