"""The registry of stabilizers: what users can choose, with the parameters of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from steadymark.models.choice_registry import Parameter, Registry, checked_parameters
from steadymark.models.user_text import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.protocols import OfflineFilter, Stabilizer
    from steadymark.models.user_text import UserText

AUTO, NONE = "auto", "none"


@dataclass(frozen=True, slots=True)
class StabilizerEntry:
    """A stabilizer that users can choose.

    Attributes:
        name: Name on the command line and in tables.
        label: Name in the window's lists.
        help: What it does, in one sentence.
        caption: Short name in the window's captions; empty takes the label.
        parameters: Its parameters.
        make: Creates the filter from the parameters, which are passed as keyword arguments. None
            if the landmark network or a recurrent cell stabilizes, which needs the images.
        needs_future: True if the filter needs the whole recording; `make` then returns an
            `OfflineFilter`, and otherwise a `Stabilizer`.
        cell: True for a recurrent cell over the network; see `zoo.stabilized`.
        always_recorded: True if the parameters are recorded in a table's header even if another
            stabilizer is chosen. Only tables of earlier versions require this.
    """

    name: str
    label: UserText
    help: UserText
    caption: UserText = NOTHING
    parameters: tuple[Parameter, ...] = ()
    make: Callable[..., Stabilizer[Any] | OfflineFilter] | None = None
    needs_future: bool = False
    cell: bool = False
    always_recorded: bool = False

    @property
    def key(self) -> str:
        """Key of the parameters in settings and in the header of a table."""
        return self.name.replace("-", "_")

    @property
    def needs_images(self) -> bool:
        """Whether a network stabilizes, so that landmarks alone are not enough."""
        return self.make is None

    def parameter(self, name: str) -> Parameter:
        """Return the parameter of this name; it must exist."""
        return next(parameter for parameter in self.parameters if parameter.name == name)


STABILIZER_REGISTRY: Registry[StabilizerEntry] = Registry(
    "stabilizer",
    __package__,
    first=(AUTO, "flow", NONE, "refine", "convlstm", "one-euro", "butterworth"),
)


def add_stabilizer(entry: StabilizerEntry) -> StabilizerEntry:
    """Add a stabilizer, which can then be chosen by its name everywhere.

    Args:
        entry: The stabilizer.

    Returns:
        The same entry.

    Raises:
        ValueError: There is another stabilizer of this name.
    """
    return STABILIZER_REGISTRY.add(entry)


def point_filters() -> tuple[StabilizerEntry, ...]:
    """Return the stabilizers that work on landmarks alone, without `none`."""
    return tuple(e for e in STABILIZER_REGISTRY.all() if not e.needs_images and e.name != NONE)


@dataclass(frozen=True, slots=True)
class ChosenStabilizer:
    """A stabilizer with the values of its parameters; `choose` creates and checks it.

    Attributes:
        name: Name of the stabilizer.
        values: Names and values of all parameters, in the order of the entry.
    """

    name: str
    values: tuple[tuple[str, float], ...] = ()

    @property
    def entry(self) -> StabilizerEntry:
        """The entry of the registry."""
        return STABILIZER_REGISTRY.find(self.name)

    @property
    def needs_future(self) -> bool:
        """Whether the filter needs the whole recording."""
        return self.entry.needs_future

    def value(self, name: str) -> float:
        """Return the value of a parameter."""
        return dict(self.values)[name]

    def changed(self, **values: float) -> ChosenStabilizer:
        """Return the same stabilizer with other values of some parameters; see `choose`."""
        return choose(self.name, **{**dict(self.values), **values})

    def summary(self) -> tuple[str, ...]:
        """Return the values with their units, without defaults that need not be named."""
        return tuple(
            parameter.text(value)
            for parameter, (_, value) in zip(self.entry.parameters, self.values, strict=True)
            if parameter.in_summary or value != parameter.default
        )


def choose(name: str, /, **values: float) -> ChosenStabilizer:
    """Choose a stabilizer and the values of its parameters.

    Args:
        name: Name of the stabilizer.
        **values: Values of parameters; the others have their defaults.

    Returns:
        The chosen stabilizer.

    Raises:
        UsageError: The stabilizer or a parameter is unknown, or a value is out of range.
    """
    entry = STABILIZER_REGISTRY.find(name)
    return ChosenStabilizer(
        name, tuple(checked_parameters(entry.parameters, values, owner=name).items())
    )
