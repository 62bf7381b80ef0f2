"""Commands of `steadymark-train` that train recurrent cells over a frozen backbone."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from steadymark.models.face.schema import SCHEMA_OF_UNNAMED, load_schema
from steadymark.models.training.cli_options import (
    Alter,
    Data,
    Device,
    Minutes,
    Out,
    Preset,
    Resume,
    Seed,
    Start,
    Steps,
    Threads,
    Val,
    Workers,
    check_run,
    colours,
    margin_of,
)

if TYPE_CHECKING:
    from steadymark.models.training.stabilizer.frozen_backbone import BackboneInfo
    from steadymark.models.training.stabilizer.heatmap_cell_systems import RecurrentSystem

console = Console(stderr=True, highlight=False)

Backbone = Annotated[
    Path, typer.Option(help="A run's last.pt, an exported model, or any .onnx file.")
]
Heatmaps = Annotated[
    str,
    typer.Option(
        help="ONNX: name of the heatmap output, or of the outputs for x and y, "
        "separated by a comma."
    ),
]
Side = Annotated[int, typer.Option(help="ONNX: side of the input, if the file leaves it open.")]
Margin = Annotated[
    str,
    typer.Option(
        help="ONNX: side of the crop divided by the fitted size of the face; auto "
        "tries five values."
    ),
]
Rgb = Annotated[bool, typer.Option(help="ONNX: order of the input channels.")]
Mean = Annotated[str, typer.Option(help="ONNX: mean that is subtracted, 0 to 255.")]
Std = Annotated[str, typer.Option(help="ONNX: standard deviation that is divided by, 0 to 255.")]
Schema = Annotated[
    str, typer.Option(help="ONNX: landmark schema of the output: ibug68, wflw98 and others.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Also train over a backbone whose error is large.")
]
_MAX_SIDE = 4096  # px


def run_training(
    system: Any,
    data: Path,
    out: Path,
    *,
    resume: bool,
    threads: int,
    settings: dict[str, Any],
    cache_minutes: float = 0.0,
) -> None:
    """Train a system, and show its progress.

    Args:
        system: The system to train.
        data: The data folder or data set.
        out: Folder of the run.
        resume: Continue from the run's last checkpoint.
        threads: CPU threads; 0 for torch's default.
        settings: Fields of `RunSettings`.
        cache_minutes: Minutes of the whole run that limit the time for preparing sequences, see
            `CacheBudget`; 0 for no limit.
    """
    import torch

    from steadymark.models.training.loop.progress_bars import progress_bars
    from steadymark.models.training.loop.training_run import RunSettings, train
    from steadymark.models.training.stabilizer.cache_budget import CacheBudget

    if threads:
        torch.set_num_threads(threads)
    with progress_bars(console, system.name) as bars:
        cache_budget = CacheBudget(
            cache_minutes,
            settings["began_s"],
            tell=bars.tell,
            report=bars.show_cache,
        )
        checkpoint = train(
            system,
            data,
            out,
            RunSettings(**settings),
            resume=resume,
            report=bars,
            cache_budget=cache_budget,
        )
    console.print(f"trained: {checkpoint}", soft_wrap=True)


def add_recurrent_trainer(app: typer.Typer, command_name: str, system: str, about: str) -> None:
    """Add the command that trains a recurrent system over a frozen detector.

    Args:
        app: The program to add it to.
        command_name: Name of the command.
        system: Name of the system.
        about: Help text of the command.
    """

    def command(
        data: Data,
        out: Out,
        backbone: Backbone,
        preset: Preset = "lite",
        minutes: Minutes = 40.0,
        steps: Steps = 0,
        resume: Resume = False,
        device: Device = "auto",
        seed: Seed = 7,
        workers: Workers = 1,
        threads: Threads = 0,
        start: Start = "",
        alter: Alter = None,
        val: Val = None,
        heatmaps: Heatmaps = "",
        crop: Side = 256,
        margin: Margin = "auto",
        rgb: Rgb = True,
        mean: Mean = "127.5,127.5,127.5",
        std: Std = "127.5,127.5,127.5",
        schema: Schema = SCHEMA_OF_UNNAMED,
        force: Force = False,
    ) -> None:
        settings = _settings(minutes, steps, device, seed, workers, start, val)
        check_run(data=data, out=out, threads=threads, **settings)
        info = _stated_backbone(
            backbone, crop, heatmaps, rgb=rgb, mean=mean, std=std, schema=schema
        )
        checkpoint = out / "last.pt" if resume and (out / "last.pt").is_file() else None
        recurrent_system = _recurrent_system(system, preset, alter or [])
        stated_margin = margin_of(margin)
        over_backbone = _over_checked_backbone(
            recurrent_system,
            info,
            data,
            val,
            margin=stated_margin,
            force=force,
            checkpoint=checkpoint,
        )
        is_length_given = steps or any(
            setting.strip().startswith("sequences=") for setting in alter or []
        )
        run: dict[str, Any] = {"resume": resume, "threads": threads, "settings": settings}
        run_training(
            over_backbone, data, out, cache_minutes=0.0 if is_length_given else minutes, **run
        )

    app.command(command_name, help=about)(command)


def _settings(
    minutes: float, steps: int, device: str, seed: int, workers: int, start: str, val: Path | None
) -> dict[str, Any]:
    """Return the fields of `RunSettings` for a run that begins now."""
    return {
        "minutes": minutes,
        "steps": steps,
        "device": device,
        "seed": seed,
        "workers": workers,
        "start": start,
        "val": str(val or ""),
        "began_s": time.monotonic(),
    }


def _stated_backbone(
    file: Path, crop: int, heatmaps: str, *, rgb: bool, mean: str, std: str, schema: str
) -> BackboneInfo:
    """Return what the options state about a backbone.

    Raises:
        ValueError: A value is out of range or not a number, or the schema is unknown.
    """
    if not 8 <= crop <= _MAX_SIDE:
        raise ValueError(f"--crop {crop}: give pixels, from 8 to {_MAX_SIDE}")
    load_schema(schema)
    from steadymark.models.training.stabilizer.frozen_backbone import BackboneInfo

    return BackboneInfo(
        file=str(file),
        crop=crop,
        heatmaps=tuple(heatmaps.split(",")) if heatmaps else (),
        rgb=rgb,
        mean=colours(mean, "--mean"),
        std=colours(std, "--std", zero=False),
        schema=schema,
    )


def _recurrent_system(name: str, preset: str, alter: list[str]) -> RecurrentSystem:
    from steadymark.models.training.registry import altered, find_system
    from steadymark.models.training.stabilizer.heatmap_cell_systems import RecurrentSystem

    chosen = altered(find_system(name, preset), alter)
    assert isinstance(chosen, RecurrentSystem)
    return chosen


def _over_checked_backbone(
    system: RecurrentSystem,
    info: BackboneInfo,
    data: Path,
    val: Path | None,
    *,
    margin: float | None,
    force: bool,
    checkpoint: Path | None,
) -> RecurrentSystem:
    """Return the system over a backbone whose error on faces was checked.

    Args:
        system: The recurrent system.
        info: What the options state about the backbone.
        data: The data folder or data set.
        val: Another data set for validation, or None.
        margin: Margin of the crop, or None to choose the best.
        force: Accept a backbone with a large error.
        checkpoint: Checkpoint to resume from, or None; the check is skipped when resuming.

    Raises:
        ValueError: There is no such backbone.
        SteadymarkError: The backbone's error on faces is too large.
    """
    from steadymark.models.training.loop.checkpoint import load_checkpoint
    from steadymark.models.training.stabilizer.backbone_check import check_backbone
    from steadymark.models.training.stabilizer.heatmap_cell_systems import sequence_faces
    from steadymark.models.training.stabilizer.open_backbone import open_backbone
    from steadymark.models.training.stabilizer.torch_backbone import TorchBackbone

    backbone = open_backbone(info)
    if isinstance(backbone, TorchBackbone):
        margin = backbone.info.margin
    if checkpoint is not None:
        margin = margin or float(load_checkpoint(checkpoint)["recipe"]["backbone"]["margin"])
    else:
        faces = sequence_faces(data, val, info.schema)
        check = check_backbone(backbone, faces, margin=margin, force=force, tell=_tell)
        margin = check.margin
    assert margin is not None
    return system.over(replace(info, margin=margin), data, val)


def _tell(text: str) -> None:
    console.print(escape(text), soft_wrap=True)
