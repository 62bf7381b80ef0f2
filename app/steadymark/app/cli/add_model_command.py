"""`steadymark add-model`: adds a third-party network to the user's own models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import MODEL, NETWORK, help_groups
from steadymark.engine.core.errors import UsageError
from steadymark.models.own_models.output_kind import OUTPUT_KINDS

if TYPE_CHECKING:
    from steadymark.models.own_models.add_model import PreparedModel


def _output_kinds() -> str:
    """Return the names of all output kinds; `KIND` if a plug-in cannot be loaded."""
    try:
        return "|".join(OUTPUT_KINDS.names())
    except UsageError:  # the command itself reports it
        return "KIND"


File = Annotated[Path, typer.Argument(metavar="FILE.onnx", help="ONNX file of the network.")]
Name = Annotated[str, typer.Option(help="Name of the model; by default the name of the file.")]
Licence = Annotated[
    str, typer.Option(help="Licence of the weights; 'unknown' if you do not know it.")
]
Trained = Annotated[
    str, typer.Option(help="Training data of the network; 'unknown' if you do not know it.")
]
OutputKind = Annotated[
    str, typer.Option(metavar=_output_kinds(), help="What its outputs hold; lines are of x and y.")
]
OutputNames = Annotated[
    str, typer.Option(help="Names of the outputs to use: NAME, or NAME_X,NAME_Y for lines.")
]
InputSize = Annotated[
    str, typer.Option(help="Side of the input in pixels, if the file does not say it.")
]
Mean = Annotated[
    str,
    typer.Option(help="Mean that is subtracted from the input: one number, or one per channel."),
]
Std = Annotated[
    str,
    typer.Option(
        help="Standard deviation by which the input is then divided: one number, or "
        "one per channel."
    ),
]
Pixels = Annotated[str, typer.Option(help="Value of white before that: 1 or 255.", metavar="1|255")]
Colours = Annotated[bool | None, typer.Option("--rgb/--bgr", help="Order of the input channels.")]
Layout = Annotated[
    str, typer.Option(help="Layout of the input, if the file does not say it: nchw or nhwc.")
]
Scale = Annotated[
    str, typer.Option(help="Units of coordinates: pixels, unit (0 to 1) or signed (−1 to 1).")
]
Schema = Annotated[
    str, typer.Option(help="Landmark schema: ibug68, wflw98, jd106, insightface106 and others.")
]
Margin = Annotated[str, typer.Option(help="Side of the crop divided by the size of the face.")]
Folder = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the model; by default the folder of your own models."),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an own model of the same name.")
]


@help_groups(
    {
        MODEL: "name folder overwrite licence data",
        NETWORK: "output output_names input_size mean std pixels rgb layout scale schema margin",
    }
)
def add_model(
    file: File,
    name: Name = "",
    licence: Licence = "",
    data: Trained = "",
    output: OutputKind = "",
    output_names: OutputNames = "",
    input_size: InputSize = "",
    mean: Mean = "",
    std: Std = "",
    pixels: Pixels = "",
    rgb: Colours = None,
    layout: Layout = "",
    scale: Scale = "",
    schema: Schema = "",
    margin: Margin = "",
    folder: Folder = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a model to track with of any network of points, heatmaps or lines.

    What you leave out is read from the file, or found by trying on the demo clip's face, and told.
    """
    typed = {"output": output, "output-names": output_names, "input-size": input_size}
    typed |= {"mean": mean, "std": std, "pixels": pixels, "layout": layout, "scale": scale}
    typed |= {"colours": "" if rgb is None else "rgb" if rgb else "bgr"}
    typed |= {"schema": schema, "margin": margin}
    stated = {"licence": licence, "data": data}
    report_errors(lambda: _add(file, name or file.stem, typed, stated, folder, overwrite=overwrite))


def _add(
    file: Path,
    name: str,
    typed: dict[str, str],
    stated: dict[str, str],
    folder: Path | None,
    *,
    overwrite: bool,
) -> int:
    """Add the network in a file, and print how it was interpreted.

    Args:
        file: The file of the network.
        name: The name of the new model.
        typed: The texts of the options, see `parse_network_description`.
        stated: The licence and the training data. The user is asked for empty ones.
        folder: The folder of the new model. None means the folder of the user's own models.
        overwrite: Whether an existing model with this name is replaced.

    Returns:
        The exit code.
    """
    from steadymark.app.session.model_options import parse_network_description
    from steadymark.models.own_models.add_model import check_name, prepare_model, save_model

    description = parse_network_description(typed)
    check_name(name, folder, overwrite=overwrite)
    licence = _ask_if_empty("licence", stated["licence"], "the terms of its weights")
    data = _ask_if_empty("data", stated["data"], "what it was trained on")
    prepared = prepare_model(file, description)
    for warning in prepared.warnings:
        err.print(f"[yellow]warning:[/yellow] {escape(warning)}", soft_wrap=True)
    card = save_model(
        prepared, name=name, folder=folder, overwrite=overwrite, licence=licence, data=data
    )
    for line in description_lines(prepared):
        out.print(escape(line), soft_wrap=True)
    model = str(card.path) if folder else card.name
    out.print(escape(f"added: steadymark track VIDEO --out DIR --model {model}"), soft_wrap=True)
    return 0


def _ask_if_empty(option: str, text: str, what: str) -> str:
    """Return what the user states. Empty statements are asked for at a terminal, never assumed."""
    if text.strip():
        return text
    if not sys.stdin.isatty():
        raise UsageError(
            f"--{option} is missing: state {what}, or write --{option} unknown if you do not know"
        )
    answer: str = typer.prompt(f"{option} ({what}; 'unknown' if you do not know)")
    return answer


def description_lines(prepared: PreparedModel) -> list[str]:
    """Describe the detected network with the names of the options."""
    from steadymark.app.session.model_options import description_texts

    words = description_texts(prepared)
    colours = words.pop("colours")
    options = " ".join(f"--{name} {value}" for name, value in words.items())
    share = f"{100 * prepared.error:.1f} % of the eye distance off the truth on the demo clip"
    return [
        f"read as: --{colours} {options}",
        f"error: {share}",
        f"face score: {_face_score_text(prepared)}",
    ]


def _face_score_text(prepared: PreparedModel) -> str:
    if prepared.face_score.kind == "peak":
        return "from the height and sharpness of its heatmaps"
    return "from two looks at each face, which takes twice the time (the network has none)"
