"""`steadymark-train`: train the networks, and export what was trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from steadymark.models.errors import SteadymarkError

app = typer.Typer(
    help="Train Steadymark's networks (needs the extra 'train').",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console(stderr=True, highlight=False)

Data = Annotated[Path, typer.Option(help="The data folder, with 300w/ and faces/.")]
Out = Annotated[Path, typer.Option(help="Where the run's checkpoints and curve go.")]
Preset = Annotated[str, typer.Option(help="Size and recipe: lite, paper; heatmap1d also: base.")]
Minutes = Annotated[float, typer.Option(help="Training time, over all resumptions.")]
Steps = Annotated[int, typer.Option(help="Training steps, instead of minutes.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(help="Decides weights, samples and their order.")]
Workers = Annotated[int, typer.Option(help="Processes that make samples.")]
Threads = Annotated[int, typer.Option(help="CPU threads of the network; 0: all cores.")]
Start = Annotated[
    str, typer.Option(help="Begin with the weights of this .pt or exported .onnx: fine-tuning.")
]
Alter = Annotated[
    list[str] | None,
    typer.Option("--set", help="A field of the recipe: rate=1e-3, network.gamma=0.2; repeatable."),
]
Backbone = Annotated[Path, typer.Option(help="A run's last.pt, an exported model, or any .onnx.")]


def _train(system: Any, data: Path, out: Path, resume: bool, threads: int, **settings: Any) -> None:
    """Train a system, telling how far it is."""
    import torch

    from steadymark.models.training.run import RunSettings, train
    from steadymark.models.training.showing import shown

    if threads:
        torch.set_num_threads(threads)
    with shown(console, system.name) as report:
        checkpoint = train(system, data, out, RunSettings(**settings), resume=resume, report=report)
    console.print(f"trained: {checkpoint}")


def _trainer(name: str, about: str) -> None:
    """Add the command that trains a system on still pictures."""

    def command(
        data: Data,
        out: Out,
        preset: Preset = "lite",
        minutes: Minutes = 120.0,
        steps: Steps = 0,
        resume: Resume = False,
        device: Device = "auto",
        seed: Seed = 7,
        workers: Workers = 1,
        threads: Threads = 0,
        start: Start = "",
        alter: Alter = None,
    ) -> None:
        from steadymark.models.training.systems import altered, find_system

        _train(
            altered(find_system(name, preset), alter or ()),
            data,
            out,
            resume,
            threads,
            minutes=minutes,
            steps=steps,
            device=device,
            seed=seed,
            workers=workers,
            start=start,
        )

    app.command(name, help=about)(command)


def _recurrent_trainer(command_name: str, system: str, about: str) -> None:
    """Add the command that trains a recurrent system over a frozen detector."""

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
        heatmaps: Annotated[
            str, typer.Option(help="ONNX: its heatmap output, or the two for x and y with a comma.")
        ] = "",
        crop: Annotated[int, typer.Option(help="ONNX: side of its input where it is open.")] = 256,
        margin: Annotated[
            float, typer.Option(help="ONNX: side of its crop / fitted size of the face.")
        ] = 1.4,
        rgb: Annotated[bool, typer.Option(help="ONNX: the order of colours it takes.")] = True,
        mean: Annotated[str, typer.Option(help="ONNX: taken off, 0-255.")] = "127.5,127.5,127.5",
        std: Annotated[str, typer.Option(help="ONNX: divided by, 0-255.")] = "127.5,127.5,127.5",
    ) -> None:
        from steadymark.models.training.backbones import BackboneInfo
        from steadymark.models.training.stabilizer_system import RecurrentSystem
        from steadymark.models.training.systems import altered, find_system

        info = BackboneInfo(
            file=str(backbone),
            crop=crop,
            margin=margin,
            heatmaps=tuple(heatmaps.split(",")) if heatmaps else (),
            rgb=rgb,
            mean=tuple(float(part) for part in mean.split(",")),
            std=tuple(float(part) for part in std.split(",")),
        )
        chosen = altered(find_system(system, preset), alter or ())
        assert isinstance(chosen, RecurrentSystem)
        _train(
            chosen.over(info, data),
            data,
            out,
            resume,
            threads,
            minutes=minutes,
            steps=steps,
            device=device,
            seed=seed,
            workers=workers,
            start=start,
        )

    app.command(command_name, help=about)(command)


_trainer("heatmap1d", "Train the 1D-heatmap detector.")
_trainer("heatmap2d", "Train 2D heatmaps over the same backbone, to compare with.")
_trainer("dan", "Train the deep alignment network, stage by stage.")
_trainer("local_global", "Train heatmaps with part attention and a shape regressor.")
_recurrent_trainer(
    "heatmap1d-tracker", "heatmap1d-tracker", "Train heatmap1d's temporal refinement (eq. 13)."
)
_recurrent_trainer(
    "stabilize", "stabilizer", "Make a video tracker of any heatmap backbone (ConvLSTM)."
)


@app.command("table1")
def table1(
    data: Data,
    out: Out,
    preset: Preset = "lite",
    minutes: Annotated[float, typer.Option(help="Training time of each cell.")] = 10.0,
    steps: Annotated[int, typer.Option(help="Training steps of each cell, instead.")] = 0,
    ratios: Annotated[str, typer.Option(help="L/F, with commas.")] = "0.25,0.5,1,1.5,2,2.5,3",
    device: Device = "auto",
    seed: Seed = 7,
) -> None:
    """Repeat heatmap1d's table 1: output size, memory and error of 1D and 2D heatmaps against L."""
    from steadymark.models.training.table1 import run_table

    arguments = {"minutes": minutes, "steps": steps, "device": device, "seed": seed}
    chosen = tuple(float(part) for part in ratios.split(","))
    table = Table("heatmaps", "L/F", "L", "values a face", "peak memory MiB", "steps", "NRMSE %")
    for row in run_table(data, out, preset=preset, ratios=chosen, arguments=arguments):
        known = row.nrmse == row.nrmse
        table.add_row(
            f"{row.axes}D",
            f"{row.ratio:g}",
            str(row.bins),
            str(row.values),
            f"{row.memory_mib:.0f}" if known else "out of memory",
            str(row.steps),
            f"{row.nrmse:.2f}" if known else "-",
        )
    Console().print(table)


@app.command("face-net")
def train_detector(
    data: Data,
    out: Out,
    minutes: Minutes = 110.0,
    resume: Resume = False,
    threads: Threads = 1,
) -> None:
    """Train face_net, the face detector."""
    from steadymark.models.training.face_net import FaceNetTraining, train_face_net

    config = FaceNetTraining(minutes=minutes)
    model = train_face_net(data, out, config=config, resume=resume, threads=threads or 1)
    console.print(f"trained: {model}")


@app.command("average")
def average(
    runs: Annotated[list[Path], typer.Argument(help="Runs that were fine-tuned from one another.")],
    out: Out,
) -> None:
    """Make one network of several runs: the mean of their weights."""
    from steadymark.models.training.averaging import average_runs

    console.print(f"averaged: {average_runs(runs, out)}")


@app.command("export")
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a training run.")],
    out: Annotated[Path, typer.Option(help="Where model and card go.")],
    name: Annotated[str, typer.Option(help="The model's name in the zoo.")] = "heatmap1d-lite",
    scores: Annotated[
        Path | None, typer.Option(help="JSON of measured figures for the card: {name: figure}.")
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="The best on the validation split, not the last.")
    ] = False,
    over: Annotated[
        str, typer.Option(help="Of a stabilizer: the zoo's model that it stabilizes.")
    ] = "",
) -> None:
    """Write NAME.onnx with its model card NAME.json."""
    from steadymark.models.training.exporting import export_run

    figures = json.loads(scores.read_text(encoding="utf-8")) if scores else {}
    console.print(f"written: {export_run(run, out, name, scores=figures, best=best, over=over)}")


def main() -> None:
    """Entry point of `steadymark-train`."""
    try:
        app()
    except ImportError as error:
        _refuse(f"{error}: training needs 'pip install steadymark[train]'")
    except (SteadymarkError, ValueError, OSError) as error:
        _refuse(str(error))


def _refuse(text: str) -> NoReturn:
    console.print(f"[red]error:[/red] {escape(text)}", soft_wrap=True)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
