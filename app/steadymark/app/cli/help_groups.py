"""Groups of options in the output of `--help`, such as Input, Faces and Output."""

from __future__ import annotations

import inspect
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from typer.models import OptionInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Command = TypeVar("Command", bound="Callable[..., None]")

INPUT = "Input"
FACES = "Faces"
STABILIZER = "Stabilizer"
OUTPUT = "Output"
LIVE = "Live"
COMPUTER = "Computer"
SCENES = "Scenes"
MODEL = "Model"
NETWORK = "Network"


def help_groups(groups: Mapping[str, str]) -> Callable[[Command], Command]:
    """Show the options of a command in groups, in this order.

    Args:
        groups: Heading → names of the command's parameters, separated by spaces.

    Returns:
        A decorator to be placed below `@app.command()`. It raises ValueError if a parameter is
            unknown or an option is in no group.
    """
    places = {name: group for group, names in groups.items() for name in names.split()}

    def grouped(command: Command) -> Command:
        signature = inspect.signature(command)
        hints = deepcopy(get_type_hints(command, include_extras=True))  # commands share options
        options = {name: found for name, hint in hints.items() if (found := _option(hint))}
        if wrong := places.keys() ^ options.keys():
            raise ValueError(f"options of {command.__name__} in no group, or unknown: {wrong}")
        for name, option in options.items():
            option.rich_help_panel = places[name]
        ordered = [name for name in signature.parameters if name not in places] + list(places)
        parameters = [
            signature.parameters[name].replace(
                kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]
            )
            for name in ordered
        ]
        command.__annotations__ = hints
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return command

    return grouped


def _option(hint: Any) -> OptionInfo | None:
    """Return the option that an annotation describes, or None for an argument."""
    return next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, OptionInfo)), None)
