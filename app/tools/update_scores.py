"""`python -m tools.update_scores` measures the shipped models and writes cards and tables."""

from __future__ import annotations

import time
from pathlib import Path  # noqa: TC003 typer reads the annotations
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from steadymark.engine.core.errors import SteadymarkError
from steadymark.models.face.schema import assets_root
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR, weights_folder
from tools.model_scores.measure_models import landmark_models, measure_models, models_3d
from tools.model_scores.score_cards import described_cards, read_cards, with_figures, write_cards
from tools.model_scores.score_tables import with_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGES = ("README.md", "docs/benchmarks.md")


def update_pages(root: Path, weights: Path) -> list[Path]:
    """Write the tables of the pages from the model cards.

    Args:
        root: Folder of the repository.
        weights: Folder of the model cards.

    Returns:
        The pages that have changed.
    """
    cards, changed = read_cards(weights), []
    for page in (root / name for name in PAGES):
        text = page.read_text(encoding="utf-8")
        updated = with_tables(text, cards)
        if updated != text:
            page.write_text(updated, encoding="utf-8")
            changed.append(page)
    return changed


def main(
    data: Annotated[
        Path | None,
        typer.Option(help="The data folder. Without it, only the tables are written again."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model to measure; by default all. May be repeated."),
    ] = None,
    reported: Annotated[
        bool,
        typer.Option(
            "--reported",
            help="Measure also on 300W common and on the exact faces of AFLW2000, by which nothing "
            "is ever chosen. Otherwise their figures stay as they are.",
        ),
    ] = False,
) -> None:
    """Measure the shipped models, and write the figures into cards, README.md and the benchmarks.

    It may be run again at any time: what was measured is replaced, all else stays.
    """
    names = _chosen(model or (), data)
    began_s, folder = time.monotonic(), weights_folder()
    cards = described_cards(read_cards(folder))
    if data is not None:
        before = {name: card["sha256"] for name, card in cards.items()}
        try:
            figures = measure_models(names, data, cards, reported=reported, tell=_tell)
        except SteadymarkError as error:
            _refuse(str(error))
        cards = described_cards(read_cards(folder))  # a card may have been written meanwhile
        if before != {name: card["sha256"] for name, card in cards.items()}:
            _refuse(f"the models in {folder} were replaced meanwhile: run the command again")
        cards |= {name: with_figures(cards[name], each, cards) for name, each in figures.items()}
    write_cards(folder, cards)
    changed = update_pages(assets_root().parent, folder)
    for path in changed:
        typer.echo(f"written: {path}")
    typer.echo(f"done in {time.monotonic() - began_s:.0f} s: cards in {folder}")


def _chosen(model: Sequence[str], data: Path | None) -> tuple[str, ...]:
    """Return the names of the models to measure, and check the options."""
    known = (*landmark_models(), *models_3d(), DEFAULT_DETECTOR)
    unknown = [name for name in model if name not in known]
    if unknown:
        _refuse(f"unknown model '{unknown[0]}': choose one of {', '.join(known)}")
    if data is not None and not data.is_dir():
        _refuse(f"--data {data} is no folder: name the data folder of docs/training.md")
    return tuple(model or known)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _refuse(text: str) -> NoReturn:
    typer.echo(f"error: {text}", err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    typer.run(main)
