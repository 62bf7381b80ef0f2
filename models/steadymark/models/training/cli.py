"""The command line program `steadymark-train`, which trains and exports the networks."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape

from steadymark.models.errors import SteadymarkError
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
)
from steadymark.models.training.paper_tables.paper_tables_cli import add_paper_tables
from steadymark.models.training.pupils.pupils_cli import add_pupil_commands
from steadymark.models.training.stabilizer_cli import add_recurrent_trainer, console, run_training

app = typer.Typer(
    help="Train Steadymark's networks (requires the extra 'train').",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _trainer(
    name: str, about: str, *, minutes: float = 120.0, seed: int = 7, check_s: float = 240.0
) -> None:
    """Add the command that trains a system which needs no other network.

    Args:
        name: Name of the command and of the system.
        about: Help text of the command.
        minutes: Default of `--minutes`.
        seed: Default of `--seed`.
        check_s: Longest time between validations, in seconds.
    """
    default_minutes, default_seed = minutes, seed

    def command(
        data: Data,
        out: Out,
        preset: Preset = "lite",
        minutes: Minutes = default_minutes,
        steps: Steps = 0,
        resume: Resume = False,
        device: Device = "auto",
        seed: Seed = default_seed,
        workers: Workers = 1,
        threads: Threads = 0,
        start: Start = "",
        alter: Alter = None,
        val: Val = None,
    ) -> None:
        began_s = time.monotonic()
        from steadymark.models.training.registry import altered, find_system

        settings: dict[str, Any] = {
            "minutes": minutes,
            "steps": steps,
            "device": device,
            "seed": seed,
            "workers": workers,
            "start": start,
            "val": str(val or ""),
            "began_s": began_s,
            "check_s": check_s,
        }
        check_run(data=data, out=out, threads=threads, **settings)
        system = altered(find_system(name, preset), alter or ())
        run_training(system, data, out, resume=resume, threads=threads, settings=settings)

    app.command(name, help=about)(command)


_trainer("heatmap1d", "Train the 1D-heatmap detector.")
_trainer("heatmap2d", "Train 2D heatmaps over the same backbone, to compare with.")
_trainer("dan", "Train the deep alignment network, stage by stage.")
_trainer("local_global", "Train heatmaps with part attention and a shape regressor.")
_trainer("flow-cell", "Train the stabilizer of landmarks that optical flow carries along.")
_trainer("face-net", "Train the face detector face_net.", minutes=400, seed=68, check_s=900)
_trainer("pupils", "Train the network that finds pupils.", minutes=20)
add_recurrent_trainer(
    app, "heatmap1d-tracker", "heatmap1d-tracker", "Train heatmap1d's temporal refinement (eq. 13)."
)
add_recurrent_trainer(
    app, "stabilize", "stabilizer", "Make a video tracker of any heatmap backbone (ConvLSTM)."
)


add_paper_tables(app)
add_pupil_commands(app)


@app.command("average")
def average(
    runs: Annotated[
        list[Path], typer.Argument(help="Training runs that were fine-tuned from the same weights.")
    ],
    out: Out,
    data: Annotated[
        Path | None,
        typer.Option(help="The data folder, to measure the statistics of batch norms anew."),
    ] = None,
) -> None:
    """Average the weights of several runs into one network."""
    from steadymark.models.training.loop.weight_averaging import average_runs

    console.print(f"averaged: {average_runs(runs, out, data=data)}")


@app.command("exchange-backbone")
def exchange(
    stabilizer: Annotated[Path, typer.Argument(help="The .onnx file of a stabilizer.")],
    backbone: Annotated[Path, typer.Option(help="The .onnx file of the newer backbone.")],
    out: Annotated[Path, typer.Option(help="Folder of the new file and card.")],
) -> None:
    """Put a stabilizer over newer weights of its backbone, without a training."""
    from steadymark.models.training.stabilizer.exchange_backbone import exchange_backbone

    changed = exchange_backbone(stabilizer, backbone, out)
    console.print(f"written: {out / stabilizer.name}, with {changed} other tensors")


@app.command("face-score")
def face_score(
    run: Annotated[Path, typer.Argument(help="The run of a landmark network.")],
    data: Data,
    out: Out,
    seed: Seed = 7,
) -> None:
    """Fit the face score of a network on places that the face detector is unsure of."""
    from steadymark.models.training.landmarks.face_score_fit import fit_face_score

    check_run(data=data, out=out, seed=seed)
    figures = fit_face_score(run, data, out, seed=seed)
    console.print(
        f"{figures.crops} crops, {figures.faces} of them faces; of faces that it did not see, "
        f"{100 * figures.kept:.1f} % stay tracked and {100 * figures.sure:.1f} % are sure"
    )


@app.command("export")
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a training run.")],
    out: Annotated[Path, typer.Option(help="Folder of the model and its card.")],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "heatmap1d-lite",
    scores: Annotated[
        Path | None,
        typer.Option(
            help="JSON of figures for the card: {name: figure}; of a detector: of bench detector."
        ),
    ] = None,
    scores_note: Annotated[str, typer.Option(help="How these were measured, for the card.")] = "",
    threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="Of a detector: least score; 0: as the validation chose."),
    ] = 0.0,
    best: Annotated[
        bool,
        typer.Option(
            "--best",
            help="Export the weights with the best validation score instead of the last ones.",
        ),
    ] = False,
    over: Annotated[str, typer.Option(help="For a stabilizer: the model that it stabilizes.")] = "",
    follower: Annotated[
        str,
        typer.Option(help="For a landmark model: the model that tracks a face after it."),
    ] = "",
    licence: Annotated[
        str,
        typer.Option(help="Licence for the card; for a stabilizer, the licence of its backbone."),
    ] = "",
    data_note: Annotated[str, typer.Option(help="Training data for the card.")] = "",
) -> None:
    """Export a run to NAME.onnx with its model card NAME.json."""
    from steadymark.models.training.export_run import NOT_STATED, export_run

    model = export_run(
        run,
        out,
        name,
        scores=_figures(scores),
        scores_note=scores_note,
        threshold=threshold,
        best=best,
        over=over,
        follower=follower,
        licence=licence,
        data_note=data_note,
    )
    console.print(f"written: {model}", soft_wrap=True)
    card = json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))
    for part, option in (("licence", "--licence"), ("data", "--data-note")):
        if card[part] in (NOT_STATED, [NOT_STATED]):
            console.print(f"the card says of the {part}: {NOT_STATED}; say it with {option} TEXT")


@app.command("export-again")
def export_again_command(
    name: Annotated[str, typer.Argument(help="Name of a shipped model, or its .onnx file.")],
    out: Annotated[Path, typer.Option(help="Folder of the new file and card.")],
) -> None:
    """Write a model again with today's graph and the same weights."""
    from steadymark.models.training.export_again import export_again

    console.print(f"written: {export_again(name, out)}", soft_wrap=True)


def _figures(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"--scores {file}: give JSON of names and figures ({error})") from error


@app.command("calibrate-scores")
def calibrate_scores_command(
    name: Annotated[str, typer.Argument(help="Name of a landmark model, or its .onnx file.")],
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the new model and its card; by default the model's own."),
    ] = None,
    card_only: Annotated[
        bool,
        typer.Option(
            "--card-only", help="Keep the ONNX file as it is, and write only new numbers."
        ),
    ] = False,
) -> None:
    """Fit a model's landmark scores, so that 0.9 means: 90 % lie within 5 % of the eye distance."""
    from steadymark.models.runtime.zoo import find_model
    from steadymark.models.training.landmarks.score_fit import calibrate_scores

    check_run(data=data)
    card = find_model(name, "landmarks")
    folder = out or card.path.parent
    found = calibrate_scores(card, data, folder, card_only=card_only)
    console.print(f"written: {folder / card.name}.json", soft_wrap=True)
    low, high = found.shares[0], found.shares[-1]
    seen = "with" if found.visible_weight else "without"
    console.print(f"scores from {low:.2f} to {high:.2f}, {seen} the output 'visible'")


@app.command("reproduce")
def reproduce_command(
    name: Annotated[str, typer.Argument(help="Name of a recipe, such as flow-cell.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the model and its card; runs are in runs/.")],
    with_parents: Annotated[
        bool,
        typer.Option(
            "--with-parents",
            help="Also make the models that this one needs, instead of using the shipped ones.",
        ),
    ] = False,
) -> None:
    """Make a model by its recipe; after an interruption, it continues."""
    from steadymark.models.runtime.zoo import weights_folder
    from steadymark.models.training.reproduce import largest_difference, read_recipe, reproduce

    check_run(data=data, out=out)
    console.print(escape(read_recipe(name).about), soft_wrap=True)
    file = reproduce(
        name,
        data.absolute(),
        out.absolute(),
        with_parents=with_parents,
        tell=lambda text: console.print(escape(text), soft_wrap=True),
    )
    console.print(f"written: {file}", soft_wrap=True)
    shipped = weights_folder() / file.name
    if not shipped.is_file():
        console.print("this model is not shipped, so there are no weights to compare with")
        return
    difference = largest_difference(file, shipped)
    console.print(f"largest difference from the shipped weights: {difference:.1e} of their scale")


@app.command("gpu-checks")
def gpu_checks(
    out: Annotated[Path, typer.Option(help="JSON file of the results.")],
    device: Annotated[
        str, typer.Option(help="cuda, or cpu to compare the CPU with itself.")
    ] = "cuda",
    only: Annotated[
        str,
        typer.Option(
            help="Parts to run, separated by commas: pdc, state, onnx, loss, paper, speed, step; "
            "by default all."
        ),
    ] = "",
    repeats: Annotated[int, typer.Option(min=1, max=1000, help="Runs of each measurement.")] = 20,
    batch: Annotated[
        int, typer.Option(min=0, max=1024, help="Size of the batches; 0: each system's own.")
    ] = 0,
    minutes: Annotated[
        float, typer.Option(min=0, help="Checks that have not begun by then are skipped.")
    ] = 9.0,
) -> None:
    """Compare a GPU with the CPU and measure its speed; the exit code is 1 if results differ."""
    from steadymark.models.training.gpu_checks.run_checks import CheckSettings, run_checks

    if device not in ("cpu", "cuda"):
        raise ValueError(f"unknown device '{device}': choose cuda or cpu")
    if not out.absolute().parent.is_dir() or out.is_dir():
        raise ValueError(f"--out {out}: name a file in a folder that exists")
    settings = CheckSettings(
        device, tuple(only.split(",")) if only else (), repeats, batch, minutes
    )
    report = run_checks(settings, lambda text: console.print(escape(text), soft_wrap=True))
    out.write_text(json.dumps(report.content(), indent=2) + "\n", encoding="utf-8")
    console.print(f"written: {out}", soft_wrap=True)
    if not report.is_passed:
        raise typer.Exit(1)


def main() -> None:
    """Run `steadymark-train`; errors are printed in one sentence, with exit code 2."""
    try:
        app()
    except ImportError as error:
        _refuse(f"{error}: training needs 'pip install steadymark[train]'")
    except OSError as error:
        _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (SteadymarkError, ValueError) as error:
        _refuse(str(error))
    except Exception as error:
        if os.environ.get("STEADYMARK_DEBUG"):
            raise
        _refuse(
            f"something unexpected happened ({type(error).__name__}: {error}); run again with "
            "STEADYMARK_DEBUG=1 for details, and report it"
        )


def _refuse(text: str) -> NoReturn:
    console.print(f"[red]error:[/red] {escape(text)}", soft_wrap=True)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
