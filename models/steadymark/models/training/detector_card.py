"""Ship face_net: `python -m steadymark.models.training.detector_card --run … --out assets/weights`.

Takes a training run's folder and writes the ONNX file, its model card and the curve.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from steadymark.models.face_net import FaceNet, FaceNetConfig, export_face_net

LICENCE = (
    "research only: trained on 300W (annotations for research purposes, no commercial products);"
    " faces/crowds is MIT; unlabelled faces were labelled by YuNet (Apache-2.0)"
)
DATA = [
    "300W training split, whole photos (faces/train)",
    "faces/crowds, boxes moved to the extent of the landmarks",
    "faces/none",
    "photos held back by name: 5 %, 15 %, 20 %; faces/common was not used",
]


def count_macs(network: FaceNet, height: int, width: int) -> int:
    """Multiplications of all convolutions for one picture."""
    total = 0

    def add(module: nn.Module, _: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += out[0].numel() * module.weight[0].numel()

    stem = network.stem.conv  # its weights are used, but it is not called
    total += stem.out_channels * 27 * (height // 2) * (width // 2)
    hooks = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        network(torch.zeros(1, 3, height, width))
    for hook in hooks:
        hook.remove()
    return total


def load_run(run: Path) -> tuple[FaceNet, dict[str, Any]]:
    """The averaged network of a run's checkpoint, in eval mode, and what the checkpoint says."""
    state: dict[str, Any] = torch.load(run / "face_net.pt", weights_only=True)
    network = FaceNet(FaceNetConfig(**state["config"]["network"]))
    network.load_state_dict(state["mean"])
    return network.eval(), state


def write_card(
    run: Path,
    out: Path,
    *,
    scores: dict[str, float],
    threshold: float,
    note: str = "",
    commit: str = "",
) -> Path:
    """Export the run's network to out/face_net.onnx and describe it in out/face_net.json.

    note: how the scores were measured. commit: of the training code, where the run was not made in
    a checkout.
    """
    network, state = load_run(run)
    commit = commit or state["commit"]
    path = out / "face_net.onnx"
    export_face_net(network, path)
    shutil.copyfile(run / "face_net_curve.csv", out / "face_net_curve.csv")
    packed = path.read_bytes()
    recipe = {key: state[key] for key in ("minutes", "step", "samples")}
    recipe["commit"] = commit
    recipe["phases_before"] = state.get("phases", [])
    config = state["config"]
    card = {
        "name": "face_net",
        "kind": "face_detector",
        "file": path.name,
        "sha256": hashlib.sha256(packed).hexdigest(),
        "version": "1",
        "schema": None,
        "input": {
            "type": "uint8",
            "layout": "NHWC BGR",
            "size": "any multiple of 32, MACs at 640x480",
        },
        "params": sum(p.numel() for p in network.parameters()),
        "macs": count_macs(network, 480, 640),
        "size_bytes": len(packed),
        "licence": LICENCE,
        "data": DATA,
        "recipe": {"config": config, "seed": config["seed"], **recipe},
        "scores": {name: float(value) for name, value in scores.items()},
        "scores_note": note,
        "threshold": threshold,
        "curve": "face_net_curve.csv",
    }
    described = path.with_suffix(".json")
    described.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return described


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--run", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--threshold", type=float, required=True)
    options.add_argument("--scores", type=Path, help="JSON of measured figures, {name: number}")
    options.add_argument("--note", default="", help="how they were measured")
    options.add_argument("--commit", default="", help="of the training code, else the run's")
    given = options.parse_args(argv)
    scores = json.loads(given.scores.read_text(encoding="utf-8")) if given.scores else {}
    write_card(
        given.run,
        given.out,
        scores=scores,
        threshold=given.threshold,
        note=given.note,
        commit=given.commit,
    )


if __name__ == "__main__":
    main()
