"""The table and the JSON file of `steadymark bench identity`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import Progress

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import ReportTable, fixed
from steadymark.engine.bench.scenes.face_crossings import CROSSINGS
from steadymark.engine.bench.scenes.identity_benchmark import FACES, IdentityRow, run_identity
from steadymark.engine.metrics.identity_scores import IdentityScores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.tracking.settings import TrackSettings

_HEADINGS = ("count", "MOTA", "IDF1", "switches", "in ten", "missed", "false")


def report_identity(
    data: Path,
    settings: TrackSettings,
    json_file: Path | None,
    *,
    videos: int,
    seed: int,
    out: Console,
    err: Console,
) -> None:
    """Track synthetic crossings of faces, print the identity scores and write them as JSON."""
    check_outputs(OutputFiles(json_file))
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("crossings", total=None)
        rows = list(
            run_identity(
                data,
                settings,
                videos=videos,
                seed=seed,
                report=lambda done, every: progress.update(task, completed=done, total=every),
            )
        )
    crossings = [row for row in rows if row.kind in CROSSINGS]
    rows += [_sum("all crossings", crossings), _sum("all", rows)]
    out.print(identity_table(rows, settings.model))
    if json_file is not None:
        content = {"model": settings.model, "rows": [_figures(row) for row in rows]}
        write_json(json_file, content)


def identity_table(rows: Sequence[IdentityRow], model: str) -> ReportTable:
    """Return a table with a row for each kind of video."""
    caption = f"two faces a video, up to {FACES} followed; MOTA and IDF1 at IoU 0.5, in %"
    table = ReportTable(("videos",), _HEADINGS, title=model, caption=caption)
    for row in rows:
        figures = _figures(row)
        table.add_row(
            row.kind,
            f"{row.videos}",
            fixed(100 * row.scores.mota, 1),
            f"{figures['idf1']:.1f}",
            f"{row.scores.switches}",
            f"{figures['switches_in_ten']:.2f}",
            f"{figures['missed']:.2f} %",
            f"{figures['false']:.2f} %",
        )
    return table


def _sum(kind: str, rows: list[IdentityRow]) -> IdentityRow:
    scores = sum((row.scores for row in rows), IdentityScores())
    return IdentityRow(kind, sum(row.videos for row in rows), scores)


def _figures(row: IdentityRow) -> dict[str, object]:
    scores = row.scores
    share = 100 / max(1, scores.truths)
    return {
        "kind": row.kind,
        "videos": row.videos,
        "mota": 100 * scores.mota,
        "idf1": 100 * scores.idf1,
        "switches": scores.switches,
        "switches_in_ten": 10 * scores.switches / row.videos,
        "missed": share * scores.misses,
        "false": share * scores.false,
    }
