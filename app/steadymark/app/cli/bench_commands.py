"""`steadymark bench`: benchmarks that anyone can repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import (
    COMPUTER,
    FACES,
    INPUT,
    MODEL,
    OUTPUT,
    SCENES,
    STABILIZER,
    help_groups,
)
from steadymark.engine.core.errors import UsageError
from steadymark.models.runtime.zoo import DEFAULT_MODEL

Faces = Annotated[Path, typer.Option(help="A folder of labelled faces: 300W form or another.")]
Model = Annotated[str, typer.Option(help="Name in the zoo, or an .onnx file.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Table = Annotated[Path | None, typer.Option("--json", help="Write the table here.")]
Clips = Annotated[list[str], typer.Argument(metavar="INPUT…", help="Videos or folders.")]
SceneSeed = Annotated[int, typer.Option(help="Decides every scene.")]

bench = typer.Typer(help="Measurements on this machine.", no_args_is_help=True)


@bench.command()
def speed(
    rounds: Annotated[int, typer.Option(min=10, help="Runs of each stage.")] = 200,
    device: Device = "cpu",
    faces: Annotated[
        bool, typer.Option("--faces", help="Instead: a whole frame with 1 to 16 faces.")
    ] = False,
) -> None:
    """Milliseconds a face and frame, one thread."""
    from steadymark.app.cli.reports.speed_report import report_faces, report_stages
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        (report_faces if faces else report_stages)(TrackSettings(device=device), rounds, out)
        return 0

    report_errors(run)


@bench.command()
@help_groups(
    {
        SCENES: "data scenes sequences frames noise held_back seed",
        MODEL: "model csv",
        OUTPUT: "json_file plot write",
        COMPUTER: "device",
    }
)
def stability(
    data: Faces,
    model: Model = DEFAULT_MODEL,
    sequences: Annotated[int, typer.Option(help="Scenes at each noise level.")] = 100,
    frames: Annotated[int, typer.Option(help="Frames of a scene.")] = 60,
    noise: Annotated[str, typer.Option(help="Levels of sensor noise, 1 to 4.")] = "1,2,3,4",
    held_back: Annotated[
        bool, typer.Option("--held-back", help="Only faces that no training has seen: to tune by.")
    ] = False,
    seed: SceneSeed = 0,
    device: Device = "cpu",
    json_file: Table = None,
    plot: Annotated[Path | None, typer.Option(help="Draw jitter against lag here, a PNG.")] = None,
    csv: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FOLDER", help="Another tracker's tables of the scenes."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Only write the scenes here as videos, to be tracked.")
    ] = None,
    scenes: Annotated[
        str, typer.Option(help="living: faces and cameras as they are; rigid: photos moved.")
    ] = "living",
) -> None:
    """How right, how still and how late each stabilizer is, on made scenes with exact truth."""
    from steadymark.app.cli.reports.stability_report import report_stability

    def run() -> int:
        report_stability(
            data,
            model=model,
            sequences=sequences,
            frames=frames,
            noise=noise,
            held_back=held_back,
            seed=seed,
            device=device,
            json_file=json_file,
            plot=plot,
            csv=csv or [],
            write=write,
            scenes=scenes,
            console=out,
        )
        return 0

    report_errors(run)


@bench.command()
@help_groups(
    {
        SCENES: "data tune sequences frames noise held_back seed",
        MODEL: "model also",
        OUTPUT: "json_file",
        COMPUTER: "device",
    }
)
def ablation(
    data: Faces,
    model: Model = DEFAULT_MODEL,
    tune: Annotated[
        Path | None,
        typer.Option(help="A training split to tune filters by; else `train` beside the data."),
    ] = None,
    sequences: Annotated[int, typer.Option(min=1, help="Scenes.")] = 30,
    frames: Annotated[int, typer.Option(min=12, help="Frames of a scene.")] = 60,
    noise: Annotated[int, typer.Option(help="Level of sensor noise, 1 to 4.")] = 2,
    held_back: Annotated[
        bool, typer.Option("--held-back", help="Only faces that no training has seen.")
    ] = False,
    seed: SceneSeed = 0,
    also: Annotated[
        list[str] | None, typer.Option(metavar="NAME=MODEL", help="Another model, as a row.")
    ] = None,
    device: Device = "cpu",
    json_file: Table = None,
) -> None:
    """What each part of the stabilizer is good for: the same scenes without it, and filters."""
    from steadymark.app.cli.reports.ablation_report import report_ablation
    from steadymark.engine.bench.scenes.ablation_benchmark import AblationConfig
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        config = AblationConfig(sequences, frames, noise, seed, held_back=held_back)
        settings = TrackSettings(model=model, device=device)
        report_ablation(data, settings, config, json_file, tune=tune, also=also or [], console=out)
        return 0

    report_errors(run)


@bench.command()
def identity(
    data: Faces,
    model: Model = DEFAULT_MODEL,
    videos: Annotated[int, typer.Option(help="Made videos of each kind.")] = 10,
    seed: Annotated[int, typer.Option(help="Decides every video.")] = 0,
    device: Device = "cpu",
    json_file: Table = None,
) -> None:
    """Whether faces keep their ids when they cross, are hidden or leave: MOTA, IDF1, switches."""
    from steadymark.app.cli.reports.identity_report import report_identity
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        settings = TrackSettings(model=model, device=device)
        report_identity(data, settings, json_file, videos=videos, seed=seed, out=out, err=err)
        return 0

    report_errors(run)


@bench.command()
@help_groups(
    {
        INPUT: "data report",
        FACES: "threshold most_false",
        OUTPUT: "json_file write",
    }
)
def detector(
    data: Annotated[Path, typer.Option(help="The folder that holds faces, 300w and aflw2000.")],
    detectors: Annotated[
        list[str] | None,
        typer.Argument(metavar="DETECTOR…", help="As --detector of track; else the default one."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Of all of them; else each one's own.")
    ] = None,
    most_false: Annotated[
        float | None,
        typer.Option("--false", min=0, help="Threshold of each: for so many false boxes in 100."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Only write the hard set here, folders in 300W form.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Also all of aflw2000, by which nothing is chosen.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all figures here.")
    ] = None,
) -> None:
    """What face detectors find, miss and take for faces, on photos held back from training."""
    from steadymark.app.cli.reports.detector_report import report_detectors, write_hard_faces
    from steadymark.engine.tracking.settings import TrackSettings
    from steadymark.models.runtime.zoo import DEFAULT_DETECTOR

    def run() -> int:
        settings = TrackSettings(detector_threshold=threshold)
        if write is not None:
            return write_hard_faces(data, write, out)
        if threshold is not None and most_false is not None:
            raise UsageError("--threshold and --false both say the threshold: leave one out")
        names = detectors or [DEFAULT_DETECTOR]
        return report_detectors(
            data,
            names,
            settings,
            json_file,
            most_false=most_false,
            reported=report,
            out=out,
            err=err,
        )

    report_errors(run)


@bench.command()
def clips(
    inputs: Clips,
    model: Model = DEFAULT_MODEL,
    choices: Annotated[
        str | None, typer.Option(help="Stabilizers with commas; else all that the model has.")
    ] = None,
    most_frames: Annotated[
        int | None, typer.Option(min=2, help="Of each clip; else all of them.")
    ] = None,
    device: Device = "cpu",
    json_file: Table = None,
) -> None:
    """How still each stabilizer is on real clips, and what it takes off lids and lips."""
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


@bench.command()
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
        str | None, typer.Option(help="Lights with commas, such as flash,mains-25; else all.")
    ] = None,
    choices: Annotated[
        str | None, typer.Option(help="Stabilizers with commas; else all recurrent ones.")
    ] = None,
    most_frames: Annotated[int, typer.Option(min=2, help="Of each clip.")] = 90,
    seed: Annotated[int, typer.Option(help="Decides every light.")] = 0,
    device: Device = "cpu",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all rows here.")] = None,
) -> None:
    """Whether light that changes scrambles stabilized points: real clips, lit anew, with limits."""
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


@bench.command()
def soak(
    clip: Annotated[
        Path | None, typer.Argument(metavar="INPUT", help="A video; else the demo clip.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.05, help="In all, a third of it each.")] = 10.0,
    fps: Annotated[float, typer.Option(min=1, max=240, help="Of the camera.")] = 30.0,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Keep the tables here, ~2.5 kB a frame.")
    ] = None,
    model: Model = DEFAULT_MODEL,
    device: Device = "cpu",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all samples here.")
    ] = None,
) -> None:
    """Whether memory, threads, files or delays grow: a looped file, a live camera, jobs."""
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


@bench.command()
def live(
    clip: Annotated[Path | None, typer.Option(help="A video to show; else the demo clip.")] = None,
    fps: Annotated[float, typer.Option(min=1, max=240, help="Pictures a second.")] = 30.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long, after a warm-up.")] = 20.0,
    size: Annotated[str | None, typer.Option(help="Scale to this: 1280x720.")] = "640x480",
    window: Annotated[str, typer.Option(help="Size of the window.")] = "1280x820",
    record: Annotated[
        bool, typer.Option("--record", help="Record to video and table meanwhile.")
    ] = False,
) -> None:
    """Latency from a picture's arrival to its paint with landmarks, in the real window."""
    from steadymark.app.cli.live_benchmark import live_table, measure_live, pictures_of
    from steadymark.engine.sources import CameraMode
    from steadymark.models.face.schema import assets_root

    def run() -> int:
        mode, shown = (CameraMode.parse(text) if text else None for text in (size, window))
        assert shown is not None
        pictures = pictures_of(
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
