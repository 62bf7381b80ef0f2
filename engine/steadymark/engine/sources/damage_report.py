"""Report of damaged frames and other problems of a source, as sentences."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from steadymark.models.user_text import UserText

_JOIN_S = 1.0
_MOST = 20
_KEPT = 40  # Largest number of stored places, and of stored sentences.


class DamageKind(StrEnum):
    """What happened to a damaged frame."""

    SKIPPED = "skipped"
    KEPT = "kept"


@dataclass(slots=True)
class _DamagedSpan:
    kind: DamageKind
    first_s: float
    last_s: float
    count: int


class DamageReport:
    """Collects damage; damage within a second of each other becomes one sentence.

    Only the first places are stored and the rest is counted, because a camera with a loose cable
    may lose its image a hundred thousand times a day.
    """

    def __init__(self) -> None:
        self._spans: list[_DamagedSpan] = []
        self._sentences: list[UserText] = []
        self._left_out_count = 0
        self._open_spans: deque[_DamagedSpan] = deque(maxlen=2)  # Places that `add` may extend.

    def add(self, kind: DamageKind, time_s: float, count: int = 1) -> None:
        """Add damaged frames.

        Args:
            kind: What happened to the frames.
            time_s: Time of the damage, in seconds.
            count: Number of frames.
        """
        for damaged in reversed(self._open_spans):
            if damaged.kind == kind and 0 <= time_s - damaged.last_s <= _JOIN_S:
                damaged.count += count
                damaged.last_s = time_s
                return
        self._open_spans.append(_DamagedSpan(kind, time_s, time_s, count))
        if len(self._spans) < _KEPT:
            self._spans.append(self._open_spans[-1])
        else:
            self._left_out_count += 1

    def add_sentence(self, sentence: UserText) -> None:
        """Add a sentence."""
        if len(self._sentences) < _KEPT:
            self._sentences.append(sentence)
        else:
            self._left_out_count += 1

    def sentences(self) -> tuple[UserText, ...]:
        """Return a sentence for each of at most 20 places, and the number of the others."""
        sentences = [*map(_sentence_of, list(self._spans)), *list(self._sentences)]
        if (more := len(sentences) + self._left_out_count - _MOST) > 0:
            sentences[_MOST:] = [
                UserText.counted("and 1 more place", "and {count} more places", count=more)
            ]
        return tuple(sentences)


def _sentence_of(damaged: _DamagedSpan) -> UserText:
    count, near = damaged.count, clock(damaged.first_s)
    match damaged.kind:
        case DamageKind.SKIPPED:
            return UserText.counted(
                "1 damaged frame was skipped near {time}",
                "{count} damaged frames were skipped near {time}",
                count=count,
                time=near,
            )
        case DamageKind.KEPT:
            return UserText.counted(
                "1 damaged frame near {time} was kept as the decoder repaired it",
                "{count} damaged frames near {time} were kept as the decoder repaired them",
                count=count,
                time=near,
            )


def clock(time_s: float) -> str:
    """Format a time in seconds as minutes and seconds, such as 00:01.2."""
    tenths = round(time_s * 10)
    return f"{tenths // 600:02d}:{tenths % 600 // 10:02d}.{tenths % 10}"
