"""Groups of commands that are imported when they are used, so that each starts without the others.

Each command takes its options from the type hints of a function. These are read when the command is
used, or when the help lists it.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from steadymark.app.cli.choices_help import ChoicesCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class CommandGroup(TyperGroup):
    """A group whose commands are imported when they are used; subclasses name them.

    Attributes:
        places: The name of each command, in the order of the help → "module:name" of the function,
            or of the `Typer` of a further group.
    """

    places: ClassVar[Mapping[str, str]] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _ImportedCommands(self.places)


class _ImportedCommands(MutableMapping[str, Any]):
    """The commands of a group by name, made when they are read."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._found: dict[str, Any] = dict.fromkeys(places)
        self._places = places

    def __getitem__(self, name: str) -> Any:
        if self._found[name] is None:
            self._found[name] = _command(name, self._places[name])
        return self._found[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._found[name] = command

    def __delitem__(self, name: str) -> None:
        del self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _command(name: str, place: str) -> Any:
    """Import the command or group at a place."""
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name, cls=ChoicesCommand)(found)
    return get_command(alone)
