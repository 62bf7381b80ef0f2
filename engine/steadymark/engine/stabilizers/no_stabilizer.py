"""The stabilizer `none`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.stabilizers.stabilizer_registry import NONE, StabilizerEntry, add_stabilizer
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import Landmarks


class NoStabilizer:
    """A stabilizer that returns the raw landmarks unchanged."""

    def start(self) -> None:
        """Return the initial state; there is none."""

    def step(self, points: Landmarks, t_s: float, state: None) -> tuple[Landmarks, None]:
        """Return the same landmarks."""
        return points, None


add_stabilizer(
    StabilizerEntry(
        NONE,
        label=UserText("none"),
        help=UserText("The landmarks stay as the model finds them."),
        make=NoStabilizer,
    )
)
