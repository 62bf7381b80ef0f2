"""Groups of options in the output of `--help`, such as Input, Faces and Output."""

from __future__ import annotations

import inspect
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from typer.models import OptionInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

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


def help_groups(
    groups: Mapping[str, str],
    further_options: Callable[[Collection[str]], Mapping[str, Any]] = lambda _taken: {},
) -> Callable[[Command], Command]:
    """Show the options of a command in groups, in this order.

    Args:
        groups: Heading → names of the command's parameters, separated by spaces. `**` stands for
            the further options.
        further_options: Takes the options of the command, such as `--out`, and returns
            annotations of further
            options by name. The command gets their values as `**` keyword arguments, which are None
            if the option is not given.

    Returns:
        A decorator to be placed below `@app.command()`. It raises ValueError if a parameter is
            unknown or an option is in no group.
    """

    def grouped(command: Command) -> Command:
        signature = inspect.signature(command)
        hints = deepcopy(get_type_hints(command, include_extras=True))  # commands share options
        listed = {
            name: parameter
            for name, parameter in signature.parameters.items()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        }
        added = further_options(
            {text for name in listed for text in _option_texts(name, hints[name])}
        )
        hints |= added
        for name in added:
            listed[name] = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        places = {
            name: group
            for group, names in groups.items()
            for name in names.replace("**", " ".join(added)).split()
        }
        options = {name: found for name, hint in hints.items() if (found := _option(hint))}
        if unknown := places.keys() ^ options.keys():
            raise ValueError(f"options of {command.__name__} in no group, or unknown: {unknown}")
        for name, option in options.items():
            option.rich_help_panel = places[name]
        ordered = [name for name in listed if name not in places] + list(places)
        parameters = [
            listed[name].replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
            for name in ordered
        ]
        command.__annotations__ = hints
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return command

    return grouped


def _option_texts(name: str, hint: Any) -> Iterable[str]:
    """Return what users write for an option, such as `--out`."""
    option = _option(hint)
    return option.param_decls or [f"--{name.replace('_', '-')}"] if option else ()


def _option(hint: Any) -> OptionInfo | None:
    """Return the option that an annotation describes, or None for an argument."""
    return next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, OptionInfo)), None)
