"""What of an annotation the mouse has taken hold of, and where a drag moves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from steadymark.app.gui.annotations.lane_places import LanePlaces, PlacedAnnotation
    from steadymark.engine.review.project import Annotation

_END_PX = 5.0  # how near to an end the mouse must be to drag it
_NEAR_PX = 4.0  # how far beside an annotation it can still be taken hold of
_WIDE_PX = 18.0  # ends of narrower bars are taken hold of from outside only


class GripPart(StrEnum):
    """The part of an annotation that is dragged."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Grip:
    """A part of an annotation that the mouse holds.

    Attributes:
        part: The part.
        placed: The annotation when the drag began.
        place: Where the mouse was then, in frames.
    """

    part: GripPart
    placed: PlacedAnnotation
    place: float

    def moved(self, place: float, times_s: NDArray[np.float64]) -> Annotation:
        """Return the annotation after a drag.

        An interval stays within the recording and keeps at least two frames.

        Args:
            place: Where the mouse is, in frames.
            times_s: (frames,), the times of the frames.
        """
        way, one, end = round(place - self.place), self.placed, len(times_s) - 1
        first, last = one.first, one.last
        if way == 0:
            return one.annotation
        if self.part is GripPart.START:
            first = min(max(first + way, 0), max(first, last - 1))
            return replace(one.annotation, start_s=min(_time(times_s, first), one.annotation.end_s))
        if self.part is GripPart.END:
            last = max(min(last + way, end), min(last, first + 1))
            return replace(one.annotation, end_s=max(_time(times_s, last), one.annotation.start_s))
        way = min(max(way, -first), end - last)
        start_s = _time(times_s, first + way)
        end_s = start_s if one.annotation.is_event else _time(times_s, last + way)
        return replace(one.annotation, start_s=start_s, end_s=end_s)


def grip_at(
    places: LanePlaces,
    row: int,
    place: float,
    px_per_frame: float,
    *,
    selected: int | None,
) -> Grip | None:
    """Return what the mouse takes hold of at a place, or None.

    Args:
        places: The annotations.
        row: The index of the lane.
        place: Where the mouse is, in frames.
        px_per_frame: The width of a frame in pixels.
        selected: The number of the selected annotation, which is preferred to others.
    """
    one = places.nearest(row, place, _NEAR_PX / px_per_frame, preferred=selected)
    if one is None:
        return None
    part = GripPart.MIDDLE
    if not one.annotation.is_event:
        wide = (one.last + 1 - one.first) * px_per_frame >= _WIDE_PX
        inside = _END_PX / px_per_frame if wide else 0.0
        if place < one.first + inside:
            part = GripPart.START
        elif place > one.last + 1 - inside:
            part = GripPart.END
    return Grip(part, one, place)


def _time(times_s: NDArray[np.float64], frame: int) -> float:
    return float(times_s[frame])
