"""Registries of what users can choose between, and the parameters of each choice.

The options of the command line, the controls of the window, presets and the documentation are made
from the entries. An entry is added by a module of the registry's package, or by a Python file that
the environment variable `STEADYMARK_PLUGINS` names.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import pkgutil
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from steadymark.models.errors import ContentError, UsageError
from steadymark.models.user_text import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from steadymark.models.user_text import UserText

PLUGINS = "STEADYMARK_PLUGINS"  # environment variable: Python files, separated as in PATH
_UNITS = ("_hz", "_s", "_ms", "_px", "_deg", "_frames")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a user can set.

    Attributes:
        name: Name of the keyword argument, with its unit as suffix, such as `cutoff_hz`.
        label: A few words for the window.
        help: What the number does, in one sentence.
        default: Value that is used if none is given.
        least: Smallest value.
        most: Largest value.
        step: Step of the control in the window. The values of a whole parameter are `least`,
            `least + step`, `least + 2 * step` and so on.
        unit: Unit that is shown behind the value, such as `Hz`.
        whole: True if the value is an integer.
        shown_least: Smallest value of the control in the window; None takes `least`.
        shown_most: Largest value of the control in the window; None takes `most`.
        in_summary: Whether summaries of settings name the value even if it is the default.
        tried: Values that benchmarks try.
    """

    name: str
    label: UserText
    default: float
    least: float
    most: float = math.inf
    step: float = 0.1
    unit: str = ""
    whole: bool = False
    help: UserText = NOTHING
    shown_least: float | None = None
    shown_most: float | None = None
    in_summary: bool = True
    tried: tuple[float, ...] = ()

    @property
    def option(self) -> str:
        """Name of the option of the command line, such as `--cutoff` for `cutoff_hz`."""
        without_unit = next(
            (self.name.removesuffix(suffix) for suffix in _UNITS if self.name.endswith(suffix)),
            None,
        )
        return f"--{without_unit or self.name}".replace("_", "-")

    def checked(self, value: float, owner: str) -> float:
        """Return the value if it lies within the range.

        Args:
            value: The value to check.
            owner: Name of the entry that has this parameter, for the message.

        Returns:
            The value; an integer if the parameter is whole.

        Raises:
            UsageError: The value is out of range, not a number, or not an integer.
        """
        if not self.least <= value <= self.most or math.isinf(value):
            range_text = f"from {self.least:g} to {self.most:g}"
            if math.isinf(self.most):
                range_text = f"{self.least:g} or more"
            raise UsageError(
                "{owner}'s {name} must be {range_text}, not {value:g}",
                owner=owner,
                name=self.name,
                range_text=range_text,
                value=value,
            )
        if self.whole and value != int(value):
            raise UsageError(
                "{owner}'s {name} must be a whole number, not {value:g}",
                owner=owner,
                name=self.name,
                value=value,
            )
        if value != self.nearest(value):
            raise UsageError(
                "{owner}'s {name} must be {first:g}, {second:g}, {third:g} and so on, not "
                "{value:g}",
                owner=owner,
                name=self.name,
                first=self.least,
                second=self.least + self.step,
                third=self.least + 2 * self.step,
                value=value,
            )
        return int(value) if self.whole else float(value)

    def nearest(self, value: float) -> float:
        """Return the nearest value that a whole parameter can have; others can have any."""
        if not self.whole or self.step <= 1:
            return value
        return self.least + self.step * round((value - self.least) / self.step)

    def text(self, value: float) -> str:
        """Return a value with its unit, such as `6 Hz`."""
        return f"{value:g} {self.unit}".rstrip()


def checked_parameters(
    parameters: Iterable[Parameter], values: Mapping[str, float], owner: str
) -> dict[str, float]:
    """Return a value for each parameter: the given one, checked, or the default.

    Args:
        parameters: All parameters of an entry.
        values: Given values by name.
        owner: Name of the entry, for messages.

    Returns:
        The values by name, in the order of the parameters.

    Raises:
        UsageError: A value is out of range, or there is no parameter of a given name.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in values:
        if name not in known:
            raise UsageError(
                "{owner} has no parameter '{name}': choose one of {known}",
                owner=owner,
                name=name,
                known=", ".join(known) or "none",
            )
    return {
        name: parameter.checked(values.get(name, parameter.default), owner)
        for name, parameter in known.items()
    }


class Choice(Protocol):
    """An entry of a registry."""

    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=Choice)


class Registry(Generic[Entry]):
    """The entries that users can choose between, by name.

    The modules of the package are imported when the registry is first read; each adds its entries.
    """

    def __init__(
        self, kind: str, package: str, first: Iterable[str] = (), others: Iterable[str] = ()
    ) -> None:
        """Create a registry.

        Args:
            kind: What an entry is, for messages, such as `stabilizer`.
            package: Full name of the package whose modules add entries.
            first: Names that are listed first, in this order; the others follow by name.
            others: Full names of further packages whose modules add entries.
        """
        self.kind = kind
        self._packages = (package, *others)
        self._first = tuple(first)
        self._entries: dict[str, Entry] = {}
        self._begun = self._loaded = False
        self._loading = RLock()  # so that no thread sees half of the entries

    def add(self, entry: Entry) -> Entry:
        """Add an entry.

        Args:
            entry: The entry.

        Returns:
            The same entry.

        Raises:
            ContentError: There is another entry of this name.
        """
        if entry.name in self._entries:
            raise ContentError(
                "the {kind} '{name}' is registered twice", kind=self.kind, name=entry.name
            )
        self._entries[entry.name] = entry
        return entry

    def remove(self, name: str) -> None:
        """Remove an entry; tests use this to restore the registry."""
        del self._entries[name]

    def all(self) -> tuple[Entry, ...]:
        """Return all entries in the order in which they are listed."""
        self.load()
        return self.loaded()

    def loaded(self) -> tuple[Entry, ...]:
        """Return the entries that are loaded, in the order in which they are listed."""
        rank = {name: i for i, name in enumerate(self._first)}
        return tuple(sorted(self._entries.values(), key=lambda e: (rank.get(e.name, 1e9), e.name)))

    def names(self) -> tuple[str, ...]:
        """Return the names of all entries in the order in which they are listed."""
        return tuple(entry.name for entry in self.all())

    def find(self, name: str) -> Entry:
        """Return the entry of this name.

        Args:
            name: Name of the entry.

        Returns:
            The entry.

        Raises:
            UsageError: The name is unknown.
        """
        self.load()
        if name not in self._entries:
            raise UsageError(
                "unknown {kind} '{name}': choose one of {known}",
                kind=self.kind,
                name=name,
                known=", ".join(self.names()),
            )
        return self._entries[name]

    def load(self) -> None:
        """Import the modules of the package and the plug-ins that are not imported yet.

        Raises:
            UsageError: A plug-in does not exist, or running it failed.
        """
        if not self._loaded:
            with self._loading:
                if self._begun:  # by another thread, or a module of the package reads the registry
                    return
                self._begun = True
                try:
                    for name in self._packages:
                        package = importlib.import_module(name)
                        for module in pkgutil.iter_modules(package.__path__):
                            importlib.import_module(f"{name}.{module.name}")
                finally:
                    self._loaded = True
        load_plugins()


_loaded_plugins: dict[str, UsageError | None] = {}  # the errors of those that failed
_loading_plugins = RLock()  # so that no thread reads a registry before a plug-in has added to it


def load_plugins() -> None:
    """Run the Python files that `STEADYMARK_PLUGINS` names; each is run once.

    Raises:
        UsageError: A file does not exist, or running it failed. It is raised again each time.
    """
    for text in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
        with _loading_plugins:
            if text not in _loaded_plugins:
                _loaded_plugins[text] = None  # set first: the plug-in may read a registry
                try:
                    _run_plugin(Path(text))
                except UsageError as error:
                    _loaded_plugins[text] = error
        if (failure := _loaded_plugins[text]) is not None:
            raise failure


def _run_plugin(path: Path) -> None:
    spec = importlib.util.spec_from_file_location(f"steadymark_plugin_{path.stem}", path)
    try:
        if spec is None or spec.loader is None:
            raise ImportError("it is not a .py file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module  # dataclasses look their module up there
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(
            "the plug-in {path} cannot be loaded ({kind}: {error}): correct it, or take it out of "
            "the environment variable {variable}",
            path=path,
            kind=type(error).__name__,
            error=error,
            variable=PLUGINS,
        ) from error
