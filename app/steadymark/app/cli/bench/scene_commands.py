"""Benchmarks on labelled faces and scenes: stability, ablation, identity, detector, scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.bench.bench_options import (
    Device,
    Faces,
    Model,
    SceneSeed,
    Table,
)
from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import (
    COMPUTER,
    FACES,
    INPUT,
    MODEL,
    OUTPUT,
    SCENES,
    help_groups,
)
from steadymark.engine.core.errors import UsageError
from steadymark.models.runtime.zoo import DEFAULT_MODEL


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
    sequences: Annotated[int, typer.Option(help="Number of scenes at each noise level.")] = 100,
    frames: Annotated[int, typer.Option(help="Number of frames per scene.")] = 60,
    noise: Annotated[
        str, typer.Option(help="Levels of sensor noise, 1 to 4, separated by commas.")
    ] = "1,2,3,4",
    held_back: Annotated[
        bool,
        typer.Option("--held-back", help="Use only faces that no training has seen, for tuning."),
    ] = False,
    seed: SceneSeed = 0,
    device: Device = "cpu",
    json_file: Table = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw jitter against lag into this .png file.")
    ] = None,
    csv: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FOLDER", help="Also score another tracker's tables of the scenes."
        ),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Only write the scenes as videos into this folder.")
    ] = None,
    scenes: Annotated[
        str,
        typer.Option(
            help="living: faces that move and speak, real cameras and light; rigid: moved photos."
        ),
    ] = "living",
) -> None:
    """Measure accuracy, stability and lag of stabilizers on synthetic scenes with ground truth."""
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
        typer.Option(
            help="Training split on which filters are tuned; by default `train` beside the data."
        ),
    ] = None,
    sequences: Annotated[int, typer.Option(min=1, help="Number of scenes.")] = 30,
    frames: Annotated[int, typer.Option(min=12, help="Number of frames per scene.")] = 60,
    noise: Annotated[int, typer.Option(help="Level of sensor noise, 1 to 4.")] = 2,
    held_back: Annotated[
        bool, typer.Option("--held-back", help="Use only faces that no training has seen.")
    ] = False,
    seed: SceneSeed = 0,
    also: Annotated[
        list[str] | None, typer.Option(metavar="NAME=MODEL", help="Add a row for another model.")
    ] = None,
    device: Device = "cpu",
    json_file: Table = None,
) -> None:
    """Measure what each part of the stabilizer contributes, beside simple filters."""
    from steadymark.app.cli.reports.ablation_report import report_ablation
    from steadymark.engine.bench.scenes.ablation_benchmark import AblationConfig
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        config = AblationConfig(sequences, frames, noise, seed, held_back=held_back)
        settings = TrackSettings(model=model, device=device)
        report_ablation(data, settings, config, json_file, tune=tune, also=also or [], console=out)
        return 0

    report_errors(run)


def identity(
    data: Faces,
    model: Model = DEFAULT_MODEL,
    videos: Annotated[int, typer.Option(help="Number of synthetic videos of each kind.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the random videos.")] = 0,
    device: Device = "cpu",
    json_file: Table = None,
) -> None:
    """Measure whether faces keep their ids when they cross, are hidden or leave."""
    from steadymark.app.cli.reports.identity_report import report_identity
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        settings = TrackSettings(model=model, device=device)
        report_identity(data, settings, json_file, videos=videos, seed=seed, out=out, err=err)
        return 0

    report_errors(run)


@help_groups(
    {
        INPUT: "data report",
        FACES: "threshold most_false tracked",
        OUTPUT: "json_file write",
    }
)
def detector(
    data: Annotated[Path, typer.Option(help="The folder that contains faces, 300w and aflw2000.")],
    detectors: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DETECTOR…",
            help="Detectors, as in --detector of track; by default the shipped one.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Lowest score of a face for all detectors; by default each has its own.",
        ),
    ] = None,
    most_false: Annotated[
        float | None,
        typer.Option(
            "--false",
            min=0,
            help="Choose each threshold so that there are this many false boxes in 100 images.",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="Only write the set of hard faces into this folder, as 300W."),
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="Also test on all of aflw2000, which is never used for a choice."
        ),
    ] = False,
    tracked: Annotated[
        bool,
        typer.Option(
            "--tracked",
            help="Measure the faces that the tracker finds with the detector, instead of boxes.",
        ),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all figures to this JSON file.")
    ] = None,
) -> None:
    """Measure what face detectors find, miss and wrongly report on held-back photos."""
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
            tracked=tracked,
            out=out,
            err=err,
        )

    report_errors(run)


@help_groups({INPUT: "data report", OUTPUT: "json_file plot", COMPUTER: "device"})
def scores(
    data: Annotated[Path, typer.Option(help="The folder that contains 300w, faces and aflw2000.")],
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL…", help="Names of models, or .onnx files; by default the default model."
        ),
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="Also test on 300w/common and aflw2000, which are never used for a choice.",
        ),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all figures to this JSON file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw score against landmarks in place (.png).")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Measure what the scores of landmarks mean, and whether hidden landmarks have lower scores."""
    from steadymark.app.cli.evaluate_command import short_labels
    from steadymark.app.cli.output_files import OutputFiles
    from steadymark.app.cli.reports.scores_report import report_scores
    from steadymark.engine.tracking.settings import TrackSettings

    def run() -> int:
        chosen = {
            label: TrackSettings(model=name, device=device, stabilizer="none")
            for label, name in short_labels(models or [DEFAULT_MODEL]).items()
        }
        return report_scores(
            data, chosen, OutputFiles(json_file, plot), reported=report, out=out, err=err
        )

    report_errors(run)
