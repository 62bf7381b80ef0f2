"""Commands of `steadymark-train` that measure pupil networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from steadymark.models.training.cli_options import Data, check_run


def add_pupil_commands(app: typer.Typer) -> None:
    """Add the command `pupil-scores`."""
    app.command("pupil-scores")(_pupil_scores)


def _pupil_scores(
    data: Data,
    model: Annotated[
        str, typer.Option(help="Name of a pupil network, or its .onnx file.")
    ] = "pupils",
    reference: Annotated[
        Path | None,
        typer.Option(
            help="MediaPipe's iris_landmark.tflite: also tell the errors of the network from those "
            "of the labels."
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Also write the figures into the model's card.")
    ] = False,
) -> None:
    """Measure a pupil network on eyes that no training has seen, beside simple methods."""
    from steadymark.models.runtime.zoo import find_model
    from steadymark.models.training.pupils.pupil_scores import measure_pupils, write_scores

    check_run(data=data)
    card = find_model(model, "pupils")
    measured = measure_pupils(card, data, reference)
    caption = f"{measured.eyes} eyes, errors in % of the eye's width"
    table = Table("method", "mean", "median", "95 %", "within 3 %", caption=caption)
    for row in measured.methods:
        numbers = (f"{value:.2f}" for value in (row.mean, row.median, row.at_95))
        table.add_row(row.method, *numbers, f"{100 * row.within_3:.1f} %")
    closed = Table("told by", "AUC", "closed told", "open kept")
    for each in measured.closed:
        closed.add_row(
            each.method,
            f"{each.auc:.4f}",
            f"{100 * each.closed_told:.1f} %",
            f"{100 * each.open_kept:.1f} %",
        )
    closed.caption = f"{measured.closed_eyes} closed and {measured.open_eyes} open eyes of 300W"
    for shown in (table, closed):
        Console().print(shown)
    if measured.own is not None:
        Console().print(
            f"own errors (root mean square): network {measured.own.network:.2f} %, labels "
            f"{measured.own.labels:.2f} %, reference {measured.own.reference:.2f} %"
        )
    if write:
        write_scores(card, measured)
        Console(stderr=True).print(f"written: {card.path.with_suffix('.json')}", soft_wrap=True)
