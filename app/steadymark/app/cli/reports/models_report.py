"""The table of `steadymark models`, and the scores of each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from steadymark.app.cli.reports.report_table import Column, ReportTable, text_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from steadymark.models.runtime.zoo import ModelCard


def report_models(cards: Sequence[ModelCard], out: Console) -> None:
    """Print the table of models, then the scores and the licence of each model."""
    out.print(models_table(cards))
    for card in cards:
        out.print(f"[bold]{escape(card.name)}[/bold]", soft_wrap=True)
        for name, value in card.scores.items():
            out.print(f"  {escape(name.replace('_', ' '))}: {value:g}", soft_wrap=True)
        out.print(f"  licence: {escape(card.licence)}\n", soft_wrap=True)


def models_table(cards: Iterable[ModelCard]) -> ReportTable:
    """Return a table with a row for each model."""
    columns: tuple[str | Column, ...] = (
        *text_columns("kind", "schema"),
        "parameters",
        "MACs",
        "size",
        Column("input", "left"),
    )
    table = ReportTable(("name",), columns, title="Models")
    for card in cards:
        of_points = card.kind == "stabilizer"
        table.add_row(
            card.name,
            card.kind,
            "any" if of_points else card.schema or "–",
            f"{card.params / 1e6:.2f} M" if card.params else "–",
            f"{card.macs / 1e6:.0f} M" if card.macs else "–",
            f"{card.size_bytes / 2**20:.1f} MiB",
            "landmarks and optical flow" if of_points else card.input_text,
        )
    return table
