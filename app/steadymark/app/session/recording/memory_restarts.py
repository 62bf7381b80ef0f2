"""Where memory of faces begins anew, as the tracker says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackResult


class MemoryRestarts:
    """Asked of every result of one tracker, in order."""

    def __init__(self) -> None:
        self._first = True

    def at(self, result: TrackResult) -> bool:
        """Whether nothing was remembered of any face before this frame."""
        first, self._first = self._first, False
        return first or not result.goes_on
