"""Finds the stretches of a tracked video whose landmarks are doubtful, and says why."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.rest_detection import true_runs
from steadymark.engine.review.doubt_kinds import DOUBT_KINDS, DoubtKind
from steadymark.models.choice_registry import checked_parameters
from steadymark.models.user_text import UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.review.person_track import PersonTrack

    Values = NDArray[np.float64]

JOIN_S = 0.2  # stretches that are closer than this are one
_SHORTEST_S = 0.5  # a shorter stretch is ranked as if it lasted this long


@dataclass(frozen=True, slots=True)
class DoubtLimits:
    """From which value on each kind of doubt counts.

    Attributes:
        values: The limits by the name of the kind's parameter; kinds that are left out have their
            default.
        off: Names of the kinds that are not looked for.

    Raises:
        UsageError: A limit is out of range, or a name is unknown.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        known = {kind.name for kind in DOUBT_KINDS}
        for name in sorted(self.off - known):
            raise UsageError(
                "there is no doubt called '{name}': choose of {known}",
                name=name,
                known=", ".join(sorted(known)),
            )
        parameters = [kind.limit for kind in DOUBT_KINDS]
        object.__setattr__(self, "values", checked_parameters(parameters, self.values, "review"))

    def active(self) -> list[tuple[DoubtKind, float]]:
        """Return the kinds that are looked for, with their limits."""
        return [(k, self.values[k.limit.name]) for k in DOUBT_KINDS if k.name not in self.off]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a stretch is doubtful.

    Attributes:
        kind: Name of the kind, see `DOUBT_KINDS`.
        worst: The worst value, in the unit of the kind's limit.
        severity: How far it is beyond the limit, from 0 to 1.
        text: The same in words.
    """

    kind: str
    worst: float
    severity: float
    text: UserText


@dataclass(frozen=True, slots=True)
class DoubtfulStretch:
    """Consecutive frames of one face whose landmarks are doubtful.

    Attributes:
        face_id: Number of the face.
        first: Index of the first frame.
        last: Index of the last frame, which belongs to the stretch.
        start_s: Time of the first frame in seconds.
        end_s: Time of the last frame in seconds.
        doubts: Why, the most severe doubt first.
    """

    face_id: int
    first: int
    last: int
    start_s: float
    end_s: float
    doubts: tuple[Doubt, ...]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.last - self.first + 1

    @property
    def severity(self) -> float:
        """Severity of the worst doubt, from 0 to 1."""
        return self.doubts[0].severity

    @property
    def rank(self) -> float:
        """By how much the stretch spoils the results: its severity times its duration."""
        return self.severity * max(_SHORTEST_S, self.end_s - self.start_s)

    @property
    def reason(self) -> UserText:
        """All doubts in words."""
        return join_texts(doubt.text for doubt in self.doubts)


def find_doubtful(
    tracks: Sequence[PersonTrack], limits: DoubtLimits | None = None
) -> list[DoubtfulStretch]:
    """Return the doubtful stretches of all faces of a video, the worst first.

    Frames that are doubtful for any reason form a stretch; stretches that are at most 0.2 s apart
    are joined. The parts between frames that were left out on purpose are like videos of their own.

    Args:
        tracks: The faces; all have the same frames.
        limits: The limits; None takes the defaults.

    Returns:
        The stretches, the worst first.
    """
    found: list[DoubtfulStretch] = []
    for part in _parts(tracks):
        for track in part:
            others = [other for other in part if other is not track]
            found += _of_one(track, others, limits or DoubtLimits())
    return worst_first(found)


def _parts(tracks: Sequence[PersonTrack]) -> Iterator[Sequence[PersonTrack]]:
    """Yield the tracks between frames that were left out on purpose, of the faces seen there."""
    if not tracks or not tracks[0].begins:
        yield tracks
        return
    for first, end in pairwise((0, *tracks[0].begins, len(tracks[0]))):
        parts = (track.part(first, end) for track in tracks)
        yield [part for part in parts if part.present.any()]


def worst_first(stretches: Iterable[DoubtfulStretch]) -> list[DoubtfulStretch]:
    """Return stretches in the order of `find_doubtful`."""
    return sorted(stretches, key=lambda one: (-one.rank, one.start_s, one.face_id))


def _of_one(
    track: PersonTrack, others: Sequence[PersonTrack], limits: DoubtLimits
) -> list[DoubtfulStretch]:
    measured = []
    for kind, limit in limits.active():
        values = kind.measure(track, others)
        measured.append((kind, limit, values, kind.doubtful(values, limit)))
    doubtful = np.any([mask for *_, mask in measured], axis=0) if measured else np.zeros(0, bool)
    stretches = []
    for part in _runs(np.asarray(doubtful), track.time_s):
        doubts = [
            _doubt(kind, limit, values[part][mask[part]])
            for kind, limit, values, mask in measured
            if mask[part].any()
        ]
        stretches.append(
            DoubtfulStretch(
                track.face_id,
                int(track.frame[part.start]),
                int(track.frame[part.stop - 1]),
                float(track.time_s[part.start]),
                float(track.time_s[part.stop - 1]),
                tuple(sorted(doubts, key=lambda doubt: -doubt.severity)),
            )
        )
    return stretches


def _doubt(kind: DoubtKind, limit: float, values: Values) -> Doubt:
    worst = float(values.min() if kind.below else values.max())
    severity = float(kind.severity(np.array([worst]), limit)[0])
    return Doubt(kind.name, worst, severity, kind.text(worst))


def _runs(doubtful: NDArray[np.bool_], time_s: Values) -> list[slice]:
    """Return the runs of doubtful frames, where short pauses are part of a run."""
    runs: list[slice] = []
    for run in true_runs(doubtful):
        if runs and time_s[run.start] - time_s[runs[-1].stop - 1] <= JOIN_S:
            runs[-1] = slice(runs[-1].start, run.stop)
        else:
            runs.append(run)
    return runs
