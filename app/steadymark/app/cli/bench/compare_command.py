"""The command `steadymark bench compare`: the shipped model beside other trackers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.error_boundary import err, out, report_errors

_PEER_HELP = (
    "A tracker: mediapipe:FILE.task, facemesh:, openseeface:FOLDER, model:NAME (also with "
    ",stabilizer=NAME or ,detector=yunet:FILE), adapter:FILE.py, or 'program:COMMAND {video} "
    "{csv}' for one that writes OpenFace's tables. ,python=PROGRAM names the Python that has it, "
    ",name=TEXT its name. Can be repeated."
)


def compare(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT…]", help="Videos or folders of videos; by default the demo clip."
        ),
    ] = None,
    peers: Annotated[list[str] | None, typer.Option("--peer", help=_PEER_HELP)] = None,
    most_frames: Annotated[
        int | None,
        typer.Option(min=2, help="Largest number of frames per clip; by default all frames."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--html", help="Write a page with tables and plots to this file.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all figures to this JSON file.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Also divide the figures by those of this JSON file of an earlier run."),
    ] = None,
) -> None:
    """Compare speed, accuracy and stability with other trackers on the same clips."""
    from steadymark.app.cli.reports.compare_report import report_compare

    report_errors(
        lambda: report_compare(
            inputs or [],
            peers or [],
            most_frames=most_frames,
            json_file=json_file,
            page_file=page,
            against=against,
            out=out,
            err=err,
        )
    )
