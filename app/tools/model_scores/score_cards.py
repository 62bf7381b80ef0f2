"""Model cards with measured figures."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from steadymark.engine.bench.hard_face_set import folder_of_kind
from steadymark.engine.bench.landmark_benchmark import (
    COMMON,
    DETECTOR,
    REPORTED,
    TRAIN_HELD_BACK,
    TRUTH,
)
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR
from steadymark.models.training.card_texts import described

if TYPE_CHECKING:
    from pathlib import Path

    from tools.model_scores.measure_models import ModelFigures

Card = dict[str, Any]
COMMAND = "python -m tools.update_scores --data DATA"
GROUPS_NOTE = (
    "A proxy, no accuracy: these pictures of UTKFace have no landmarks. 'found_percent' is the "
    "share of pictures in which detector and model find the face, 'face_score' the model's mean "
    "score of the face, 'mirror_percent' the mean distance between the landmarks of the mirrored "
    "picture and the mirrored landmarks, in % of the outer-eye distance. The groups are those of "
    "UTKFace's file names. Trainings may have seen the pictures, without any label of a person."
)
PAPER_SCORES = {  # What the papers report for their full sizes.
    **{
        f"heatmap1d-{tier}": {"paper_300w_common_nrmse_percent": 2.91}
        for tier in ("fast", "lite", "base")
    },
    "dan-lite": {"paper_300w_common_nrmse_percent": 3.19},
    **{
        f"local_global-{size}": {"paper_aflw2000_3d_nme_percent_of_box": 3.04}
        for size in ("lite", "3d")
    },
}
_NOT_OF_US = "yunet_"  # Beginning of the names of a detector's scores that are of another detector.
_OF_REPORTED = re.compile(
    r".*_common(_percent)?|missed_aflw2000__(all|exact)_of_\d+|aflw2000_3d_exact_.*"
)
_HEADLINES = (COMMON, TRAIN_HELD_BACK)
_NAMES = {TRUTH: "true_boxes", DETECTOR: "our_detector"}
_DIGITS = 12  # Of a SHA-256 that tells which weights a row was measured with.


def read_cards(folder: Path) -> dict[str, Card]:
    """Read the contents of all model cards of a folder, by the model's name."""
    cards = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json")))
    return {card["name"]: card for card in cards}


def described_cards(cards: dict[str, Card]) -> dict[str, Card]:
    """Return model cards that all tell intended use and limits, see `described`."""
    return {name: described(card) for name, card in cards.items()}


def write_cards(folder: Path, cards: dict[str, Card]) -> None:
    """Write model cards as `steadymark-train export` does."""
    for name, card in cards.items():
        text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def with_figures(card: Card, figures: ModelFigures, cards: dict[str, Card]) -> Card:
    """Return a model card with new figures.

    Rows of the sets that are only reported are kept if they were not measured now, as long as the
    weights are the same.

    Args:
        card: The content of the card.
        figures: What was measured.
        cards: The contents of all cards.

    Returns:
        The card, which also tells intended use and limits.
    """
    if card["kind"] == "face_detector":
        measured: Card = {"scores": {**_kept(card), **figures.scores}}
    elif not figures.accuracy:  # a model of the 3D scheme
        papers = PAPER_SCORES.get(card["name"], {})
        measured = {"scores": {**_kept(card), **papers, **figures.scores}}
    else:
        now = [{**row, **_hashes(row["boxes"], card, cards)} for row in figures.accuracy]
        found = {(row["faces_of"], row["boxes"]) for row in now}
        before = [
            row
            for row in current_rows(card, cards)
            if row["faces_of"] in REPORTED and (row["faces_of"], row["boxes"]) not in found
        ]
        rows = sorted((*before, *now), key=lambda row: row["faces_of"] not in REPORTED)
        measured = {
            "scores": {**_headlines(rows), **PAPER_SCORES.get(card["name"], {}), **figures.scores},
            "accuracy": rows,
            "groups": figures.groups,
            "groups_note": GROUPS_NOTE,
        }
    measured["scores_note"] = COMMAND
    rest = {n: v for n, v in card.items() if n not in (*measured, "file", "size_bytes", "sha256")}
    file = {name: card[name] for name in ("file", "size_bytes", "sha256")}
    return described({**rest, **measured, **file})


def current_rows(card: Card, cards: dict[str, Card]) -> list[dict[str, Any]]:
    """Return the rows of a card that were measured with today's weights of model and detector."""
    return [
        row
        for row in card.get("accuracy", [])
        if {n: row.get(n) for n in ("weights", "detector") if n in row}
        == _hashes(row["boxes"], card, cards)
    ]


def _hashes(boxes: str, card: Card, cards: dict[str, Card]) -> dict[str, str]:
    """Return the weights that a row depends on: the beginnings of their SHA-256."""
    hashes = {"weights": card["sha256"][:_DIGITS]}
    if boxes == DETECTOR:
        hashes["detector"] = cards[DEFAULT_DETECTOR]["sha256"][:_DIGITS]
    return hashes


def _headlines(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {
        f"{folder_of_kind(row['faces_of'])}_{_NAMES[row['boxes']]}_{measure}": row[measure]
        for row in rows
        if row["faces_of"] in _HEADLINES
        for measure in ("nrmse_percent", "fr8_percent", "auc8")
    }


def _kept(card: Card) -> dict[str, float]:
    """Return the scores of a detector or of a 3D model that stay until they are measured again.

    These are the scores of YuNet, and those on the sets that are only reported if this command has
    measured them. An export writes another `scores_note`, so that no score stays that is of other
    weights.
    """
    is_ours = card.get("scores_note") == COMMAND
    return {
        name: value
        for name, value in card.get("scores", {}).items()
        if name.startswith(_NOT_OF_US) or (is_ours and _OF_REPORTED.fullmatch(name))
    }
