"""Benchmarks on videos and on this computer: speed, clips, light, soak and live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.bench.bench_options import (
    Clips,
    Device,
    Model,
    Table,
)
from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import (
    COMPUTER,
    INPUT,
    MODEL,
    OUTPUT,
    STABILIZER,
    help_groups,
)
from steadymark.models.runtime.zoo import DEFAULT_MODEL


def speed(
    rounds: Annotated[int, typer.Option(min=10, help="Number of runs of each stage.")] = 200,
    device: Device = "cpu",
    faces: Annotated[
        bool,
        typer.Option("--faces", help="Measure whole frames with 1 to 16 faces instead of stages."),
    ] = False,
) -> None:
    """Measure the time per face and per frame, in milliseconds, on one thread."""
    from steadymark.app.cli.reports.speed_report import report_faces, report_stages
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        (report_faces if faces else report_stages)(TrackSettings(device=device), rounds, out)
        return 0

    report_errors(run)


def clips(
    inputs: Clips,
    model: Model = DEFAULT_MODEL,
    choices: Annotated[
        str | None,
        typer.Option(help="Stabilizers, separated by commas; by default all of the model."),
    ] = None,
    most_frames: Annotated[
        int | None,
        typer.Option(min=2, help="Largest number of frames per clip; by default all frames."),
    ] = None,
    device: Device = "cpu",
    json_file: Table = None,
) -> None:
    """Measure the stability of stabilizers on real clips, and the motion of lips that they keep."""
    from steadymark.app.cli.reports.clips_report import report_clips
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        settings = TrackSettings(model=model, device=device)
        return report_clips(
            inputs,
            settings,
            json_file,
            choices=choices,
            most_frames=most_frames,
            out=out,
            err=err,
        )

    report_errors(run)


def heads(
    inputs: Clips,
    model: Model = DEFAULT_MODEL,
    most_frames: Annotated[
        int | None,
        typer.Option(min=2, help="Largest number of frames per clip; by default all frames."),
    ] = None,
    device: Device = "cpu",
    json_file: Table = None,
) -> None:
    """Measure on real clips how still head pose and expressions are while the face rests."""
    from steadymark.app.cli.bench.still_heads_report import report_still_heads
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        settings = TrackSettings(model=model, device=device)
        return report_still_heads(
            inputs, settings, json_file, most_frames=most_frames, out=out, err=err
        )

    report_errors(run)


@help_groups(
    {
        INPUT: "kinds most_frames seed",
        MODEL: "model",
        STABILIZER: "choices",
        OUTPUT: "json_file",
        COMPUTER: "device",
    }
)
def light(
    inputs: Clips,
    model: Model = DEFAULT_MODEL,
    kinds: Annotated[
        str | None,
        typer.Option(
            help="Kinds of light, separated by commas, such as flash,mains-25; by default all."
        ),
    ] = None,
    choices: Annotated[
        str | None,
        typer.Option(help="Stabilizers, separated by commas; by default all recurrent ones."),
    ] = None,
    most_frames: Annotated[int, typer.Option(min=2, help="Of each clip.")] = 90,
    seed: Annotated[int, typer.Option(help="Seed of the random light.")] = 0,
    device: Device = "cpu",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all rows to this JSON file.")
    ] = None,
) -> None:
    """Test on real clips whether changes of light mislead the stabilizers."""
    from steadymark.app.cli.reports.light_report import report_light
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        settings = TrackSettings(model=model, device=device)
        return report_light(
            inputs,
            settings,
            json_file,
            choices=choices,
            kinds=kinds,
            most_frames=most_frames,
            seed=seed,
            out=out,
            err=err,
        )

    report_errors(run)


def soak(
    clip: Annotated[
        Path | None, typer.Argument(metavar="INPUT", help="A video; by default the demo clip.")
    ] = None,
    minutes: Annotated[
        float,
        typer.Option(
            min=0.05, help="Total duration in minutes; each of the three tests takes a third."
        ),
    ] = 10.0,
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frame rate of the camera.")] = 30.0,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Keep the tables in this folder (about 2.5 kB per frame)."),
    ] = None,
    model: Model = DEFAULT_MODEL,
    device: Device = "cpu",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all samples to this JSON file.")
    ] = None,
) -> None:
    """Test whether memory, threads, open files or delays grow over time."""
    from steadymark.app.cli.reports.soak_report import report_soak
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        settings = TrackSettings(model=model, device=device)
        return report_soak(
            clip,
            settings,
            minutes=minutes,
            fps=fps,
            folder=folder,
            json_file=json_file,
            out=out,
            err=err,
        )

    report_errors(run)


def live(
    clip: Annotated[
        Path | None, typer.Option(help="A video to show; by default the demo clip.")
    ] = None,
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frames per second.")] = 30.0,
    seconds: Annotated[
        float, typer.Option(min=1, help="Duration in seconds, after a warm-up.")
    ] = 20.0,
    size: Annotated[
        str | None, typer.Option(help="Scale the frames to this size, for example 1280x720.")
    ] = "640x480",
    window: Annotated[
        str, typer.Option(help="Size of the window, for example 1280x820.")
    ] = "1280x820",
    record: Annotated[
        bool, typer.Option("--record", help="Record video and table during the test.")
    ] = False,
) -> None:
    """Measure the latency from the arrival of a frame until it is painted with landmarks."""
    from steadymark.app.cli.bench.live_benchmark import live_table, measure_live, read_images
    from steadymark.engine.sources import CameraMode
    from steadymark.models.face.schema import assets_root

    def run() -> int:
        mode, shown = (CameraMode.parse(text) if text else None for text in (size, window))
        assert shown is not None
        pictures = read_images(
            str(clip or assets_root() / "clips" / "demo.mp4"),
            (mode.width, mode.height) if mode else None,
        )
        result = measure_live(
            pictures,
            fps=fps,
            seconds=seconds,
            window_size=(shown.width, shown.height),
            record=record,
        )
        height, width = pictures[0].shape[:2]
        title = f"{width}x{height} at {fps:g} fps, {result.seconds:.0f} s"
        out.print(live_table(result, title, recorded=record))
        return 0

    report_errors(run)
