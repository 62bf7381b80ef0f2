"""`steadymark add-model`: a network of somebody else's becomes a model of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.markup import escape

from steadymark.app.guarding import err, guarded, out
from steadymark.engine.errors import UsageError

if TYPE_CHECKING:
    from steadymark.models.adding import Prepared
    from steadymark.models.trying import Triple, Wish

Known = TypeVar("Known")
_LAYOUTS = {"nchw": False, "nhwc": True}


def add_model(
    file: Annotated[Path, typer.Argument(metavar="FILE.onnx", help="The network.")],
    name: Annotated[str, typer.Option(help="What to call it; else as its file.")] = "",
    licence: Annotated[
        str, typer.Option(help="Terms of its weights; 'unknown' if you do not know them.")
    ] = "",
    data: Annotated[
        str, typer.Option(help="What it was trained on; 'unknown' if you do not know it.")
    ] = "",
    output: Annotated[str, typer.Option(help="coordinates, heatmaps or lines (x and y).")] = "",
    output_names: Annotated[
        str, typer.Option(help="Its outputs that hold them: NAME, or NAME_X,NAME_Y for lines.")
    ] = "",
    input_size: Annotated[
        int | None, typer.Option(help="Side of its input in pixels, where the file does not say.")
    ] = None,
    mean: Annotated[str, typer.Option(help="Taken off its input: 0.5, or one a channel.")] = "",
    std: Annotated[str, typer.Option(help="What its input is then divided by, likewise.")] = "",
    pixels: Annotated[
        str, typer.Option(help="What white is before that: 1 or 255.", metavar="1|255")
    ] = "",
    rgb: Annotated[
        bool | None, typer.Option("--rgb/--bgr", help="Order of its input's channels.")
    ] = None,
    layout: Annotated[
        str, typer.Option(help="Of its input, where the file does not say: nchw or nhwc.")
    ] = "",
    scale: Annotated[
        str, typer.Option(help="Units of coordinates: pixels, unit (0 … 1), signed (−1 … 1).")
    ] = "",
    schema: Annotated[
        str, typer.Option(help="Numbering of its landmarks: ibug68, wflw98, menpo84, cofw29 …")
    ] = "",
    margin: Annotated[
        float | None, typer.Option(help="Side of the crop it wants / size of the face.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Another folder than that of your own models.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace your model of that name.")
    ] = False,
) -> None:
    """Make a model to track with of any network of points, heatmaps or lines.

    What you leave out is read from the file, or found by trying on the demo clip's face, and told.
    """
    from steadymark.models.adding import check_name, prepare, save

    def run() -> int:
        wish = parse_wish(
            output=output,
            output_names=output_names,
            input_size=input_size,
            mean=mean,
            std=std,
            pixels=pixels,
            rgb=rgb,
            layout=layout,
            scale=scale,
            schema=schema,
            margin=margin,
        )
        called = name or file.stem
        check_name(called, folder, overwrite=overwrite)
        stated = {
            "licence": _asked("licence", licence, "the terms of its weights"),
            "data": _asked("data", data, "what it was trained on"),
        }
        prepared = prepare(file, wish)
        for warning in prepared.warnings:
            err.print(f"[yellow]warning:[/yellow] {escape(warning)}", soft_wrap=True)
        card = save(prepared, name=called, folder=folder, overwrite=overwrite, **stated)
        for line in described(prepared):
            out.print(escape(line), soft_wrap=True)
        model = str(card.path) if folder else card.name
        out.print(
            escape(f"added: steadymark track VIDEO --out DIR --model {model}"), soft_wrap=True
        )
        return 0

    guarded(run)


def parse_wish(
    *,
    output: str,
    output_names: str,
    input_size: int | None,
    mean: str,
    std: str,
    pixels: str,
    rgb: bool | None,
    layout: str,
    scale: str,
    schema: str,
    margin: float | None,
) -> Wish:
    """Options as they were typed; empty ones are found out.

    Raises:
        UsageError: one of them is none.
    """
    from steadymark.models.trying import Wish
    from steadymark.models.wrapping import Output, Scale

    kinds = {kind.value: kind for kind in Output}
    scales = {each.value: each for each in Scale}
    return Wish(
        output=_one_of("output", output, kinds),
        outputs=tuple(part.strip() for part in output_names.split(",") if part.strip()),
        crop=input_size,
        mean=_triple("mean", mean),
        std=_triple("std", std),
        white=_one_of("pixels", pixels, {"1": 1.0, "255": 255.0}),
        rgb=rgb,
        channels_last=_one_of("layout", layout, _LAYOUTS),
        scale=_one_of("scale", scale, scales),
        schema=schema or None,
        margin=margin,
    )


def _one_of(option: str, text: str, known: dict[str, Known]) -> Known | None:
    if not text:
        return None
    if text.lower() not in known:
        raise UsageError(f"--{option} is '{text}': choose {' or '.join(known)}")
    return known[text.lower()]


def _triple(option: str, text: str) -> Triple | None:
    """One number for all channels, or three."""
    if not text:
        return None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"--{option} is '{text}': write a number, or three: 0.5,0.5,0.5"
        ) from error
    if len(values) == 1:
        values *= 3
    if len(values) != 3:
        raise UsageError(
            f"--{option} has {len(values)} numbers: write one, or three (one a channel)"
        )
    return values[0], values[1], values[2]


def _asked(option: str, text: str, what: str) -> str:
    """What the user states; asked for at a terminal, never assumed."""
    if text.strip():
        return text
    if not sys.stdin.isatty():
        raise UsageError(
            f"--{option} is missing: state {what}, or write --{option} unknown if you do not know"
        )
    answer: str = typer.prompt(f"{option} ({what}; 'unknown' if you do not know)")
    return answer


def described(prepared: Prepared) -> list[str]:
    """What was read and found, in the words of the options."""
    wrapping = prepared.wrapping
    numbers = [",".join(f"{v:g}" for v in values) for values in (wrapping.mean, wrapping.std)]
    colours = "rgb" if wrapping.rgb else "bgr"
    layout = "nhwc" if wrapping.channels_last else "nchw"
    given = f"--input-size {wrapping.crop} --layout {layout} --{colours}"
    given += f" --pixels {wrapping.white:g} --mean {numbers[0]} --std {numbers[1]}"
    read = f"--output {wrapping.output} --schema {prepared.schema} --margin {prepared.margin:g}"
    if wrapping.output == "coordinates":
        read += f" --scale {wrapping.scale}"
    share = f"{100 * prepared.error:.1f} % of the eye distance off the truth on the demo clip"
    return [
        f"input: {given}",
        f"output: {read}",
        f"error: {share}",
        f"face score: {_score(prepared)}",
    ]


def _score(prepared: Prepared) -> str:
    if prepared.face_score.kind == "peak":
        return "from the height and sharpness of its heatmaps"
    return "from two looks at each face, which takes twice the time (the network has none)"
