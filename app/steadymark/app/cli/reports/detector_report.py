"""The table and the JSON file of `steadymark bench detector`: what face detectors find and miss."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import ReportTable
from steadymark.engine.bench.detector_benchmark import measure, threshold_for
from steadymark.engine.bench.hard_face_set import write_hard_set
from steadymark.engine.bench.tracked_faces import TrackedFaces
from steadymark.engine.tracking.settings import open_detector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.bench.detector_benchmark import DetectorFigures
    from steadymark.engine.core.protocols import FaceDetector
    from steadymark.engine.tracking.settings import TrackSettings


def report_detectors(
    data: Path,
    names: Sequence[str],
    settings: TrackSettings,
    json_file: Path | None,
    *,
    most_false: float | None,
    reported: bool,
    tracked: bool,
    out: Console,
    err: Console,
) -> int:
    """Measure detectors, print a column for each, and write the figures as JSON.

    Args:
        data: The folder that contains the data sets.
        names: The detectors, as in `TrackSettings.detector`.
        settings: The other settings.
        json_file: The JSON file; None writes none.
        most_false: The number of false boxes in 100 photos from which each detector's threshold is
            chosen. None keeps the threshold of the settings.
        reported: Whether to measure also on the data that are never used for a choice.
        tracked: Whether to measure the faces that the tracker finds, instead of the boxes.
        out: The console of the table.
        err: The console of the progress display.

    Returns:
        The exit code.
    """
    check_outputs(OutputFiles(json_file))
    chosen = {name: replace(settings, detector=name) for name in names}
    for each in chosen.values():
        open_detector(each)  # report a failure before the long measurements
    figures: dict[str, DetectorFigures] = {}
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("", total=None)
        for name, wanted in chosen.items():
            if most_false is not None:
                progress.update(task, description=f"{name}: threshold")
                at = threshold_for(
                    lambda t, w=wanted: _opened(replace(w, detector_threshold=t), tracked=tracked),  # type: ignore[misc]
                    data,
                    most_false,
                )
                wanted = replace(wanted, detector_threshold=at)
            asked = wanted.detector_threshold
            figures[name] = measure(
                _opened(wanted, tracked=tracked),
                data,
                threshold=math.nan if asked is None else asked,
                reported=reported,
                on_part=lambda part, n=name: progress.update(task, description=f"{n}: {part}"),  # type: ignore[misc]
            )
    out.print(detector_table(figures))
    if json_file is not None:
        write_json(json_file, {name: _as_json(each) for name, each in figures.items()})
    return 0


def write_hard_faces(data: Path, folder: Path, out: Console) -> int:
    """Write the hard face set for `steadymark evaluate`, and print where it is."""
    for name, count in write_hard_set(data, folder).items():
        out.print(f"{folder / name}: {count} faces", soft_wrap=True)
    return 0


def _opened(settings: TrackSettings, *, tracked: bool) -> FaceDetector:
    return TrackedFaces(settings) if tracked else open_detector(settings)[0]


def _rows(figures: DetectorFigures) -> dict[str, str]:
    """Return the cells of one detector, by the heading of the row."""
    rolls, every = figures.rolls, figures.hard_set
    rows = {
        "threshold": "its own" if math.isnan(figures.threshold) else f"{figures.threshold:.3f}",
        "false boxes in 100 photos of none": f"{figures.false_per_100:.2f}",
        "crowds, faces of 20 px and more, found": f"{figures.crowds.percent:.1f} %",
        "300W photos held back, found": f"{figures.train.percent:.1f} %",
    }
    for kind, faces in figures.hard.items():
        rows[f"{kind}, missed"] = f"{len(faces.missed)} of {faces.faces}"
    rows["hard set, missed"] = f"{len(every.missed)} of {every.faces}, {every.percent:.2f} %"
    share, within = (100 * n / max(1, rolls.faces) for n in (rolls.found, rolls.within_10))
    rows["any roll, found"] = f"{share:.1f} %"
    rows["any roll, found with a roll to 10°"] = f"{within:.1f} %"
    rows["error of the roll, median"] = f"{rolls.median_deg:.1f}°"
    rows["640x480, one thread, median"] = f"{figures.frame_ms:.1f} ms"
    return rows


def detector_table(figures: dict[str, DetectorFigures]) -> ReportTable:
    """Return a table with a column for each detector."""
    columns = {name: _rows(each) for name, each in figures.items()}
    table = ReportTable(("what",), columns, title="face detectors")
    for row in next(iter(columns.values())):
        table.add_row(row, *(column[row] for column in columns.values()))
    return table


def _as_json(figures: DetectorFigures) -> dict[str, Any]:
    every = figures.hard_set
    return {
        **asdict(figures),
        "hard_set": {"faces": every.faces, "missed": len(every.missed), "percent": every.percent},
    }
