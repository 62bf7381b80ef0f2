"""The tables of `steadymark models` and `steadymark spans`, and the JSON file of the latter."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.markup import escape

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import Column, ReportTable, text_columns
from steadymark.engine.core.card_figures import card_figures
from steadymark.engine.output.csv.face_spans import NOBODY, FaceSpan, face_spans
from steadymark.engine.output.read_table import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

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
        "ms a face",
        "300W common",
        "parameters",
        "MACs",
        "size",
        Column("input", "left"),
    )
    table = ReportTable(("name",), columns, title="Models")
    for card in cards:
        of_points = card.kind == "stabilizer"
        figures = card_figures(card)
        table.add_row(
            card.name,
            card.kind,
            "any" if of_points else card.schema or "–",
            "–" if figures is None else f"{figures.crop_ms:.1f}",
            "–" if figures is None else f"{figures.error_percent:.2f} %",
            f"{card.params / 1e6:.2f} M" if card.params else "–",
            f"{card.macs / 1e6:.0f} M" if card.macs else "–",
            f"{card.size_bytes / 2**20:.1f} MiB",
            "landmarks and optical flow" if of_points else card.input_text,
        )
    return table


def report_spans(files: Sequence[Path], json_file: Path | None, *, out: Console) -> None:
    """Print when each face of landmark files was tracked, and write it as JSON.

    Raises:
        LandmarkFileError: A file is not a landmark file.
    """
    check_outputs(OutputFiles(json_file))
    found = {str(file): face_spans(read_table(file)) for file in files}
    for name, spans in found.items():
        out.print(spans_table(name, spans))
    if json_file is not None:
        rows = {name: [asdict(span) for span in spans] for name, spans in found.items()}
        write_json(json_file, rows)


def spans_table(name: str, spans: Sequence[FaceSpan]) -> ReportTable:
    """Return a table with a row for each span of one file."""
    columns = (Column("state", "left"), "frames", "from – to", "seconds", "least score")
    table = ReportTable(("face",), columns, title=name)
    for span in spans:
        table.add_row(
            "–" if span.face_id == NOBODY else f"{span.face_id}",
            "tracked" if span.tracked else "no face" if span.face_id == NOBODY else "lost",
            f"{span.frames}",
            f"{span.first} – {span.last}",
            f"{span.start_s:.3f} – {span.end_s:.3f}",
            f"{span.score:.2f}" if span.tracked else "–",
        )
    return table
