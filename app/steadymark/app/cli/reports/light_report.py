"""The tables and the JSON file of `steadymark bench light`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.clips_report import chosen_stabilizers, measure_clips, split_names
from steadymark.app.cli.reports.report_table import Column, ReportTable, fixed
from steadymark.engine.bench.clips.clip_tracks import open_choices
from steadymark.engine.bench.clips.light_benchmark import (
    CHANGING,
    LightRow,
    check_kinds,
    run_light,
    worst_lights_first,
)
from steadymark.engine.sources import expand_inputs
from steadymark.engine.stabilizers.stabilizer_registry import STABILIZER_REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.tracking.settings import TrackSettings

_NO_KINDS = "--kinds is empty: name lights with commas, such as flash,mains-25"
_MIN_EXPONENTIAL = 1000.0  # larger numbers are printed in exponential notation
PRINTED_ROWS = 25  # number of rows printed, worst first; the JSON file holds all rows
_CAPTION = (
    "furthest landmark from the raw one in changing light, in steady light, and in changing light "
    "less what the raw one strays by itself, % of the outer-eye distance; mean motion besides the "
    "face's rigid one, stabilized and raw, % a frame; share by which MAV falls on still stretches, "
    "and in steady light; resets of memory and scene cuts that steady light has not; frames "
    "with a face, %; limits that are broken"
)
_HEADINGS = (
    "far",
    "steady",
    "beyond",
    "motion",
    "raw",
    "gain",
    "steadily",
    "resets",
    "cuts",
    "with face",
)


def report_light(
    inputs: Sequence[str],
    settings: TrackSettings,
    json_file: Path | None,
    *,
    choices: str | None,
    kinds: str | None,
    most_frames: int | None,
    seed: int,
    out: Console,
    err: Console,
) -> int:
    """Measure every stabilizer on each clip in each light, and print and write the results.

    Returns:
        The exit code: 0 if all clips succeeded, 1 if some failed, 2 if there is no result.

    Raises:
        SinkError: The JSON file cannot be written.
        UsageError: An option is not valid.
        SourceError: The inputs cannot be found.
        WeightsError: A model cannot be opened.
    """
    check_outputs(OutputFiles(json_file))
    lights = CHANGING if kinds is None else split_names(kinds, _NO_KINDS)
    check_kinds(lights)
    cells = tuple(entry.name for entry in STABILIZER_REGISTRY.all() if entry.cell)
    opened = open_choices(settings, chosen_stabilizers(settings, choices, cells))
    rows: list[LightRow] = []

    def measure(clip: str, report: Callable[[int], None]) -> None:
        rows.extend(
            run_light(clip, opened, lights, most_frames=most_frames, seed=seed, report=report)
        )

    failed = measure_clips(expand_inputs(inputs), measure, err)
    rows = worst_lights_first(rows)
    if rows:
        out.print(worst_table(rows, settings.model))
        out.print(light_summary(rows))
    if json_file is not None:
        content = {
            "model": settings.model,
            "most_frames": most_frames,
            "seed": seed,
            "rows": [asdict(row) | {"passed": row.passed} for row in rows],
        }
        write_json(json_file, content)
    return 0 if not failed else 1 if rows else 2


def worst_table(rows: Sequence[LightRow], model: str) -> ReportTable:
    """Return a table with a row for each of the worst results."""
    table = ReportTable(
        ("clip", "light", "stabilizer"),
        (*_HEADINGS, Column("broken", "left", wraps=True)),
        title=f"{model}: the worst {min(PRINTED_ROWS, len(rows))} of {len(rows)}",
        caption=_CAPTION,
    )
    for row in rows[:PRINTED_ROWS]:
        numbers = (
            *(_format_number(v, 1) for v in (row.furthest, row.furthest_steady, row.beyond)),
            *(_format_number(v, 3) for v in (row.motion, row.raw_motion)),
            *(_format_number(v, 2) for v in (row.gain, row.gain_steady)),
            str(row.resets),
            str(row.cuts),
            f"{row.tracked:.0f}",
        )
        table.add_row(row.clip, row.kind, row.choice, *numbers, ", ".join(row.failed) or "none")
    return table


def light_summary(rows: Sequence[LightRow]) -> ReportTable:
    """Return a table with a row for each light and stabilizer, over all clips."""
    caption = (
        "clips that keep all limits; of all clips the largest distance from raw, the median ratio "
        "of the motion to that of raw, the median gain, and all resets"
    )
    columns = ("passed", "furthest", "motion", "gain", "resets")
    table = ReportTable(("light", "stabilizer"), columns, caption=caption)
    for kind, choice in dict.fromkeys((row.kind, row.choice) for row in rows):
        each = [row for row in rows if (row.kind, row.choice) == (kind, choice)]
        table.add_row(
            kind,
            choice,
            f"{sum(row.passed for row in each)} of {len(each)}",
            _format_number(_of_finite(np.max, [row.furthest for row in each]), 1),
            _format_number(
                _of_finite(np.median, [row.motion / (row.raw_motion or np.nan) for row in each]), 2
            ),
            _format_number(_of_finite(np.median, [row.gain for row in each]), 2),
            str(sum(row.resets for row in each)),
        )
    return table


def _format_number(value: float, decimals: int) -> str:
    return (
        fixed(value, decimals)
        if abs(value) < _MIN_EXPONENTIAL or np.isnan(value)
        else f"{value:.1e}"
    )


def _of_finite(measure: Callable[[list[float]], float], values: list[float]) -> float:
    """Apply a measure to the finite values. Returns NaN if there are none."""
    known = [value for value in values if np.isfinite(value)]
    return float(measure(known)) if known else float("nan")
