"""Where the annotations of a project are on the timeline, in frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.review.project import EXCLUDE, Annotation, Lane, Project

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class PlacedAnnotation:
    """An annotation and the frames that it covers.

    Attributes:
        annotation: The annotation.
        row: The index of its lane.
        first: The first frame.
        last: The last frame, which belongs to it.
    """

    annotation: Annotation
    row: int
    first: int
    last: int

    def distance(self, place: float) -> float:
        """Return how far a place is from it, in frames; 0 inside."""
        if self.annotation.is_event:
            return abs(place - (self.first + 0.5))
        return max(self.first - place, place - (self.last + 1), 0.0)


@dataclass(frozen=True, slots=True)
class LanePlaces:
    """The lanes of a project with their annotations, in frames.

    Attributes:
        lanes: The lanes, from top to bottom.
        placed: The annotations: the longest first, since short ones are painted over long ones.
    """

    lanes: tuple[Lane, ...] = ()
    placed: tuple[PlacedAnnotation, ...] = ()

    @property
    def excluded(self) -> list[PlacedAnnotation]:
        """The intervals that exports and statistics leave out."""
        return [one for one in self.placed if one.annotation.lane == EXCLUDE]

    def row_of(self, lane: str) -> int:
        """Return the index of a lane, or -1."""
        return next((i for i, one in enumerate(self.lanes) if one.name == lane), -1)

    def nearest(
        self, row: int, place: float, within: float, *, preferred: int | None = None
    ) -> PlacedAnnotation | None:
        """Return the annotation of a lane at a place: the preferred one, or else the shortest.

        Args:
            row: The index of the lane.
            place: The place in frames.
            within: How far from an annotation the place may be, in frames.
            preferred: The number of the annotation that is selected.
        """
        there = [one for one in self.placed if one.row == row and one.distance(place) <= within]
        return min(
            there,
            key=lambda one: (
                one.annotation.number != preferred,
                one.distance(place) > 0 and not one.annotation.is_event,
                one.last - one.first,
                one.distance(place),
            ),
            default=None,
        )


def places_of(project: Project | None, times_s: NDArray[np.float64] | None) -> LanePlaces:
    """Return where the annotations of a project are.

    Args:
        project: The project; None for no lanes.
        times_s: (frames,), the times of the frames.
    """
    if project is None:
        return LanePlaces()
    if times_s is None or not len(times_s):
        return LanePlaces(project.lanes)
    rows = {lane.name: row for row, lane in enumerate(project.lanes)}
    shown = [one for one in project.annotations if one.lane in rows]
    starts = np.array([one.start_s for one in shown], np.float64)
    ends = np.array([one.end_s for one in shown], np.float64)
    first = np.searchsorted(times_s, starts - _ROUNDING_S, "left")
    last = np.searchsorted(times_s, ends + _ROUNDING_S, "right") - 1
    # Between two frames, what is shown is the frame before.
    first = np.clip(np.minimum(first, np.maximum(last, 0)), 0, len(times_s) - 1)
    last = np.clip(last, first, len(times_s) - 1)
    placed = [
        PlacedAnnotation(one, rows[one.lane], int(a), int(b))
        for one, a, b in zip(shown, first, last, strict=True)
    ]
    return LanePlaces(project.lanes, tuple(sorted(placed, key=lambda one: one.first - one.last)))
