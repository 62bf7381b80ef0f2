"""Options of the command line for the parameters of stabilizers, made from the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steadymark.engine.core.errors import UsageError
from steadymark.engine.stabilizers.stabilizer_registry import (
    NONE,
    STABILIZER_REGISTRY,
    ChosenStabilizer,
    StabilizerEntry,
    choose,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from steadymark.models.choice_registry import Parameter


@dataclass(frozen=True, slots=True)
class _OptionParameter:
    """A parameter that an option sets."""

    entry: StabilizerEntry
    parameter: Parameter

    @property
    def help(self) -> str:
        text = self.parameter.text(self.parameter.default)
        return f"{self.entry.name}: {self.parameter.help or self.parameter.label} Default: {text}."


class StabilizerOptions:
    """The options for the parameters of all stabilizers in one command.

    Stabilizers whose parameters have the same option share it. An option that the command has for
    something else is preceded by the stabilizer's name, as `--median-threshold`.
    """

    def __init__(self) -> None:
        self._parameters: dict[str, list[_OptionParameter]] = {}

    def annotations(self, taken: Collection[str]) -> dict[str, Any]:
        """Return the annotation of each of the command's parameters by its name.

        Args:
            taken: The command's other options, such as `--threshold`.
        """
        self._parameters.clear()
        for entry in _entries():
            for parameter in entry.parameters:
                option = parameter.option
                if option in taken:
                    option = f"--{entry.name}-{option.removeprefix('--')}"
                name = option.removeprefix("--").replace("-", "_")
                self._parameters.setdefault(name, []).append(_OptionParameter(entry, parameter))
        found: dict[str, Any] = {}
        for name, parameters in self._parameters.items():
            kind = int if all(one.parameter.whole for one in parameters) else float
            words = " ".join(one.help for one in parameters)
            option = typer.Option(f"--{name.replace('_', '-')}", help=words)
            found[name] = Annotated[kind | None, option]
        return found

    def values_for(self, stabilizer: str, given: Mapping[str, float | None]) -> dict[str, float]:
        """Return the given values by the names of the stabilizer's parameters.

        The value of an option that the stabilizer does not have gets the name of the parameter of
        another stabilizer, so that the later check of names reports it.
        """
        found = {}
        for name, value in given.items():
            if value is not None:
                parameters = self._parameters[name]
                own = next((o for o in parameters if o.entry.name == stabilizer), parameters[0])
                found[own.parameter.name] = value
        return found

    def filters(
        self, stabilizer: str, given: Mapping[str, float | None]
    ) -> tuple[ChosenStabilizer, ...]:
        """Return the stabilizers with the given values.

        Args:
            stabilizer: The chosen stabilizer. It alone gets the values of options that it shares.
            given: Values by the names of the command's parameters; None if an option is not given.

        Returns:
            The stabilizers that have one of the given options.

        Raises:
            UsageError: A value is out of range.
        """
        values: dict[str, dict[str, float]] = {}
        for name, value in given.items():
            if value is None:
                continue
            parameters = self._parameters[name]
            for one in [o for o in parameters if o.entry.name == stabilizer] or parameters:
                values.setdefault(one.entry.name, {})[one.parameter.name] = value
        return tuple(choose(name, **of_one) for name, of_one in values.items())


def stabilizers_help(*, on_points: bool = False) -> str:
    """Return the names of the stabilizers, with what each does.

    Args:
        on_points: Whether to name only those that need no images, without `none`.
    """
    return " ".join(
        f"{entry.name}: {entry.help}"
        for entry in _entries()
        if not on_points or not (entry.needs_images or entry.name == NONE)
    )


def _entries() -> tuple[StabilizerEntry, ...]:
    """Return all stabilizers, without those of plug-ins that cannot be loaded.

    `cli.main` reports such plug-ins; an error here would end the program with a traceback.
    """
    try:
        return STABILIZER_REGISTRY.all()
    except UsageError:
        return STABILIZER_REGISTRY.loaded()
