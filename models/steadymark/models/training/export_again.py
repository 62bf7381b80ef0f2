"""Writes an exported model again: with today's graph, the same weights and the same card."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from steadymark.models.networks.onnx_export import write_card
from steadymark.models.runtime.onnx_session import open_content
from steadymark.models.runtime.zoo import find_model, list_models, verified_bytes
from steadymark.models.training.landmarks.landmark_system import LandmarkSystem
from steadymark.models.training.landmarks.visibility_head import PREFIX, head_of, with_head
from steadymark.models.training.loop.weights_from_onnx import StoredWeights
from steadymark.models.training.registry import system_of
from steadymark.models.training.stabilizer.heatmap_cell_systems import RecurrentSystem
from steadymark.models.training.stabilizer.torch_backbone import TorchBackbone

if TYPE_CHECKING:
    from torch import nn

    from steadymark.models.runtime.zoo import ModelCard

TOLERANCE = 0.01  # largest difference of an output: pixels, and numbers of the order of 1
_SIZES = {"landmarks": 68}  # lengths of axes that a graph leaves open; all others are faces
_FACES = 2


def export_again(name: str, out: Path) -> Path:
    """Write a model with the graph that an export makes today, and with its weights, bit by bit.

    The card stays as it is, apart from what depends on the file: its size and SHA-256, the number
    of operations, and the weights that the rows of `accuracy` name.

    Args:
        name: Name of a shipped model, or the .onnx file of an export with its card.
        out: Folder of the new file and card; it may be that of the model.

    Returns:
        The ONNX file.

    Raises:
        ValueError: The model is not of a system that is trained here, today's network has other
            weights, or it gives other results.
        WeightsError: There is no such model, or it cannot be run.
        OSError: A file cannot be written.
    """
    card = next((c for c in list_models() if c.name == name), None) or find_model(name, "landmarks")
    content = verified_bytes(card)
    entries = json.loads(card.path.with_suffix(".json").read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder:
        file = Path(folder) / card.path.name
        facts = _export(card, entries, file)
        new = _with_weights(card, onnx.load(file), onnx.load_from_string(content))
    _check(card, content, new)
    out.mkdir(parents=True, exist_ok=True)
    written, curve = out / card.path.name, card.path.with_suffix(".curve.csv")
    written.write_bytes(new)
    if curve.is_file() and curve.parent.resolve() != out.resolve():
        shutil.copyfile(curve, out / curve.name)
    write_card(written.with_suffix(".json"), written, _entries(card, entries, facts, new))
    return written


def _export(card: ModelCard, entries: dict[str, Any], file: Path) -> dict[str, Any]:
    """Export the network of a card with random weights; return the entries for its card."""
    system = system_of(entries["recipe"])
    if not isinstance(system, RecurrentSystem):
        return system.export(_randomized(system.build()), file.parent, file)
    if card.over is None:
        raise ValueError(f"{card.name} stabilizes a foreign network: export its run again")
    over = find_model(card.over, "landmarks", card.path.parent).path.with_suffix(".json")
    detector = system_of(json.loads(over.read_text(encoding="utf-8"))["recipe"])
    assert isinstance(detector, LandmarkSystem)
    backbone = TorchBackbone(system.backbone, detector, _randomized(detector.build()))
    return backbone.export(_randomized(system.build()), file)


def _randomized(network: nn.Module) -> Any:
    """Make all weights different, since the export merges weights that are equal."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for weight in network.parameters():
            weight.data += 0.01 * torch.randn_like(weight)
    return network.eval()


def _with_weights(card: ModelCard, new: onnx.ModelProto, old: onnx.ModelProto) -> bytes:
    """Return the file of a new graph with the weights, and the head `visible`, of the old one."""
    stored = StoredWeights({w.name: numpy_helper.to_array(w) for w in old.graph.initializer})
    for weight in new.graph.initializer:
        if "." not in weight.name:
            continue
        value = stored.take(weight.name, int(np.prod(weight.dims)))
        if value is None or value.size != np.prod(weight.dims):
            raise ValueError(f"{card.path} has no weights {weight.name} of today's size")
        weight.CopyFrom(numpy_helper.from_array(value.reshape(tuple(weight.dims)), weight.name))
    left = [name for name in stored.left if "." in name and not name.startswith(PREFIX)]
    if left:
        raise ValueError(f"{card.path} has weights {left[0]}, which its network lacks today")
    head = head_of(old)
    return bytes(new.SerializeToString()) if head is None else with_head(new, head, card.crop)


def _check(card: ModelCard, old: bytes, new: bytes) -> None:
    """Refuse a graph that gives other results than the old one for the same inputs."""
    before, after = (open_content(each, card.path) for each in (old, new))
    rng, inputs = np.random.default_rng(0), {}
    for each in before.session.get_inputs():
        shape = [s if isinstance(s, int) else _SIZES.get(s, _FACES) for s in each.shape]
        if each.name == "moved":
            inputs[each.name] = np.eye(2, 3, dtype=np.float32)[None].repeat(_FACES, 0)
        elif each.type == "tensor(uint8)":
            inputs[each.name] = rng.integers(0, 256, shape, np.uint8)
        else:
            inputs[each.name] = rng.uniform(0, 0.2, shape).astype(np.float32)
    names = [output.name for output in before.session.get_outputs()]
    old_results, new_results = (
        dict(zip(names, run(names, **inputs), strict=True)) for run in (before, after)
    )
    for results in (old_results, new_results):
        if "face" in results:  # noise is no face, which would hide differences of the scores
            results["scores"] = results["scores"] / results["face"][:, None].clip(1e-30)
    for name in names:
        differences = np.abs(new_results[name] - old_results[name])
        # a score jumps where rounding moves a bin out of the part that counts
        difference = float(differences.mean() if name == "scores" else differences.max())
        if not difference <= TOLERANCE:
            raise ValueError(f"{card.name}: the new graph's {name} differ by {difference:.3g}")


def _entries(
    card: ModelCard, entries: dict[str, Any], facts: dict[str, Any], new: bytes
) -> dict[str, Any]:
    """Return the card's entries for the new file."""
    old_hash, new_hash = card.sha256, hashlib.sha256(new).hexdigest()
    changed: dict[str, Any] = {n: facts[n] for n in ("params", "macs") if n in facts}
    if "accuracy" in entries:
        changed["accuracy"] = [
            {**row, "weights": new_hash[: len(row["weights"])]}
            if row.get("weights") and old_hash.startswith(row["weights"])
            else row
            for row in entries["accuracy"]
        ]
    origin = {"file": card.path.name, "sha256": old_hash}
    return {**entries, **changed, "recipe": {**entries["recipe"], "same_weights_as": origin}}
