"""Report of damaged frames and other problems of a source, as sentences."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from steadymark.models.user_text import UserText

_NEAR_S = 1.0
_MOST = 20
_KEPT = 40  # Largest number of stored places, and of stored sentences.


class DamageKind(StrEnum):
    """What happened to a damaged frame."""

    SKIPPED = "skipped"
    KEPT = "kept"


@dataclass(slots=True)
class _Place:
    what: DamageKind
    first_s: float
    last_s: float
    count: int


class DamageReport:
    """Collects damage; damage within a second of each other becomes one sentence.

    Only the first places are stored and the rest is counted, because a camera with a loose cable
    may lose its image a hundred thousand times a day.
    """

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._events: list[UserText] = []
        self._more = 0
        self._last: deque[_Place] = deque(maxlen=2)  # Places that `add` may extend.

    def add(self, what: DamageKind, time_s: float, count: int = 1) -> None:
        """Add damaged frames.

        Args:
            what: What happened to the frames.
            time_s: Time of the damage, in seconds.
            count: Number of frames.
        """
        for place in reversed(self._last):
            if place.what == what and 0 <= time_s - place.last_s <= _NEAR_S:
                place.count += count
                place.last_s = time_s
                return
        self._last.append(_Place(what, time_s, time_s, count))
        if len(self._places) < _KEPT:
            self._places.append(self._last[-1])
        else:
            self._more += 1

    def tell(self, sentence: UserText) -> None:
        """Add a sentence."""
        if len(self._events) < _KEPT:
            self._events.append(sentence)
        else:
            self._more += 1

    def sentences(self) -> tuple[UserText, ...]:
        """Return a sentence for each of at most 20 places, and the number of the others."""
        told = [*map(_told, list(self._places)), *list(self._events)]
        if (more := len(told) + self._more - _MOST) > 0:
            told[_MOST:] = [UserText("and {count} more places", count=more)]
        return tuple(told)


def _told(place: _Place) -> UserText:
    count, near = place.count, clock(place.first_s)
    match place.what:
        case DamageKind.SKIPPED if count == 1:
            return UserText("1 damaged frame was skipped near {time}", time=near)
        case DamageKind.SKIPPED:
            return UserText(
                "{count} damaged frames were skipped near {time}", count=count, time=near
            )
        case DamageKind.KEPT if count == 1:
            return UserText(
                "1 damaged frame near {time} was kept as the decoder repaired it", time=near
            )
        case DamageKind.KEPT:
            return UserText(
                "{count} damaged frames near {time} were kept as the decoder repaired them",
                count=count,
                time=near,
            )


def clock(time_s: float) -> str:
    """Format a time in seconds as minutes and seconds, such as 00:01.2."""
    tenths = round(time_s * 10)
    return f"{tenths // 600:02d}:{tenths % 600 // 10:02d}.{tenths % 10}"
