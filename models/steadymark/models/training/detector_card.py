"""Ship face_net: `python -m steadymark.models.training.detector_card --run … --out assets/weights`.

Takes a training run's folder and writes the ONNX file, its model card and the curve.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from steadymark.models.export import count_macs, write_card
from steadymark.models.face_net import FaceNet, FaceNetConfig, export_face_net
from steadymark.models.training.loop import load

LICENCE = (
    "research only: trained on 300W (annotations for research purposes, no commercial products);"
    " faces/crowds is MIT; unlabelled faces were labelled by YuNet (Apache-2.0)"
)
DATA = [
    "300W training split, whole photos (faces/train)",
    "faces/crowds, boxes moved to the extent of the landmarks",
    "faces/none",
    "photos held back by a hash of the name: 6 %, 15 %, 20 %; faces/common was not used",
]


def load_run(run: Path) -> tuple[FaceNet, dict[str, Any]]:
    """The averaged network of a run's checkpoint, in eval mode, and what the checkpoint says."""
    state = load(run / "face_net.pt")
    network = FaceNet(FaceNetConfig(**state["config"]["network"]))
    network.load_state_dict(state["mean"])
    return network.eval(), state


def ship(
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
    recipe = {key: state[key] for key in ("minutes", "step", "samples")}
    recipe["commit"] = commit
    recipe["commits_by_step"] = state["history"]
    config = state["config"]
    facts = {
        "name": "face_net",
        "kind": "face_detector",
        "version": "1",
        "schema": None,
        "input": {
            "type": "uint8",
            "layout": "NCHW BGR",
            "size": "any multiple of 32, MACs at 640x480",
        },
        "params": sum(p.numel() for p in network.parameters()),
        "macs": count_macs(network, torch.zeros(1, 3, 480, 640)),
        "licence": LICENCE,
        "data": DATA,
        "recipe": {"config": config, "seed": config["seed"], **recipe},
        "scores": {name: float(value) for name, value in scores.items()},
        "scores_note": note,
        "threshold": threshold,
        "curve": "face_net_curve.csv",
    }
    described = path.with_suffix(".json")
    write_card(described, path, facts)
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
    ship(
        given.run,
        given.out,
        scores=scores,
        threshold=given.threshold,
        note=given.note,
        commit=given.commit,
    )


if __name__ == "__main__":
    main()
