"""The tables, the plot and the JSON file of `steadymark bench scores`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.progress import Progress

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_file, write_json
from steadymark.app.cli.plots.reliability_plot import reliability_plot
from steadymark.app.cli.reports.report_table import ReportTable, fixed
from steadymark.engine.bench.score_benchmark import figures_of, measuring_faces, score
from steadymark.engine.tracking.settings import open_models

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.bench.score_benchmark import ScoreFigures
    from steadymark.engine.tracking.settings import TrackSettings

_TITLE = "scores of landmarks"
_CAPTION = (
    "In place: within 5 % of the distance of the outer eye corners. The calibration error is the "
    "mean difference of score and share in place. AUC of visible against hidden: 50 % is chance."
)


def report_scores(
    data: Path,
    settings: Mapping[str, TrackSettings],
    outputs: OutputFiles,
    *,
    reported: bool,
    out: Console,
    err: Console,
) -> int:
    """Measure the scores of models, print the tables, and write the files.

    Args:
        data: The folder that contains the data sets.
        settings: The name in the tables and the settings of each model.
        outputs: The JSON file and the plot.
        reported: Whether to measure also on the data that are never used for a choice.
        out: The console of the tables.
        err: The console of the progress display.

    Returns:
        The exit code.
    """
    check_outputs(outputs)
    models = {name: open_models(each) for name, each in settings.items()}
    figures: dict[str, ScoreFigures] = {}
    with Progress(console=err, transient=True) as progress:
        for name, opened in models.items():
            task = progress.add_task(name, total=None)
            scored = score(
                opened.network,
                measuring_faces(data, reported=reported),
                follower=opened.follower,
                on_face=lambda done, t=task: progress.update(t, completed=done),  # type: ignore[misc]
            )
            figures[name] = figures_of(scored)
    for name, each in figures.items():
        out.print(reliability_table(name, each))
    out.print(scores_table(figures))
    if outputs.json is not None:
        write_json(outputs.json, {name: asdict(each) for name, each in figures.items()})
    if outputs.plot is not None:
        write_file(outputs.plot, reliability_plot(figures, title=_TITLE))
    return 0


def reliability_table(name: str, figures: ScoreFigures) -> ReportTable:
    """Return the table of score intervals of one model."""
    columns = ("landmarks", "mean score", "in place")
    table = ReportTable(("score",), columns, title=f"{name}: what a score means")
    for part in figures.bins:
        shown = (fixed(part.mean_score, 3), _percent(part.in_place)) if part.count else ("–", "–")
        table.add_row(f"{part.low:.1f} to {part.high:.1f}", f"{part.count}", *shown)
    return table


def scores_table(figures: Mapping[str, ScoreFigures]) -> ReportTable:
    """Return a table with a column for each model."""
    columns = {name: _rows(each) for name, each in figures.items()}
    table = ReportTable(("what",), columns, title=_TITLE, caption=_CAPTION)
    for row in next(iter(columns.values())):
        table.add_row(row, *(column[row] for column in columns.values()))
    return table


def _rows(figures: ScoreFigures) -> dict[str, str]:
    """Return the cells of one model, by the heading of the row."""
    return {
        "images": f"{figures.faces}",
        "calibration error": _percent(figures.error),
        "calibration error of the network's own scores": _percent(figures.network_error),
        **{f"calibration error, {k}": _percent(v) for k, v in figures.error_of.items()},
        **{f"calibration error, {k}": _percent(v) for k, v in figures.error_of_region.items()},
        "visible against hidden, AUC": _percent(figures.separation),
        "visible against hidden, AUC of the network's own scores": _percent(
            figures.network_separation
        ),
        "visible against hidden, AUC within a landmark": _percent(figures.same_landmark),
        **{
            f"visible against hidden, AUC, {kind}": _percent(value)
            for kind, value in figures.separation_of.items()
        },
        "in place against not in place, AUC": _percent(figures.in_place_auc),
        "visible landmarks drawn hollow": _percent(figures.hollow_visible),
        "hidden landmarks drawn hollow": _percent(figures.hollow_hidden),
    }


def _percent(share: float) -> str:
    return f"{fixed(100 * share, 1)} %"
