"""What was passed over while reading, as sentences."""

from __future__ import annotations

from dataclasses import dataclass

_NEAR_S = 1.0
_MOST = 20


@dataclass(slots=True)
class _Place:
    what: str
    first_s: float
    last_s: float
    count: int


class Damage:
    """Gathers damage; what lies within a second of each other becomes one sentence."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._events: list[str] = []

    def add(self, what: str, time_s: float, count: int = 1) -> None:
        """`what` follows a count: "damaged frame was skipped|damaged frames were skipped"."""
        for place in reversed(self._places[-2:]):
            if place.what == what and 0 <= time_s - place.last_s <= _NEAR_S:
                place.count += count
                place.last_s = time_s
                return
        self._places.append(_Place(what, time_s, time_s, count))

    def tell(self, sentence: str) -> None:
        """Add a sentence of its own."""
        self._events.append(sentence)

    def sentences(self) -> tuple[str, ...]:
        """At most 20 places; the rest as a count."""
        told = [
            f"{p.count} {p.what.split('|')[p.count > 1]} near {clock(p.first_s)}"
            for p in list(self._places)
        ] + list(self._events)
        if len(told) > _MOST:
            told[_MOST:] = [f"and {len(told) - _MOST} more places"]
        return tuple(told)


def clock(time_s: float) -> str:
    """Minutes and seconds, 00:01.2."""
    tenths = round(time_s * 10)
    return f"{tenths // 600:02d}:{tenths % 600 // 10:02d}.{tenths % 10}"
