"""Commands of `steadymark-train` that measure tables of the papers again."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from steadymark.models.training.cli_options import (
    Data,
    Device,
    Out,
    Preset,
    Seed,
    check_run,
    numbers,
)


def add_paper_tables(app: typer.Typer) -> None:
    """Add the commands `table1` and `decoding`."""
    app.command("table1")(_table1)
    app.command("decoding")(_decoding)


def _table1(
    data: Data,
    out: Out,
    preset: Preset = "lite",
    minutes: Annotated[
        float, typer.Option(help="Training time of each cell of the table, in minutes.")
    ] = 10.0,
    steps: Annotated[
        int, typer.Option(help="Training steps of each cell of the table, instead of minutes.")
    ] = 0,
    ratios: Annotated[
        str, typer.Option(help="Ratios L/F, separated by commas.")
    ] = "0.25,0.5,1,1.5,2,2.5,3",
    device: Device = "auto",
    seed: Seed = 7,
) -> None:
    """Reproduce table 1 of heatmap1d: size, memory and error of 1D and 2D heatmaps by length L."""
    from steadymark.models.training.paper_tables.heatmap1d_table import run_table

    arguments = {"minutes": minutes, "steps": steps, "device": device, "seed": seed}
    check_run(data=data, minutes=minutes, steps=steps, device=device, seed=seed)
    chosen = numbers(ratios, "--ratios")
    if min(chosen) <= 0:
        raise ValueError(f"--ratios {ratios}: L/F must be above 0")
    table = Table("heatmaps", "L/F", "L", "values a face", "peak memory MiB", "steps", "NRMSE %")
    for row in run_table(data, out, preset=preset, ratios=chosen, arguments=arguments):
        known = row.nrmse == row.nrmse
        table.add_row(
            f"{row.axes}D",
            f"{row.ratio:g}",
            str(row.bins),
            str(row.values),
            f"{row.memory_mib:.0f}" if known else "out of memory",
            str(row.steps),
            f"{row.nrmse:.2f}" if known else "-",
        )
    Console().print(table)


def _decoding(
    model: Annotated[str, typer.Argument(help="A model of heatmap1d or local_global.")],
    data: Data,
    seed: Seed = 7,
) -> None:
    """Compare ways to read landmarks off heatmaps: argmax, PDC by threshold, finetune module."""
    from steadymark.models.runtime.zoo import find_model
    from steadymark.models.training.paper_tables.decoding_table import decoding_table

    check_run(data=data, seed=seed)
    table = Table("landmarks from", "NRMSE %", "spread of noisy copies %")
    for row in decoding_table(find_model(model, "landmarks"), data, seed=seed):
        table.add_row(row.method, f"{row.nrmse_percent:.3f}", f"{row.spread_percent:.3f}")
    Console().print(table)
