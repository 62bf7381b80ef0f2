"""The command line. `steadymark` alone opens the window; `bench_commands` holds `bench`."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from steadymark.app.cli.add_model_command import add_model
from steadymark.app.cli.bench_commands import bench
from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import (
    COMPUTER,
    FACES,
    INPUT,
    LIVE,
    OUTPUT,
    STABILIZER,
    help_groups,
)
from steadymark.app.cli.smooth_command import smooth
from steadymark.engine.core.errors import SteadymarkError, UsageError

_STABILIZER = (
    "auto (flow, or what a model stabilizes itself by), none, flow (a recurrent cell over the "
    "landmarks of any model, carried along by optical flow), convlstm, refine (published cells, "
    "trained over the model's heatmaps), one-euro, butterworth (recordings only, no lag)."
)
_DETECTOR = "Face detector: a name, yunet:FILE.onnx (OpenCV's) or mediapipe:FILE.tflite."
_DEINTERLACE = "Join the two fields of each frame of an interlaced video."
_ROTATE = "Turn the coded images by 0, 90, 180 or 270 degrees clockwise, not as the file says."
_SEND = (
    "Also send each frame's landmarks to another program: osf (OpenSeeFace's packets), vmc "
    "(Virtual Motion Capture, by OSC), lsl (Lab Streaming Layer); elsewhere than on this machine "
    "by its address, osf://192.168.1.5:11573. May be repeated."
)

app = typer.Typer(
    help="Facial landmarks that are right and still.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(bench, name="bench")
app.command(name="add-model")(add_model)
app.command(name="smooth")(smooth)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Without a command, the window opens."""
    if version:
        from steadymark.engine.pipeline.job import version as installed

        out.print(f"steadymark {installed()}")
    elif context.invoked_subcommand is None:
        from steadymark.app.gui.application import run_window

        report_errors(run_window)


@app.command(name="open")
def open_window(
    recording: Annotated[str, typer.Argument(metavar="INPUT", help="A video, or pictures.")],
) -> None:
    """Open the window with a recording in it."""
    from steadymark.app.gui.application import run_window

    report_errors(lambda: run_window(recording))


@app.command()
def live(
    source: Annotated[
        str,
        typer.Argument(metavar="CAMERA", help="camera:0, camera:NAME, rtsp:// or http://…"),
    ] = "camera:0",
    camera_mode: Annotated[
        str | None, typer.Option(help="What to ask a camera for: 1280x720@30.")
    ] = None,
    send: Annotated[list[str] | None, typer.Option(help=_SEND)] = None,
) -> None:
    """Open the window with a camera or a stream in it."""
    from steadymark.app.gui.application import run_window
    from steadymark.engine.sources import CameraMode
    from steadymark.engine.sources.resolve_input import is_live
    from steadymark.engine.streaming.targets import parse_target

    def run() -> int:
        targets = tuple(parse_target(text) for text in send or ())
        mode = CameraMode.parse(camera_mode) if camera_mode else None
        if not is_live(source):
            raise UsageError(
                f"{source} is neither a camera nor an address: write camera:0 or rtsp://…; "
                "'steadymark open' opens videos"
            )
        return run_window(source, mode, targets)

    report_errors(run)


@app.command()
def cameras() -> None:
    """List the cameras of this computer, with what they offer."""
    from steadymark.engine.sources import camera_modes, list_cameras

    def run() -> int:
        found = list_cameras()
        if not found:
            out.print("no camera was found: plug one in, and check that you may use it")
        for camera in found:
            out.print(
                f"camera:{camera.index}  {escape(camera.name)}  {camera.path}", soft_wrap=True
            )
            for mode in camera_modes(camera):
                out.print(f"    {mode} {mode.fourcc}")
        return 0

    report_errors(run)


@app.command()
@help_groups(
    {
        INPUT: "start_time end_time deinterlace rotate",
        FACES: "model detector threshold max_faces look_every recentre focal",
        STABILIZER: "stabilizer min_cutoff beta derivative_cutoff cutoff",
        OUTPUT: "folder csv video axes overwrite resume",
        LIVE: "camera_mode send",
        COMPUTER: "device jobs scheduler",
    }
)
def track(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT…",
            help="Videos, folders, globs, image sequences (img_%04d.png), camera:0, "
            "rtsp:// or http:// cameras.",
        ),
    ],
    folder: Annotated[Path, typer.Option("--out", help="The folder results are written to.")],
    model: Annotated[str, typer.Option(help="Landmark model: a name of 'steadymark models'.")] = "",
    detector: Annotated[str, typer.Option(help=_DETECTOR)] = "",
    stabilizer: Annotated[str, typer.Option(help=_STABILIZER)] = "auto",
    min_cutoff: Annotated[float, typer.Option(help="one-euro: cut-off at rest, Hz.")] = 1.0,
    beta: Annotated[float, typer.Option(help="one-euro: how fast it rises with speed.")] = 1.5,
    derivative_cutoff: Annotated[float, typer.Option(help="one-euro: of the speed, Hz.")] = 1.0,
    cutoff: Annotated[float, typer.Option(help="butterworth: cut-off, Hz.")] = 6.0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    max_faces: Annotated[int, typer.Option(help="Faces to follow, 1 to 64.")] = 1,
    look_every: Annotated[
        int, typer.Option(min=1, help="Frames between looks for further faces, below --max-faces.")
    ] = 5,
    focal: Annotated[
        float | None,
        typer.Option(help="Focal length in pixels, for head poses; else guessed as OpenFace does."),
    ] = None,
    csv: Annotated[str, typer.Option(help="native or openface.")] = "native",
    video: Annotated[
        bool, typer.Option("--video", help="Also write the video with landmarks drawn (H.264).")
    ] = False,
    axes: Annotated[
        bool, typer.Option("--axes", help="Draw how each head is turned into that video, too.")
    ] = False,
    start_time: Annotated[
        str | None, typer.Option("--start", help="Begin here: seconds, mm:ss or hh:mm:ss.")
    ] = None,
    end_time: Annotated[str | None, typer.Option("--end", help="End here, likewise.")] = None,
    deinterlace: Annotated[bool, typer.Option("--deinterlace", help=_DEINTERLACE)] = False,
    rotate: Annotated[int | None, typer.Option(help=_ROTATE)] = None,
    camera_mode: Annotated[
        str | None, typer.Option(help="What to ask a camera for: 1280x720@30.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="The detector's.")
    ] = None,
    recentre: Annotated[str, typer.Option(help="Rule of the next crop: fit or eyes.")] = "fit",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results.")] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Skip what is done: same source, settings and models."),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="Files tracked at a time; else one a core.")
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option(help="Track on a Dask cluster: tcp://HOST:PORT, which sees the same files."),
    ] = "",
    send: Annotated[
        list[str] | None,
        typer.Option(help=f"{_SEND} A file is sent as fast as it is tracked."),
    ] = None,
) -> None:
    """Track faces in videos and write a CSV for each."""
    from steadymark.app.cli.track_command import (
        JobPlacement,
        run_batch,
        send_targets,
        track_options,
    )
    from steadymark.engine.pipeline.job import OutputSettings

    def run() -> int:
        if axes and not video:
            raise UsageError("--axes draws into the video: add --video, or leave --axes out")
        options = track_options(
            csv=csv,
            recentre=recentre,
            start_time=start_time,
            end_time=end_time,
            camera_mode=camera_mode,
            stabilizer=stabilizer,
            one_euro=(min_cutoff, beta, derivative_cutoff),
            butterworth=cutoff,
            device=device,
            threshold=threshold,
            max_faces=max_faces,
            look_every=look_every,
            focal_px=focal,
            model=model,
            detector=detector,
            deinterlace=deinterlace,
            rotate_deg=rotate,
        )
        output = OutputSettings(
            folder, csv, video, overwrite, resume, axes=axes, send=send_targets(send or (), inputs)
        )
        placing = JobPlacement(jobs, scheduler)
        return run_batch(
            inputs, options.settings, output, options.wish, placing=placing, out=out, err=err
        )

    report_errors(run)


@app.command()
def probe(inputs: Annotated[list[str], typer.Argument(metavar="INPUT…")]) -> None:
    """Say what is in a video file, and how exact its times are."""
    from steadymark.app.cli.reports.report_table import Column, ReportTable
    from steadymark.engine.sources import probe as look

    def run() -> int:
        failed = 0
        for text in inputs:
            try:
                report = look(text)
            except SteadymarkError as error:
                err.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
                failed += 1
                continue
            table = ReportTable(("",), (Column("", "left", wraps=True),), title=text)
            for name, value in report.as_dict().items():
                table.add_row(name, value)
            out.print(table)
        return 0 if not failed else 1 if failed < len(inputs) else 2

    report_errors(run)


@app.command()
def models() -> None:
    """List the models that are here, with what they reached."""
    from steadymark.app.cli.reports.models_report import report_models
    from steadymark.models.runtime.zoo import list_models, list_own_models

    def run() -> int:
        report_models((*list_models(), *list_own_models()), out)
        return 0

    report_errors(run)


@app.command()
def check(files: Annotated[list[Path], typer.Argument(metavar="FILE…")]) -> None:
    """Find what is wrong in a CSV: truncation, wrong columns, NaN in tracked rows, and more."""
    from steadymark.engine.output.csv.check_table import check_csv

    def run() -> int:
        bad = 0
        for file in files:
            findings = check_csv(file)
            bad += bool(findings)
            if not findings:
                out.print(f"{file}: valid", soft_wrap=True)
            for finding in findings:
                place = f"{file}:{finding.line}" if finding.line else f"{file}"
                out.print(f"{place}: {finding.text}", soft_wrap=True)
        return 1 if bad else 0

    report_errors(run)


@app.command()
def spans(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSVs of either style.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write them.")] = None,
) -> None:
    """When each face was tracked, and when it was lost."""
    from steadymark.app.cli.reports.spans_report import report_spans

    def run() -> int:
        report_spans(files, json_file, out=out)
        return 0

    report_errors(run)


@app.command()
@help_groups(
    {
        INPUT: "data truth csv landmarks",
        FACES: "boxes detector threshold recentre",
        STABILIZER: "stabilizer",
        OUTPUT: "json_file plot worst worst_count",
        COMPUTER: "device",
    }
)
def evaluate(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL…", help="Names, or .onnx files.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Pictures with .pts in 300W form; a video with its truth beside it "
            "(NAME_truth.csv or annot/); a folder of such videos, as 300VW."
        ),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="The video's truth: a table, or a folder of .pts.")
    ] = None,
    csv: Annotated[
        list[Path] | None,
        typer.Option(help="Also score a tracker's table, ours or OpenFace's. May be repeated."),
    ] = None,
    boxes: Annotated[
        str | None, typer.Option(help="On pictures: truth (default) or detector.")
    ] = None,
    detector: Annotated[str, typer.Option(help=_DETECTOR)] = "",
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="The detector's.")
    ] = None,
    landmarks: Annotated[
        str | None,
        typer.Option(help="Compare only these: 36,45, or 36=27,45=32 for other numbers in truth."),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write figures.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw cumulative error curves: a .png.")
    ] = None,
    worst: Annotated[
        Path | None, typer.Option(help="Also draw the worst faces of each: a .png.")
    ] = None,
    worst_count: Annotated[int, typer.Option(min=1, max=120, help="How many of each.")] = 12,
    recentre: Annotated[str, typer.Option(help="Rule of the next crop: fit or eyes.")] = "fit",
    stabilizer: Annotated[str, typer.Option(help=f"On videos: {_STABILIZER}")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Score models, and other trackers' tables, on labelled pictures and videos."""
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
    )
    outputs = OutputFiles(json_file, plot, worst, worst_count)
    report_errors(lambda: run_evaluation(options, outputs, out=out, err=err))


def main() -> None:
    """Run the command line. This is the entry point of `steadymark`."""
    logging.basicConfig(
        level=logging.DEBUG if os.environ.get("STEADYMARK_DEBUG") else logging.CRITICAL
    )
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    multiprocessing.freeze_support()
    app()
