"""The command `steadymark track` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.choices_help import DETECTOR_HELP, SEND_HELP, TableFormatOption
from steadymark.app.cli.commands.expression_options import (
    ExpressionsOption,
    MirrorOption,
    chosen_expressions,
    note_without_effect,
)
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
from steadymark.app.cli.stabilizer_options import StabilizerOptions, stabilizers_help

_DEINTERLACE = "Join the two fields of each frame of an interlaced video."
_ROTATE = "Turn the coded images by 0, 90, 180 or 270 degrees clockwise, not as the file says."
_INDEPENDENT = (
    "Track each image file alone, or all as one sequence; by default, images of the same size "
    "with numbered names are a sequence."
)
_DRAW = "Draw an attribute of each face into that video: axes, gaze, …. May be repeated."
_FILTERS = StabilizerOptions()


@help_groups(
    {
        INPUT: "start_time end_time deinterlace rotate independent",
        FACES: "model detector threshold max_faces look_every recentre focal pupils "
        "gaze_calibration",
        STABILIZER: "stabilizer **",
        OUTPUT: "folder csv video axes draw overwrite resume",
        LIVE: "camera_mode send expressions mirror",
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
    detector: Annotated[str, typer.Option(help=DETECTOR_HELP)] = "",
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
    gaze_calibration: Annotated[
        Path | None,
        typer.Option(help="A person's correction of gaze, made by 'steadymark gaze-calibrate'."),
    ] = None,
    pupils: Annotated[
        bool, typer.Option("--pupils/--no-pupils", help="Find the pupils of each face.")
    ] = True,
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
    expressions: ExpressionsOption = "",
    mirror: MirrorOption = False,
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
    from steadymark.engine.output.table_formats import TABLE_FORMATS
    from steadymark.engine.pipeline.job import OutputSettings

    def run() -> int:
        drawings = video_drawings(draw or (), axes=axes, video=video, pupils=pupils)
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
            gaze_calibration=gaze_calibration,
            pupils=pupils,
            model=model,
            detector=detector,
            deinterlace=deinterlace,
            rotate_deg=rotate,
            independent=independent,
        )
        targets = send_targets(send or ())
        chosen = chosen_expressions(expressions, mirror=mirror)
        animations = [each.name for each in TABLE_FORMATS.all() if each.animation]
        note_without_effect(
            chosen,
            used=bool(targets) or csv in animations,
            instead=f"--send, or --format {', '.join(animations[:-1])} or {animations[-1]}",
            err=err,
        )
        output = OutputSettings(
            folder,
            csv,
            video,
            overwrite,
            resume,
            drawings=drawings,
            send=targets,
            expressions=chosen,
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
