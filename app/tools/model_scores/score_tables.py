"""The tables of README.md and docs/benchmarks.md that the model cards fill."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from steadymark.app.gui.help.model_cards import markdown_table
from steadymark.engine.bench.hard_face_set import EXACT, HARD, TURNED
from steadymark.engine.bench.landmark_benchmark import (
    COMMON,
    DETECTOR,
    TRAIN_HELD_BACK,
    TRUTH,
    YAWS,
    yaw_group,
)
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR, DEFAULT_MODEL
from tools.model_scores.measure_models import landmark_models

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.model_scores.score_cards import Card

Cards = dict[str, Any]
_NONE = "–"  # A cell without a figure.
_TITLES = {
    COMMON: "300W common",
    TRAIN_HELD_BACK: "300W train, photos held back",
    TURNED: "AFLW2000, held back",
    EXACT: "AFLW2000, 60 faces with exact labels",
    **{yaw_group(TURNED, (a, b)): f"AFLW2000, held back, yaw {a}° to {b}°" for a, b in YAWS},
}
_BOXES = {TRUTH: "true box", DETECTOR: "our detector"}
_SETS = (
    COMMON,
    TRAIN_HELD_BACK,
    EXACT,
    TURNED,
    *(yaw_group(TURNED, bounds) for bounds in YAWS),
    *(kind for kind in HARD if kind != TURNED),
)
_REGIONS = {"contour": "jaw", "brows": "brows", "nose": "nose", "eyes": "eyes", "mouth": "mouth"}
_REGION_SETS = (COMMON, TRAIN_HELD_BACK, *(yaw_group(TURNED, bounds) for bounds in YAWS))


def with_tables(text: str, cards: Cards) -> str:
    """Return the text of a page with the tables that the cards give today.

    A table stands between the lines `<!-- scores: NAME -->` and `<!-- end of scores -->`.

    Args:
        text: The Markdown text.
        cards: The contents of all model cards by name.

    Raises:
        ValueError: A marker names no table.
    """

    def table(found: re.Match[str]) -> str:
        name = found[2]
        if name not in TABLES:
            raise ValueError(f"no table '{name}': choose one of {', '.join(TABLES)}")
        return f"{found[1]}\n{TABLES[name](cards)}\n{found[3]}"

    pattern = r"(<!-- scores: ([a-z]+) -->)\n.*?(<!-- end of scores -->)"
    return re.sub(pattern, table, text, flags=re.DOTALL)


def _row(card: Card, faces_of: str, boxes: str) -> dict[str, Any] | None:
    rows = card.get("accuracy", [])
    return next((r for r in rows if (r["faces_of"], r["boxes"]) == (faces_of, boxes)), None)


def _missed(row: dict[str, Any]) -> str:
    return "no face missed" if not row["missed"] else f"{row['missed']} of {row['faces']} missed"


def _headlines(cards: Cards) -> str:
    """Return the table of README.md: the default model and the detector."""
    card, rows = cards[DEFAULT_MODEL], []
    for faces_of, boxes, what, command in (
        (
            COMMON,
            TRUTH,
            "crops from the true landmarks",
            f"evaluate {DEFAULT_MODEL} --data DATA/300w/common",
        ),
        (COMMON, DETECTOR, "with our face detector", "… --boxes detector"),
        (TRAIN_HELD_BACK, DETECTOR, "with our face detector", ""),
    ):
        row = _row(card, faces_of, boxes)
        if row is None:
            continue
        result = f"NRMSE {row['nrmse_percent']:.2f} %; failures (8 % or more) "
        result += f"{row['fr8_percent']:.1f} %; {_missed(row)}"
        shown = command if command.startswith("…") else f"steadymark {command}"
        if not command:
            shown = "python -m tools.update_scores --data DATA"
        rows.append([f"{_TITLES[faces_of]} ({row['faces']} faces), {what}", result, f"`{shown}`"])
    scores = cards[DEFAULT_DETECTOR]["scores"]
    found = f"{scores['recall_train_held_back_percent']:.1f} % found"
    false = f"{scores['false_boxes_per_100_photos']:.2f} false boxes in 100 images without faces"
    rows.append(
        [
            "face detector, 300W photos held back",
            f"{found}; {false}",
            "`steadymark bench detector --data DATA`",
        ]
    )
    return markdown_table(("what is measured", "result", "command"), rows)


def _models(cards: Cards) -> str:
    """Return the table of the landmark models with their sizes and the papers' figures."""
    rows = []
    for name in landmark_models():
        card = cards[name]
        scores = card["scores"]
        time = scores.get("crop_cpu_ms")
        cells = [f"{card['params'] / 1e6:.2f} M, {card['macs'] / 1e6:.0f} M"]
        cells.append(_NONE if time is None else f"{time:.1f} ms")
        cells += [_percent(_row(card, COMMON, boxes)) for boxes in (TRUTH, DETECTOR)]
        paper = scores.get("paper_300w_common_nrmse_percent")
        of_box = scores.get("paper_aflw2000_3d_nme_percent_of_box")
        told = _NONE if paper is None else f"{paper:.2f} %"
        if of_box is not None:
            told = f"{of_box:.2f} % of the size of the box, on AFLW2000-3D"
        rows.append([name, *cells, told, f"`steadymark evaluate {name} --data DATA/300w/common`"])
    heading = ("model", "parameters, multiply-accumulates", "CPU time of a face", *_BOXES.values())
    return markdown_table((*heading, "the paper", "command"), rows)


def _percent(row: dict[str, Any] | None) -> str:
    return _NONE if row is None else f"{row['nrmse_percent']:.2f} %"


def _sets(cards: Cards) -> str:
    """Return the table of all sets, with a column for each model."""
    names, rows = landmark_models(), []
    for faces_of in _SETS:
        for boxes in (TRUTH, DETECTOR):
            found = [_row(cards[name], faces_of, boxes) for name in names]
            counts = [row["faces"] for row in found if row is not None]
            if counts:
                faces = "/".join(str(count) for count in dict.fromkeys(counts))
                title = _TITLES.get(faces_of, f"hard set: {faces_of}")
                rows.append([title, faces, _BOXES[boxes], *map(_set_cell, found)])
    return markdown_table(("faces", "number", "box", *names), rows)


def _set_cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return _NONE
    missed = f", {row['missed']}" if row["missed"] else ""
    return f"{row['nrmse_percent']:.2f} %, {row['fr8_percent']:.1f} %{missed}"


def _regions(cards: Cards) -> str:
    """Return the table of the errors by facial region, from true boxes."""
    rows = []
    for faces_of in _REGION_SETS:
        for name in landmark_models():
            row = _row(cards[name], faces_of, TRUTH)
            if row is not None:
                regions = row["regions_nrmse_percent"]
                cells = [f"{regions[r]:.2f} %" if r in regions else _NONE for r in _REGIONS]
                rows.append([_TITLES[faces_of], name, *cells])
    return markdown_table(("faces", "model", *_REGIONS.values()), rows)


def _groups(cards: Cards) -> str:
    """Return the table of the proxy by group of people."""
    names = landmark_models()
    by_model = [{row["group"]: row for row in cards[name].get("groups", [])} for name in names]
    rows = []
    for group, first in by_model[0].items():
        cells = [
            f"{row['found_percent']:.1f} %, {row['mirror_percent']:.2f} %"
            if row is not None
            else _NONE
            for row in (rows_of.get(group) for rows_of in by_model)
        ]
        rows.append([group, str(first["faces"]), *cells])
    return markdown_table(("group", "faces", *names), rows)


_DETECTOR_ROWS = {
    "recall_train_held_back_percent": ("300W photos held back, found", "{:.1f} %"),
    "recall_common_percent": ("300W common, found", "{:.1f} %"),
    "recall_crowds_held_back_percent": ("faces of 20 px and more in crowds, found", "{:.1f} %"),
    "false_boxes_per_100_photos": ("false boxes in 100 photos without faces", "{:.2f}"),
    "missed_hard_set_percent": ("hard set, missed", "{:.1f} %"),
    "found_at_any_roll_percent": ("turned to any roll, found", "{:.1f} %"),
    "roll_within_10_deg_percent": ("turned to any roll, found with a roll to 10°", "{:.1f} %"),
    "roll_median_error_deg": ("error of the roll, median", "{:.1f}°"),
}


def _detector(cards: Cards) -> str:
    """Return the table of the face detector."""
    scores = cards[DEFAULT_DETECTOR]["scores"]
    rows = [
        [title, form.format(scores[name])]
        for name, (title, form) in _DETECTOR_ROWS.items()
        if name in scores
    ]
    for name, missed in scores.items():
        kind = re.fullmatch(r"missed_(.+)_of_(\d+)", name)
        if kind:
            title = re.sub("_+", " ", kind[1])
            rows.append([f"hard set: {title}, missed", f"{missed:.0f} of {kind[2]}"])
    return markdown_table(("face_net", "figure"), rows)


TABLES: dict[str, Callable[[Cards], str]] = {
    "headlines": _headlines,
    "models": _models,
    "sets": _sets,
    "regions": _regions,
    "groups": _groups,
    "detector": _detector,
}
