"""Checkpoints of training runs → ONNX files with model cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from steadymark.models.backbones.pyramid import PyramidConfig
from steadymark.models.export import count_macs, export_onnx, write_card
from steadymark.models.heatmap1d import Heatmap1d, Heatmap1dConfig, Heatmap1dDecoded
from steadymark.models.training.loop import load

if TYPE_CHECKING:
    from pathlib import Path

LICENCE = (
    "weights trained on 300W annotations: for research purposes only, no commercial products; "
    "negatives from faces/none"
)


def landmark_config(recipe: dict[str, Any]) -> Heatmap1dConfig:
    """The network's config out of a checkpoint's recipe."""
    network: dict[str, Any] = dict(recipe["network"])
    backbone: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in network["backbone"].items()
    }
    return Heatmap1dConfig(**{**network, "backbone": PyramidConfig(**backbone)})


def export_landmarks(
    run: Path, out: Path, name: str, *, scores: dict[str, float] | None = None
) -> Path:
    """Export the averaged weights of `run`/last.pt with PDC decoding; returns the ONNX file."""
    kept = load(run / "last.pt")
    config = landmark_config(kept["recipe"])
    network = Heatmap1d(config)
    network.load_state_dict(kept["averaged"])
    decoded = Heatmap1dDecoded(network).eval()
    out.mkdir(parents=True, exist_ok=True)
    model = out / f"{name}.onnx"
    crops = torch.zeros(2, 3, config.crop, config.crop, dtype=torch.uint8)
    export_onnx(
        decoded,
        (crops,),
        model,
        inputs=["crops"],
        outputs=["points", "scores", "face"],
        dynamic=({0: torch.export.Dim("n")},),
    )
    curve = run / "curve.csv"
    if curve.exists():
        (out / f"{name}.curve.csv").write_text(curve.read_text())
    write_card(out / f"{name}.json", model, _facts(name, kept, network, scores or {}))
    return model


def _facts(
    name: str, kept: dict[str, Any], network: Heatmap1d, scores: dict[str, float]
) -> dict[str, Any]:
    """What the model card says of a landmark network."""
    size, recipe = network.config.crop, kept["recipe"]
    return {
        "name": name,
        "kind": "landmarks",
        "version": "1",
        "schema": kept["schema"],
        "crop": size,
        "margin": recipe["augment"]["margin"],
        "input": {"type": "uint8", "layout": "NCHW BGR", "size": f"{size}x{size}"},
        "params": sum(p.numel() for p in network.parameters()),
        "macs": count_macs(network, torch.zeros(1, 3, size, size)),
        "licence": LICENCE,
        "paper": "heatmap1d: Attentive One-Dimensional Heatmap Regression (MM 2020)",
        "decoding": "PDC, soft threshold 0.2, inside the graph",
        "data": ["300w/train without the validation split (a hash of the photo)", "faces/none"],
        "recipe": {
            **recipe,
            "steps": kept["step"],
            "samples": kept["step"] * recipe["batch"],
            "trained_minutes": round(kept["elapsed_s"] / 60, 1),
            "commit": kept["commit"],
            "commits_by_step": kept["history"],
        },
        "curve": f"{name}.curve.csv",
        "scores": scores,
    }
