"""Export a network to an ONNX file and write its model card."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from typing import TYPE_CHECKING, Any

import onnx
import torch
from onnxscript import optimizer
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from steadymark.models.networks.onnx_layouts import with_2d_convolutions

if TYPE_CHECKING:
    from pathlib import Path

    from onnxscript import ir

OPSET = 20


def export_onnx(
    network: nn.Module,
    example: tuple[Any, ...],
    path: Path,
    *,
    inputs: list[str],
    outputs: list[str],
    dynamic: tuple[Any, ...],
) -> None:
    """Write a network as one self-contained ONNX file.

    Args:
        network: The network; it is set to `eval` mode.
        example: Example inputs.
        path: The file to write.
        inputs: Names of the inputs.
        outputs: Names of the outputs.
        dynamic: For each input, the `torch.export.Dim` of each axis of variable length.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network.eval(),
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=dynamic,
            verbose=False,
            optimize=False,
        )
        assert program is not None
        _optimize(program.model, set(network.state_dict()))
    for value, name in zip(program.model.graph.outputs, outputs, strict=True):
        value.name = name  # the optimizer renames an output that is another one, too
    onnx.save(with_2d_convolutions(program.model_proto), path)


def _optimize(model: ir.Model, weights: set[str]) -> None:
    """Simplify a graph, but keep its weights: their names in the file are those of the network."""

    def should_fold(node: ir.Node) -> bool | None:
        is_of_weights = any(value is not None and value.name in weights for value in node.inputs)
        return False if is_of_weights else None

    optimizer.optimize_ir(model, should_fold=should_fold)


def count_macs(network: nn.Module, *example: Any) -> int:
    """Count the multiply-accumulate operations of one forward pass.

    Args:
        network: The network; it is set to `eval` mode.
        *example: Its inputs.

    Returns:
        The number of operations in convolutions and matrix products.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(*example)
    return int(counter.get_total_flops()) // 2


def write_card(path: Path, model: Path, facts: dict[str, Any]) -> None:
    """Write the model card of an ONNX file.

    Args:
        path: The card to write.
        model: The ONNX file, whose name, size and SHA-256 are added.
        facts: All other entries of the card.
    """
    content = model.read_bytes()
    card = {
        **facts,
        "file": model.name,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
