"""The tables and JSON files of `steadymark bench pose`, `expressions`, `units` and `gaze`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import Progress

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import ReportTable, fixed
from steadymark.engine.bench.face3d.face3d_benchmark import (
    NEUTRAL,
    measure_faces,
    point_errors,
    pose_errors_deg,
    quiet_share,
    shape_rows,
)
from steadymark.engine.bench.face3d.gaze_benchmark import LARGEST_DEG, POINTS, measure_gaze
from steadymark.engine.bench.face3d.unit_benchmark import CLEAR, unit_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.bench.face3d.face3d_benchmark import FaceChoice, MeasuredFace
    from steadymark.engine.bench.face3d.gaze_benchmark import GazeChoice


def report_pose(
    data: Path, choice: FaceChoice, json_file: Path | None, *, out: Console, err: Console
) -> None:
    """Fit random faces, print the errors of pose and 3D landmarks, and write them as JSON."""
    check_outputs(OutputFiles(json_file))
    faces = _measured(data, choice, err)
    pose, points = pose_errors_deg(faces), point_errors(faces)
    figures = {
        "pose_deg": float(pose.mean()),
        "pose_95_deg": float(np.percentile(pose, 95)),
        "points_percent": float(points.mean()),
        "jaw_percent": float(points[:, :17].mean()),
        "fit_ms": float(np.median([face.fit_ms for face in faces])),
    }
    table = ReportTable(
        ("faces",),
        ("count", "pose", "95 %", "3D points", "jaw", "a fit"),
        title=f"yaw up to {choice.yaw_deg:g}°",
        caption="mean angle between true and fitted pose; 3D landmarks in % of the eye distance",
    )
    table.add_row(
        "with expressions",
        f"{len(faces)}",
        f"{figures['pose_deg']:.2f}°",
        f"{figures['pose_95_deg']:.2f}°",
        f"{figures['points_percent']:.2f} %",
        f"{figures['jaw_percent']:.2f} %",
        f"{figures['fit_ms']:.2f} ms",
    )
    out.print(table)
    if json_file is not None:
        write_json(json_file, figures)


def report_expressions(
    data: Path, choice: FaceChoice, json_file: Path | None, *, out: Console, err: Console
) -> None:
    """Fit random faces, print how each shape is found, and write the figures as JSON."""
    check_outputs(OutputFiles(json_file))
    faces = _measured(data, choice, err)
    rows, quiet = shape_rows(faces), quiet_share(faces)
    mean = float(np.nanmean([row.correlation for row in rows]))
    table = ReportTable(
        ("shape",),
        ("correlation", f"neutral ≤ {NEUTRAL:g}", "neutral, 95 %"),
        title=f"{len(rows)} shapes, yaw up to {choice.yaw_deg:g}°",
        caption=f"{100 * quiet:.0f} % of neutral faces have no shape above {NEUTRAL:g}",
    )
    for row in rows:
        share = f"{100 * row.neutral_share:.1f} %"
        table.add_row(row.name, fixed(row.correlation, 2), share, f"{row.neutral_95:.2f}")
    table.add_row("mean", fixed(mean, 2), "", "")
    out.print(table)
    if json_file is not None:
        shapes = {
            row.name: {
                "correlation": row.correlation,
                "neutral_share": row.neutral_share,
                "neutral_95": row.neutral_95,
            }
            for row in rows
        }
        write_json(json_file, {"mean": mean, "quiet_share": quiet, "shapes": shapes})


def report_units(
    data: Path, choice: FaceChoice, json_file: Path | None, *, out: Console, err: Console
) -> None:
    """Fit random faces, print how each action unit is found, and write the figures as JSON."""
    check_outputs(OutputFiles(json_file))
    rows = unit_rows(_measured(data, choice, err))
    table = ReportTable(
        ("unit", "name"),
        ("correlation", "error", "neutral", f"from {CLEAR:g}"),
        title=f"{len(rows)} action units, yaw up to {choice.yaw_deg:g}°",
        caption="mean error of the intensity (0 to 5); share of neutral faces, and of faces with a "
        f"true intensity of at least {CLEAR:g}, on which the unit is present",
    )
    for row in rows:
        shares = (_percent(share) for share in (row.false_share, row.found_share))
        figures = (fixed(row.correlation, 2), fixed(row.error, 2), *shares)
        table.add_row(row.unit.name, str(row.unit.label), *figures)
    out.print(table)
    if json_file is not None:
        figures_of = {
            row.unit.name: {
                "correlation": row.correlation,
                "error": row.error,
                "false_share": row.false_share,
                "found_share": row.found_share,
            }
            for row in rows
        }
        write_json(json_file, {"units": figures_of})


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"


def report_gaze(
    data: Path, choice: GazeChoice, json_file: Path | None, *, out: Console, err: Console
) -> None:
    """Measure gaze, print its errors before and after a calibration, and write them as JSON."""
    check_outputs(OutputFiles(json_file))
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("people", total=choice.people)
        found = measure_gaze(
            data, choice, lambda done, every: progress.update(task, completed=done, total=every)
        )
    table = ReportTable(
        ("calibration",),
        ("gaze", "95 %", "one eye", "95 %", "in the head", "95 %"),
        title=f"gaze to ±{LARGEST_DEG[0]:g}° and ±{LARGEST_DEG[1]:g}°, "
        f"yaw up to {choice.yaw_deg:g}°, noise {100 * choice.noise:g} %",
        caption="mean angle between true and found gaze: of both eyes, of each eye, and relative "
        "to the head, which the error of the head pose is a part of",
    )
    figures = {}
    for name, label, errors in zip(
        ("before", "one_look", "after", "true_eyes"),
        ("none", "1 point ahead", f"{POINTS} points", "true eyeballs"),
        found,
        strict=True,
    ):
        rows = {"gaze": errors.gaze, "one_eye": errors.one_eye, "head": errors.head}
        figures[name] = {
            key: value
            for part, angles in rows.items()
            for key, value in (
                (f"{part}_deg", float(angles.mean())),
                (f"{part}_95_deg", float(np.percentile(angles, 95))),
            )
        }
        table.add_row(label, *(f"{value:.2f}°" for value in figures[name].values()))
    out.print(table)
    if json_file is not None:
        write_json(json_file, figures)


def _measured(data: Path, choice: FaceChoice, err: Console) -> list[MeasuredFace]:
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("people", total=choice.people)
        return measure_faces(
            data, choice, lambda done, every: progress.update(task, completed=done, total=every)
        )
