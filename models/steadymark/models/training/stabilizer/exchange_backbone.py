"""Puts an exported stabilizer over newer weights of the backbone that it was trained over.

A cell sees heatmaps only. After a small change of the backbone's weights its heatmaps are much the
same, so that the cell can stay as it is; benchmarks have to tell.
"""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING

import onnx
from onnx import numpy_helper

from steadymark.models.networks.onnx_export import write_card
from steadymark.models.training.loop.checkpoint import origin_of

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX, _BACKBONE = "network.", "backbone."


def exchange_backbone(stabilizer: Path, backbone: Path, out: Path) -> int:
    """Copy a backbone's weights into a stabilizer, and write it with its card.

    Args:
        stabilizer: ONNX file of an exported stabilizer, with its card beside it.
        backbone: ONNX file of a network of the same sizes as the stabilizer's backbone.
        out: Folder for the new file and card.

    Returns:
        Number of tensors that changed.

    Raises:
        ValueError: The backbone has other sizes, or the file holds no stabilizer.
        OSError: A file or the card cannot be read.
    """
    weights = {w.name: w for w in onnx.load(backbone).graph.initializer}
    model = onnx.load(stabilizer)
    names = [name for name in weights if name.startswith(_PREFIX)]
    stored = _stored(model, weights, names)
    known = {w.name for w in model.graph.initializer if w.name.startswith(_BACKBONE)}
    if not known or not known <= {_BACKBONE + n for n in names} or len(stored) != len(names):
        raise ValueError(f"{stabilizer} holds no stabilizer over a network like {backbone}")
    changed = 0
    for name, target in stored.items():
        value = numpy_helper.to_array(weights[name])
        old = numpy_helper.to_array(target)
        if value.size != old.size:
            raise ValueError(f"{name} has other sizes in {backbone} than in {stabilizer}")
        changed += not (value.ravel() == old.ravel()).all()
        target.CopyFrom(numpy_helper.from_array(value.reshape(old.shape), target.name))
    card = json.loads(stabilizer.with_suffix(".json").read_text(encoding="utf-8"))
    recipe = {**card["recipe"], "backbone_exchanged_for": origin_of(backbone, {})}
    out.mkdir(parents=True, exist_ok=True)
    file = out / stabilizer.name
    onnx.save(model, file)
    write_card(file.with_suffix(".json"), file, {**card, "recipe": recipe})
    return changed


def _stored(
    model: onnx.ModelProto, weights: dict[str, onnx.TensorProto], names: list[str]
) -> dict[str, onnx.TensorProto]:
    """Return the tensors of a stabilizer's backbone by the names that they have in the backbone.

    Earlier exports renamed the bias of a deconvolution; these are found by order and size.
    """
    named = {w.name: w for w in model.graph.initializer}
    renamed = [w for w in model.graph.initializer if "." not in w.name and len(w.dims) > 1]
    found = {}
    for name in names:
        tensor = named.get(_BACKBONE + name)
        if tensor is None and name.endswith("conv.bias"):
            size = prod(weights[name].dims)
            tensor = next((w for w in renamed if prod(w.dims) == size), None)
            renamed = [w for w in renamed if w is not tensor]
        if tensor is not None:
            found[name] = tensor
    return found
