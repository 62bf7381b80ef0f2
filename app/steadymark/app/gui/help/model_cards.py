"""The page of the manual and of the site that shows the model cards.

It is made from the cards when it is shown, so that it never differs from them. The module needs
only the standard library, because the site is built without the packages of the program.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MARKER = "<!-- model cards -->"  # Where the page docs/models.md has the cards.
_FACTS = {
    "kind": "kind",
    "paper": "paper",
    "schema": "landmarks",
    "over": "stabilizer over",
    "input": "input",
    "params": "parameters",
    "macs": "multiply-accumulates",
    "version": "version",
    "size_bytes": "size of the file",
    "sha256": "SHA-256",
}
_ACCURACY = ("faces", "boxes", "number", "missed", "NRMSE, %", "failures, %")


def with_model_cards(markdown: str, folder: Path) -> str:
    """Return a page with the cards of a folder in place of its marker, one section for each.

    Args:
        markdown: The Markdown text of a page; one without the marker is returned as it is.
        folder: The folder of the weights, which holds a card NAME.json for each model.

    Raises:
        OSError: A card cannot be read.
        ValueError: A card is not JSON.
    """
    if _MARKER not in markdown:
        return markdown
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return markdown.replace(_MARKER, "\n\n".join(map(_section, cards)))


def _section(card: dict[str, Any]) -> str:
    parts = [f"## {card['name']}", str(card.get("intended_use", ""))]
    facts = [(title, _fact(name, card[name])) for name, title in _FACTS.items() if card.get(name)]
    parts.append(markdown_table(("fact", "value"), facts))
    for name, title in (("limits", "Limits"), ("data", "Trained with")):
        if card.get(name):
            parts += [f"**{title}**", "\n".join(f"- {line}" for line in card[name])]
    parts += ["**Licence**", str(card["licence"]), *_figures(card)]
    return "\n\n".join(part for part in parts if part)


def _figures(card: dict[str, Any]) -> list[str]:
    """Return the accuracy of a landmark model, or else all figures of the card."""
    if card.get("accuracy"):
        rows = map(_accuracy_row, card["accuracy"])
        parts = ["**Accuracy**", markdown_table(_ACCURACY, rows)]
    elif card.get("scores"):
        named = card["scores"].items()
        figures = ((re.sub("_+", " ", name), _number(value)) for name, value in named)
        parts = ["**Figures**", markdown_table(("figure", "value"), figures)]
    else:
        return []
    note = card.get("scores_note")
    return [*parts, f"Measured by `{note}`."] if note else parts


def _fact(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(map(str, value.values()))
    if name == "size_bytes":
        return f"{value / 1e6:.1f} MB"
    if name in ("params", "macs"):
        return f"{value:,}"
    return f"`{value}`" if name == "sha256" else str(value).replace("_", " ")


def _accuracy_row(row: dict[str, Any]) -> tuple[str, ...]:
    boxes = "true" if row["boxes"] == "truth" else "our detector"
    values = (row["faces"], row["missed"], row["nrmse_percent"], row["fr8_percent"])
    return (row["faces_of"], boxes, *map(_number, values))


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def markdown_table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown with a heading above its columns."""
    heading = list(heading)
    lines = [heading, ["---"] * len(heading), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
