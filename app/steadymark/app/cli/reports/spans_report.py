"""The table and the JSON file of `steadymark spans`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import Column, ReportTable
from steadymark.engine.output.csv.face_spans import NOBODY, FaceSpan, face_spans
from steadymark.engine.output.read_table import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console


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
