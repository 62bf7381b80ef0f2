"""The command line. `steadymark` alone opens the window; the room `bench` holds the benchmarks."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.add_model_command import add_model
from steadymark.app.cli.bench import (  # noqa: F401 - they add to `bench`
    clip_commands,
    compare_command,
    scene_commands,
)
from steadymark.app.cli.bench.bench_options import bench
from steadymark.app.cli.choices_help import SEND_HELP, ChoicesCommand, TableFormatOption
from steadymark.app.cli.doctor.doctor_command import doctor
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
from steadymark.app.cli.inspect_commands import cameras, check, models, probe, spans
from steadymark.app.cli.review.review_commands import export, report, review
from steadymark.app.cli.smooth_command import smooth
from steadymark.app.cli.stabilizer_options import StabilizerOptions, stabilizers_help
from steadymark.engine.core.errors import UsageError
from steadymark.models.choice_registry import load_plugins

_DEINTERLACE = "Join the two fields of each frame of an interlaced video."
_ROTATE = "Turn the coded images by 0, 90, 180 or 270 degrees clockwise, not as the file says."
_INDEPENDENT = (
    "Track each image file alone, or all as one sequence; by default, images of the same size "
    "with numbered names are a sequence."
)
_DETECTOR = (
    "Face detector: a name from 'steadymark models', yunet:FILE.onnx (OpenCV's YuNet) or "
    "mediapipe:FILE.tflite."
)
_DRAW = "Draw an attribute of each face into that video: axes, …. May be repeated."
_FILTERS = StabilizerOptions()

app = typer.Typer(
    help="Facial landmarks that are accurate and stable.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(bench, name="bench")
app.command(name="add-model")(add_model)
app.command(name="smooth", cls=ChoicesCommand)(smooth)
for _command in (cameras, probe, models, check, spans, review, export, report, doctor):
    app.command()(_command)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Without a command, the window opens."""
    report_errors(load_plugins)
    if version:
        from steadymark.engine.core.version import version as installed

        out.print(f"steadymark {installed()}")
    elif context.invoked_subcommand is None:
        from steadymark.app.gui.application import run_window

        report_errors(run_window)


@app.command(name="open")
def open_window(
    recording: Annotated[
        str, typer.Argument(metavar="INPUT", help="A video, or a folder of images.")
    ],
) -> None:
    """Open the window with a recording."""
    from steadymark.app.gui.application import run_window

    report_errors(lambda: run_window(recording))


@app.command(cls=ChoicesCommand)
def live(
    source: Annotated[
        str,
        typer.Argument(metavar="CAMERA", help="camera:0, camera:NAME, rtsp:// or http://…"),
    ] = "camera:0",
    camera_mode: Annotated[
        str | None, typer.Option(help="Camera mode to request, for example 1280x720@30.")
    ] = None,
    send: Annotated[list[str] | None, typer.Option(help=SEND_HELP)] = None,
) -> None:
    """Open the window with a camera or a stream."""
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


@app.command(cls=ChoicesCommand)
@help_groups(
    {
        INPUT: "start_time end_time deinterlace rotate independent",
        FACES: "model detector threshold max_faces look_every recentre focal",
        STABILIZER: "stabilizer **",
        OUTPUT: "folder csv video axes draw overwrite resume",
        LIVE: "camera_mode send",
        COMPUTER: "device jobs scheduler",
    },
    _FILTERS.annotations,
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
    folder: Annotated[Path, typer.Option("--out", help="Folder of the results.")],
    model: Annotated[
        str, typer.Option(help="Landmark model: a name from 'steadymark models', or an .onnx file.")
    ] = "",
    detector: Annotated[str, typer.Option(help=_DETECTOR)] = "",
    stabilizer: Annotated[str, typer.Option(help=stabilizers_help())] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    max_faces: Annotated[int, typer.Option(help="Largest number of faces to track, 1 to 64.")] = 1,
    look_every: Annotated[
        int,
        typer.Option(
            min=1,
            help="Search for more faces every N frames while fewer than --max-faces are tracked.",
        ),
    ] = 5,
    focal: Annotated[
        float | None,
        typer.Option(
            help="Focal length in pixels, for head poses. By default it is estimated as "
            "OpenFace does."
        ),
    ] = None,
    csv: TableFormatOption = "native",
    video: Annotated[
        bool, typer.Option("--video", help="Also write a video with the landmarks drawn (H.264).")
    ] = False,
    axes: Annotated[
        bool, typer.Option("--axes", help="Also draw the axes of each head into the video.")
    ] = False,
    draw: Annotated[list[str] | None, typer.Option(help=_DRAW)] = None,
    start_time: Annotated[
        str | None, typer.Option("--start", help="Start time: seconds, mm:ss or hh:mm:ss.")
    ] = None,
    end_time: Annotated[
        str | None, typer.Option("--end", help="End time, in the same form.")
    ] = None,
    deinterlace: Annotated[bool, typer.Option("--deinterlace", help=_DEINTERLACE)] = False,
    rotate: Annotated[int | None, typer.Option(help=_ROTATE)] = None,
    independent: Annotated[
        bool | None, typer.Option("--independent/--sequence", help=_INDEPENDENT)
    ] = None,
    camera_mode: Annotated[
        str | None, typer.Option(help="Camera mode to request, for example 1280x720@30.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            min=0,
            max=1,
            help="Lowest score of a face; the default depends on the detector.",
        ),
    ] = None,
    recentre: Annotated[
        str, typer.Option(help="How the next crop is derived from the landmarks: fit or eyes.")
    ] = "fit",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing results.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Skip inputs whose results exist with the same source, settings and models.",
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", help="Number of files tracked at the same time; by default one per core."
        ),
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option(
            help="Track on a Dask cluster at tcp://HOST:PORT, whose computers see the same files."
        ),
    ] = "",
    send: Annotated[
        list[str] | None,
        typer.Option(help=f"{SEND_HELP} A file is sent as fast as it is tracked."),
    ] = None,
    **parameters: float | None,
) -> None:
    """Track faces in videos and write one table (CSV) per video."""
    from steadymark.app.cli.track_command import (
        JobPlacement,
        run_batch,
        send_targets,
        track_options,
        video_drawings,
    )
    from steadymark.engine.pipeline.job import OutputSettings

    def run() -> int:
        drawings = video_drawings(draw or (), axes=axes, video=video)
        options = track_options(
            csv=csv,
            recentre=recentre,
            start_time=start_time,
            end_time=end_time,
            camera_mode=camera_mode,
            stabilizer=stabilizer,
            filters=_FILTERS.filters(stabilizer, parameters),
            device=device,
            threshold=threshold,
            max_faces=max_faces,
            look_every=look_every,
            focal_px=focal,
            model=model,
            detector=detector,
            deinterlace=deinterlace,
            rotate_deg=rotate,
            independent=independent,
        )
        targets = send_targets(send or ())
        output = OutputSettings(
            folder, csv, video, overwrite, resume, drawings=drawings, send=targets
        )
        placement = JobPlacement(jobs, scheduler)
        return run_batch(
            inputs,
            options.settings,
            output,
            options.input_settings,
            placement=placement,
            out=out,
            err=err,
        )

    report_errors(run)


@app.command()
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
    detector: Annotated[str, typer.Option(help=_DETECTOR)] = "",
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


def main() -> None:
    """Run the command line. This is the entry point of `steadymark`."""
    logging.basicConfig(
        level=logging.DEBUG if os.environ.get("STEADYMARK_DEBUG") else logging.CRITICAL
    )
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    multiprocessing.freeze_support()
    app()
