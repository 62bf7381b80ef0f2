"""The command `steadymark evaluate` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.choices_help import DETECTOR_HELP
from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import (
    COMPUTER,
    FACES,
    INPUT,
    OUTPUT,
    STABILIZER,
    help_groups,
)
from steadymark.app.cli.stabilizer_options import stabilizers_help


@help_groups(
    {
        INPUT: "data truth csv landmarks schema part",
        FACES: "boxes detector threshold recentre",
        STABILIZER: "stabilizer",
        OUTPUT: "json_file plot worst worst_count",
        COMPUTER: "device",
    }
)
def evaluate(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL…", help="Names of models, or .onnx files.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Images with .pts files as in 300W or aflw2000, a folder of such folders, a list "
            "as in WFLW, a video with its ground truth beside it (NAME_truth.csv or annot/), or a "
            "folder of such videos "
            "as 300VW."
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="Ground truth of the video: a table, or a folder of .pts files."),
    ] = None,
    csv: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also score this table of a tracker, native or OpenFace's. May be repeated."
        ),
    ] = None,
    boxes: Annotated[
        str | None,
        typer.Option(
            help="On images: take face boxes from the ground "
            "truth (truth, the default) "
            "or from the detector."
        ),
    ] = None,
    detector: Annotated[str, typer.Option(help=DETECTOR_HELP)] = "",
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            min=0,
            max=1,
            help="Lowest score of a face; the default depends on the detector.",
        ),
    ] = None,
    landmarks: Annotated[
        str | None,
        typer.Option(
            help="Compare only these landmarks: 36,42-45, or 36=27,45=32 where the ground "
            "truth has other numbers."
        ),
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option(help="Landmark schema of the ground truth, such as menpo84 or ibug68_3d."),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(help="Part of aflw2000: exact, held-back, training or all (the default)."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the figures to this JSON file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw cumulative error curves into this .png file.")
    ] = None,
    worst: Annotated[
        Path | None,
        typer.Option(
            help="Also draw the faces with the largest errors of each model into this .png file, "
            "or of two models side by side."
        ),
    ] = None,
    worst_count: Annotated[
        int, typer.Option(min=1, max=120, help="Number of faces per model for --worst.")
    ] = 12,
    recentre: Annotated[
        str, typer.Option(help="How the next crop is derived from the landmarks: fit or eyes.")
    ] = "fit",
    stabilizer: Annotated[str, typer.Option(help=f"On videos. {stabilizers_help()}")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Score models and tables of other trackers on labelled images and videos."""
    from steadymark.app.cli.evaluate_command import EvaluationOptions, run_evaluation
    from steadymark.app.cli.output_files import OutputFiles

    options = EvaluationOptions(
        models=tuple(names or ()),
        tables=tuple(csv or ()),
        data=data,
        truth=truth,
        boxes=boxes,
        landmarks=landmarks,
        recentre=recentre,
        stabilizer=stabilizer,
        device=device,
        detector=detector,
        threshold=threshold,
        schema=schema,
        part=part,
    )
    outputs = OutputFiles(json_file, plot, worst, worst_count)
    report_errors(lambda: run_evaluation(options, outputs, out=out, err=err))
