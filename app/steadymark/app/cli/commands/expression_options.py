"""The options `--expressions` and `--mirror` of commands that animate characters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from steadymark.engine.expressions.expression_settings import ExpressionSettings

ExpressionsOption = Annotated[
    str,
    typer.Option(
        "--expressions",
        help="Gain, dead zone and curve of each expression that is sent or animated: the name of "
        "a preset, or its file. Tables hold what is measured.",
    ),
]
MirrorOption = Annotated[
    bool,
    typer.Option("--mirror", help="Exchange left and right in what is sent or animated."),
]


def chosen_expressions(text: str, *, mirror: bool) -> ExpressionSettings:
    """Return the settings that the options choose.

    Args:
        text: Name or file of a preset; empty for none.
        mirror: Whether to mirror, also if the preset does not.

    Raises:
        UsageError: There is no such preset, or its file is not valid.
    """
    from steadymark.app.session.expressions.expression_presets import (
        ExpressionPresets,
        find_expressions,
        presets_folder,
    )
    from steadymark.engine.expressions.expression_settings import AS_MEASURED

    settings = AS_MEASURED
    if text:
        settings = find_expressions(text, ExpressionPresets(presets_folder()))
    return replace(settings, mirrored=True) if mirror else settings


def note_without_effect(
    chosen: ExpressionSettings, *, used: bool, instead: str, err: Console
) -> None:
    """Tell the user if the settings apply to nothing, since tables hold what is measured.

    Args:
        chosen: The settings.
        used: Whether something is sent or animated.
        instead: The options that send or animate something.
        err: Where the note is printed.
    """
    from steadymark.engine.expressions.expression_settings import AS_MEASURED

    if not used and chosen != AS_MEASURED:
        err.print(
            "[yellow]note:[/yellow] --expressions and --mirror change nothing here, since tables "
            f"hold what is measured: add {instead}",
            soft_wrap=True,
        )
