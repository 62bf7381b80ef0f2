"""Puts an exported stabilizer over newer weights of the backbone that it was trained over.

A cell sees heatmaps only. After a small change of the backbone's weights its heatmaps are much the
same, so that the cell can stay as it is; benchmarks have to tell.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import onnx
from onnx import numpy_helper

from steadymark.models.networks.onnx_export import write_card
from steadymark.models.training.loop.checkpoint import origin_of
from steadymark.models.training.loop.weights_from_onnx import StoredWeights, stored_weights

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
    weights = {n: w for n, w in stored_weights(backbone).items() if n.startswith(_PREFIX)}
    model = onnx.load(stabilizer)
    tensors = {w.name: w for w in model.graph.initializer}
    stored = StoredWeights({name: numpy_helper.to_array(w) for name, w in tensors.items()})
    targets = [stored.take_name(_BACKBONE + name, w.size) for name, w in weights.items()]
    found = [tensors[name] for name in targets if name is not None]
    known = {name for name in tensors if name.startswith(_BACKBONE)}
    if not known or not known <= set(targets) or len(found) != len(weights):
        raise ValueError(f"{stabilizer} holds no stabilizer over a network like {backbone}")
    changed = 0
    for (name, value), target in zip(weights.items(), found, strict=True):
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
