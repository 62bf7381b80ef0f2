"""Entries of face_net's model card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from steadymark.models.datasets.hard_faces import HALF_OF_AFLW2000
from steadymark.models.networks.onnx_export import count_macs

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.networks.face_net import FaceNet

LICENCE = (
    "research only: trained on 300W (annotations for research purposes, no commercial products);"
    " faces/crowds is MIT; AFLW2000-3D and faces/unlabelled are for research; unlabelled faces were"
    " labelled by YuNet (Apache-2.0)"
)
_DATA = {
    "faces/train": "300W training split, whole photos (faces/train)",
    "faces/crowds": "faces/crowds, boxes moved to the extent of the landmarks",
    "faces/none": "faces/none",
    "aflw2000": f"aflw2000: {HALF_OF_AFLW2000}",
    "faces/unlabelled": "faces/unlabelled, where the teacher surely sees one face",
    "300w/train": "300w/train with heads turned by up to 60 degrees (ICT-FaceKit, MIT)",
}
_HELD_BACK = (
    "held back by a hash of the name: 6 %, 15 %, 20 %, 50 %, and the photos of AFW's hardest tenth;"
    " faces/common was not used"
)


def detector_sources(data: Path) -> dict[str, Any]:
    """Return the licence and the training data that a data folder holds."""
    descriptions = [text for folder, text in _DATA.items() if (data / folder).is_dir()]
    return {"data": [*descriptions, _HELD_BACK], "licence": LICENCE}


def network_facts(network: FaceNet) -> dict[str, Any]:
    """Return kind, input and size of the network."""
    return {
        "kind": "face_detector",
        "schema": None,
        "input": {
            "type": "uint8",
            "layout": "NCHW BGR",
            "size": "any multiple of 32, MACs at 640x480",
        },
        "params": sum(p.numel() for p in network.parameters()),
        "macs": count_macs(network, torch.zeros(1, 3, 480, 640)),
    }


def scores_of(measured: dict[str, Any]) -> dict[str, float]:
    """Return the card's scores from the first detector of `steadymark bench detector --json`.

    Raises:
        KeyError: The figures lack an entry.
    """

    def found(counts: dict[str, Any]) -> float:
        percent: float = 100 * counts["hits"] / max(1, counts["faces"])
        return round(percent, 2)

    figures: dict[str, Any] = next(iter(measured.values()))
    rolls = figures["rolls"]
    scores = {
        "false_boxes_per_100_photos": round(figures["false_per_100"], 2),
        "recall_crowds_held_back_percent": found(figures["crowds"]),
        "recall_train_held_back_percent": found(figures["train"]),
        "iou_train_held_back": round(figures["train"]["iou"], 3),
        "missed_hard_set_percent": round(figures["hard_set"]["percent"], 2),
        "found_at_any_roll_percent": round(100 * rolls["found"] / max(1, rolls["faces"]), 2),
        "roll_within_10_deg_percent": round(100 * rolls["within_10"] / max(1, rolls["faces"]), 2),
    }
    if rolls["median_deg"] is not None:  # there is none if no face was found
        scores["roll_median_error_deg"] = round(rolls["median_deg"], 1)
    for kind, part in figures["hard"].items():
        key = "".join(letter if letter.isalnum() else "_" for letter in kind.lower())
        scores[f"missed_{key}_of_{part['faces']}"] = len(part["missed"])
    return {name: float(value) for name, value in scores.items()}
