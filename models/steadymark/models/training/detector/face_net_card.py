"""Export a trained face_net with its model card and training curve.

`python -m steadymark.models.training.detector.face_net_card --run … --out assets/weights
--threshold …` reads the folder of a training run, and writes the ONNX file, its model card and the
curve.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from steadymark.models.networks.face_net import FaceNet, FaceNetConfig, export_face_net
from steadymark.models.networks.onnx_export import count_macs, write_card
from steadymark.models.training.loop.checkpoint import load_checkpoint

LICENCE = (
    "research only: trained on 300W (annotations for research purposes, no commercial products);"
    " faces/crowds is MIT; AFLW2000-3D and faces/unlabelled are for research; unlabelled faces were"
    " labelled by YuNet (Apache-2.0)"
)
DATA = [
    "300W training split, whole photos (faces/train)",
    "faces/crowds, boxes moved to the extent of the landmarks",
    "faces/none",
    "aflw2000: half of the faces whose alignment is not exact",
    "faces/unlabelled, where the teacher surely sees one face",
    "300w/train with heads turned by up to 60 degrees (ICT-FaceKit, MIT)",
    "held back by a hash of the name: 6 %, 15 %, 20 %, 50 %, and the photos of AFW's hardest tenth;"
    " faces/common was not used",
]


def load_run(run: Path) -> tuple[FaceNet, dict[str, Any]]:
    """Load the averaged network of a run in eval mode, and the content of its checkpoint."""
    state = load_checkpoint(run / "face_net.pt")
    network = FaceNet(FaceNetConfig(**state["config"]["network"]))
    network.load_state_dict(state["mean"])
    return network.eval(), state


def scores_of(figures: dict[str, Any]) -> dict[str, float]:
    """Return the card's scores from the figures of `steadymark bench detector --json`.

    Raises:
        KeyError: The figures lack an entry.
    """

    def found(part: dict[str, Any]) -> float:
        percent: float = 100 * part["hits"] / max(1, part["faces"])
        return round(percent, 2)

    rolls = figures["rolls"]
    told = {
        "false_boxes_per_100_photos": round(figures["false_per_100"], 2),
        "recall_crowds_held_back_percent": found(figures["crowds"]),
        "recall_train_held_back_percent": found(figures["train"]),
        "iou_train_held_back": round(figures["train"]["iou"], 3),
        "missed_hard_set_percent": round(figures["hard_set"]["percent"], 2),
        "found_at_any_roll_percent": round(100 * rolls["found"] / max(1, rolls["faces"]), 2),
        "roll_within_10_deg_percent": round(100 * rolls["within_10"] / max(1, rolls["faces"]), 2),
        "roll_median_error_deg": round(rolls["median_deg"], 1),
    }
    for kind, part in figures["hard"].items():
        key = "".join(letter if letter.isalnum() else "_" for letter in kind.lower())
        told[f"missed_{key}_of_{part['faces']}"] = len(part["missed"])
    return told


def ship(
    run: Path,
    out: Path,
    *,
    scores: dict[str, float],
    threshold: float,
    note: str = "",
    commit: str = "",
) -> Path:
    """Export the run's network to out/face_net.onnx, and its card to out/face_net.json.

    Args:
        run: Folder of the training run.
        out: Folder to write to.
        scores: Scores for the card.
        threshold: Score threshold of the detector.
        note: How the scores were measured.
        commit: Commit of the training code, if the run was not made in a checkout.

    Returns:
        Path of the card.
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
    """Run the command line program."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--run", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--threshold", type=float, required=True)
    options.add_argument("--figures", type=Path, help="JSON of `steadymark bench detector`")
    options.add_argument("--note", default="", help="how they were measured")
    options.add_argument("--commit", default="", help="of the training code, else the run's")
    given = options.parse_args(argv)
    scores: dict[str, float] = {}
    if given.figures:
        measured = json.loads(given.figures.read_text(encoding="utf-8"))
        scores = scores_of(next(iter(measured.values())))
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
