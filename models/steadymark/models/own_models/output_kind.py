"""What the outputs of a user's network hold, and how landmarks are read off them.

A kind is added by a module of `output_kinds`, or by a plug-in. The option `--output`, the dialog of
the window and the Python API offer all kinds of the registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from steadymark.models.choice_registry import Registry
from steadymark.models.user_text import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from steadymark.models.own_models.graph_nodes import GraphNodes
    from steadymark.models.own_models.wrapper_config import CoordinateUnit, WrapperConfig
    from steadymark.models.user_text import UserText

    Shapes = Mapping[str, tuple[int, ...]]
    Find = Callable[[Shapes, Sequence[int]], "tuple[tuple[str, ...], int] | None"]
    AddNodes = Callable[[GraphNodes, WrapperConfig], bytes]
    Complete = Callable[[WrapperConfig, "OutputTrial", CoordinateUnit | None], WrapperConfig]


class OutputTrial(Protocol):
    """Runs a network on faces whose landmarks are known, wrapped in the way that is asked for."""

    def points(self, wrapping: WrapperConfig) -> NDArray[np.float32]:
        """Return the points of each face, (n, K, 2), as the wrapped network gives them."""

    def values(self, wrapping: WrapperConfig) -> list[NDArray[np.float32]]:
        """Return the network's own outputs that contain landmarks."""

    def error(self, wrapping: WrapperConfig) -> float:
        """Return the mean landmark error, as a share of the eye distance."""


def _unchanged(wrapping: WrapperConfig, _: OutputTrial, __: CoordinateUnit | None) -> WrapperConfig:
    return wrapping


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of outputs.

    Attributes:
        name: Name of the kind, as users type it and as model cards store it.
        label: A few words for the window.
        find: Takes the shapes of all outputs, without the batch axis, and the possible numbers of
            landmarks. Returns the names of the outputs that are of this kind and their number of
            landmarks, or None.
        add_nodes: Adds the nodes that compute `points` (n, K, 2) crop pixels, `scores` (n, K) and
            `face` (n,); returns `GraphNodes.take_bytes()`.
        complete: Finds what the user leaves open by trying. The last argument is the unit of
            coordinates if the user states it.
        order: Kinds with a smaller number are tried first when the user does not name one.
        has_scale: Whether the user can state the unit of coordinates.
        has_peaks: Whether `face` is higher for sharper heatmaps, so that it may tell faces from
            other images.
        help: What such outputs hold, in one sentence.
    """

    name: str
    label: UserText
    find: Find
    add_nodes: AddNodes
    complete: Complete = _unchanged
    order: float = 10
    has_scale: bool = False
    has_peaks: bool = False
    help: UserText = NOTHING


OUTPUT_KINDS: Registry[OutputKind] = Registry(
    "output kind",
    "steadymark.models.own_models.output_kinds",
    first=("coordinates", "heatmaps", "lines"),
)
