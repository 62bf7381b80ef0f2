"""Checkpoints of training runs → ONNX files with model cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from steadymark.models.export import count_macs, export_onnx, write_card
from steadymark.models.training.loop import load

if TYPE_CHECKING:
    from pathlib import Path

LICENCE = (
    "weights trained on 300W annotations: for research purposes only, no commercial products; "
    "negatives from faces/none"
)
DATA = ["300w/train without the validation split (a hash of the photo)", "faces/none"]


def export_landmarks(decoded: nn.Module, crop: int, path: Path) -> dict[str, Any]:
    """Write a graph from uint8 crops to points, scores and face; gives facts for its card."""
    export_onnx(
        decoded,
        (torch.zeros(2, 3, crop, crop, dtype=torch.uint8),),
        path,
        inputs=["crops"],
        outputs=["points", "scores", "face"],
        dynamic=({0: torch.export.Dim("n")},),
    )
    return {
        "kind": "landmarks",
        "crop": crop,
        "input": {"type": "uint8", "layout": "NCHW BGR", "size": f"{crop}x{crop}"},
        "params": sum(p.numel() for p in decoded.parameters()),
        "macs": count_macs(decoded, torch.zeros(1, 3, crop, crop, dtype=torch.uint8)),
    }


def export_run(
    run: Path,
    out: Path,
    name: str,
    *,
    scores: dict[str, float] | None = None,
    best: bool = False,
    over: str = "",
) -> Path:
    """Export a run's averaged weights, the last or the best on the validation split.

    over: name of the zoo's model whose heatmaps it stabilizes.

    Raises:
        OSError: there is no checkpoint in `run`.
        ValueError: it is of no system known here.
    """
    from steadymark.models.training.systems import system_of

    kept = load(run / "last.pt")
    system = system_of(kept["recipe"])
    network = system.build()
    weights = load(run / "best.pt")["averaged"] if best else kept["averaged"]
    network.load_state_dict(weights)
    out.mkdir(parents=True, exist_ok=True)
    model = out / f"{name}.onnx"
    facts = system.export(network.eval(), run, model)
    curve = run / "curve.csv"
    if curve.exists():
        (out / f"{name}.curve.csv").write_text(curve.read_text())
    recipe = {
        **kept["recipe"],
        "seed": kept["seed"],
        "steps": kept["step"],
        "samples": kept["step"] * system.batch * kept["ranks"],
        "trained_minutes": round(kept["elapsed_s"] / 60, 1),
        "weights": "best on the validation split" if best else "last",
        "commit": kept["commit"],
        "commits_by_step": kept["history"],
        **({"began_with": kept["origin"]} if kept.get("origin") else {}),
    }
    card = {
        "name": name,
        "version": "1",
        "schema": "ibug68",
        "licence": LICENCE,
        "data": DATA,
        **facts,
        **({"over": over} if over else {}),
        "recipe": recipe,
        "curve": f"{name}.curve.csv",
        "scores": scores or {},
    }
    write_card(out / f"{name}.json", model, card)
    return model
