"""Export a network to an ONNX file and write its model card."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from pathlib import Path

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
        torch.onnx.export(
            network.eval(),
            example,
            str(path),
            dynamo=True,
            opset_version=OPSET,
            external_data=False,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=dynamic,
            verbose=False,
            optimize=True,
        )


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
