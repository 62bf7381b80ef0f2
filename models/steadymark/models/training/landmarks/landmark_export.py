"""Export of landmark networks as ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from steadymark.models.networks.onnx_export import count_macs, export_onnx

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn


def export_landmarks(
    decoded: nn.Module, crop: int, path: Path, *, more: Sequence[str] = ()
) -> dict[str, Any]:
    """Write the ONNX graph of a landmark network, and return entries for its model card.

    The graph computes points, scores and face scores from uint8 crops.

    Args:
        decoded: The network, whose forward pass returns these outputs.
        crop: Side of the crops, pixels.
        path: The ONNX file to write.
        more: Names of the outputs after these three.

    Returns:
        Entries of the model card.
    """
    export_onnx(
        decoded,
        (torch.zeros(2, 3, crop, crop, dtype=torch.uint8),),
        path,
        inputs=["crops"],
        outputs=["points", "scores", "face", *more],
        dynamic=({0: torch.export.Dim("n")},),
    )
    return {
        "kind": "landmarks",
        "crop": crop,
        "input": {"type": "uint8", "layout": "NCHW BGR", "size": f"{crop}x{crop}"},
        "params": sum(p.numel() for p in decoded.parameters()),
        "macs": count_macs(decoded, torch.zeros(1, 3, crop, crop, dtype=torch.uint8)),
    }
