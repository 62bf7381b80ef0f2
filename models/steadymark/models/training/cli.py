"""`steadymark-train`: train the networks, and export what was trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from steadymark.models.errors import SteadymarkError

app = typer.Typer(
    help="Train Steadymark's networks (needs the extra 'train').",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console(stderr=True, highlight=False)

Data = Annotated[Path, typer.Option(help="The data folder, with 300w/ and faces/.")]
Out = Annotated[Path, typer.Option(help="Where the run's checkpoints and curve go.")]
Minutes = Annotated[float, typer.Option(help="Training time, over all resumptions.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")]
Threads = Annotated[int, typer.Option(help="CPU threads of the network; 0: all cores.")]


def _set_threads(threads: int) -> None:
    import torch

    if threads:
        torch.set_num_threads(threads)


@app.command("heatmap1d")
def train_heatmap1d(
    data: Data,
    out: Out,
    minutes: Minutes = 120.0,
    resume: Resume = False,
    threads: Threads = 0,
) -> None:
    """Train heatmap1d-lite, the landmark network."""
    from steadymark.models.training.landmarks import LandmarkRecipe, train_landmarks

    _set_threads(threads)
    recipe = LandmarkRecipe(minutes=minutes)
    checkpoint = train_landmarks(data, out, recipe, resume=resume, report=console.print)
    console.print(f"trained: {checkpoint}")


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


@app.command("export")
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a training run.")],
    out: Annotated[Path, typer.Option(help="Where model and card go.")],
    name: Annotated[str, typer.Option(help="The model's name in the zoo.")] = "heatmap1d-lite",
    scores: Annotated[
        Path | None, typer.Option(help="JSON of measured figures for the card: {name: figure}.")
    ] = None,
) -> None:
    """Write NAME.onnx with its model card NAME.json."""
    from steadymark.models.training.exporting import export_landmarks

    figures = json.loads(scores.read_text(encoding="utf-8")) if scores else {}
    console.print(f"written: {export_landmarks(run, out, name, scores=figures)}")


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
