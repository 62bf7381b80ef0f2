"""`steadymark gaze-calibrate`: makes a person's correction of gaze from looked-at points."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import FACES, INPUT, OUTPUT, help_groups


@help_groups({INPUT: "looked_at", FACES: "face name", OUTPUT: "target overwrite"})
def gaze_calibrate(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE.csv", help="A table that 'steadymark track' made of the person's video."
        ),
    ],
    looked_at: Annotated[
        Path,
        typer.Option(
            help="CSV file of the points that the person looked at: start_s, end_s, and either "
            "x_mm, y_mm, z_mm or angle_x_deg, angle_y_deg."
        ),
    ],
    target: Annotated[Path, typer.Option("--out", help="File of the calibration (JSON).")],
    name: Annotated[str, typer.Option(help="Name of the person.")] = "",
    face: Annotated[
        int | None,
        typer.Option(help="Number of the face in the table; by default the one seen most."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file.")
    ] = False,
) -> None:
    """Make a person's correction of gaze from a few points that the person looked at."""

    def run() -> int:
        from steadymark.engine.attributes.looked_at_points import (
            calibrate,
            gaze_of_table,
            read_looked_at,
        )
        from steadymark.engine.core.errors import UsageError
        from steadymark.engine.gaze.gaze_calibration import POOR_DEG, write_gaze_calibration
        from steadymark.engine.output.csv.landmark_table import read_landmarks
        from steadymark.engine.review.find_reviewed import is_table

        if not is_table(table):
            raise UsageError(
                f"{table} is no table: track the video first, and name the table that "
                "'steadymark track' wrote"
            )
        if target.exists() and not overwrite:
            raise UsageError(
                f"{target} is there already: add --overwrite, or choose another with --out"
            )
        if target.resolve() in (table.resolve(), looked_at.resolve()):
            raise UsageError(
                f"{target} is read for the calibration: choose another name with --out"
            )
        points = read_looked_at(looked_at)
        found = calibrate(gaze_of_table(read_landmarks(table)), points, name or table.stem, face)
        write_gaze_calibration(target, found.calibration)
        errors = f"mean error {found.before_deg:.1f}° before, {found.after_deg:.1f}° after"
        out.print(f"{escape(str(target))}: {len(points)} points, {errors}", soft_wrap=True)
        if found.after_deg > POOR_DEG:
            err.print(
                f"[yellow]note:[/yellow] the points do not fit the gaze: check the times and the "
                f"axes in {escape(str(looked_at))}",
                soft_wrap=True,
            )
        return 0

    report_errors(run)
