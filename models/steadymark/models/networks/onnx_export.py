"""From a checkpoint to ONNX with a model card, ready for assets/weights."""

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
    """Write one self-contained ONNX file. dynamic: for each input, axis → torch.export.Dim."""
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
    """Multiply-accumulates of convolutions and matrix products for one forward pass."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(*example)
    return int(counter.get_total_flops()) // 2


def write_card(path: Path, model: Path, facts: dict[str, Any]) -> None:
    """Write the card of an ONNX file: the facts given, its size and its SHA-256."""
    content = model.read_bytes()
    card = {
        **facts,
        "file": model.name,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
