"""The neutral face of a person, to which expression features are relative.

Faces at rest differ: narrow eyes or a small smile are no expression where they are how a person
looks. The measures of the neutral face are found in moments in which the face is quiet and looks
into the camera, or are those of the moment that the user chooses.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.streaming.openseeface_features import (
    AT_REST,
    MEASURES,
    RANGES,
    measure,
    scaled_features,
    solid_points,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import TrackedFace

    Array = NDArray[np.float64]

CHOSEN_S = 0.5  # length of the moment that the user chooses
LEAST_QUIET = 20  # quiet frames before a person's neutral face is used
MOST_QUIET = 300  # quiet frames after which it does not change by itself any more
_COMPARED_S = 0.2  # a frame is quiet if no measure has changed since this long ago
_QUIET = 0.08  # largest change of a quiet measure, as a share of its range
_FRONTAL_DEG = 25.0  # largest yaw and pitch of a frame that counts
_APPROACH_S = 0.5  # time constant of the change to a new neutral face
_CLOSED = ("mouth_open",)  # measures whose rest is their lower quartile: lips part in speech
_REST = np.array(list(AT_REST.values()))
_SPAN = np.array([RANGES[name][2] - RANGES[name][0] for name in MEASURES])
_CLOSED_AT = [name in _CLOSED for name in MEASURES]


class _Sample(NamedTuple):
    """Measures of a frame: time in seconds, values (14,), and whether the face is frontal."""

    time_s: float
    values: Array
    frontal: bool


class NeutralFace:
    """The expression features of one person over time. It is used in one thread.

    The features of a frame are relative to the neutral face that is known by then, which replaces
    the one of the mean person gradually. A face with another id is another person.
    """

    def __init__(self) -> None:
        self._face_id: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._recent: deque[_Sample] = deque()
        self._quiet: list[Array] = []
        self._chosen: list[Array] | None = None
        self._chosen_from_s = float("nan")
        self._target: Array = _REST.copy()
        self._rest: Array = _REST.copy()

    @property
    def rest(self) -> dict[str, float]:
        """The measures of the neutral face that is used now, by name."""
        return dict(zip(MEASURES, self._rest.tolist(), strict=True))

    def choose_next(self) -> None:
        """Take the face of the next half second as the neutral one; it then stays."""
        self._chosen, self._chosen_from_s = [], float("nan")

    def features(self, face: TrackedFace, time_s: float) -> dict[str, float] | None:
        """Return the expression features of the next frame, see `openseeface_features.features`.

        Args:
            face: The tracked face.
            time_s: Time of the frame in seconds.

        Returns:
            Features in [-1, 1] by name, relative to the neutral face; None without a head pose.
        """
        solid = solid_points(face)
        if solid is None or face.pose is None:
            return None
        if face.face_id != self._face_id:
            self._face_id = face.face_id
            self._begin()
        measures = measure(solid)
        values = np.array(list(measures.values()))
        frontal = max(abs(face.pose.yaw_deg), abs(face.pose.pitch_deg)) < _FRONTAL_DEG
        before_s = self._recent[-1].time_s if self._recent else time_s
        self._learn(_Sample(time_s, values, frontal))
        share = 1 - np.exp(-max(0.0, time_s - before_s) / _APPROACH_S)
        self._rest += share * (self._target - self._rest)
        return scaled_features(measures, self.rest)

    def _learn(self, sample: _Sample) -> None:
        self._recent.append(sample)
        while self._recent[0].time_s < sample.time_s - _COMPARED_S:
            self._recent.popleft()
        if not np.isfinite(sample.values).all():
            return
        if self._chosen is not None:
            self._choose(sample)
        elif len(self._quiet) < MOST_QUIET and sample.frontal and self._is_quiet(sample):
            self._quiet.append(sample.values)
            if len(self._quiet) >= LEAST_QUIET:
                quiet = np.stack(self._quiet)
                lower = np.quantile(quiet, 0.25, axis=0)
                self._target = np.where(_CLOSED_AT, lower, np.median(quiet, axis=0))

    def _is_quiet(self, sample: _Sample) -> bool:
        first = self._recent[0]
        changes = np.abs(sample.values - first.values) / _SPAN
        return sample.time_s - first.time_s > _COMPARED_S / 2 and bool(changes.max() < _QUIET)

    def _choose(self, sample: _Sample) -> None:
        assert self._chosen is not None
        if not self._chosen:
            self._chosen_from_s = sample.time_s
        self._chosen.append(sample.values)
        if sample.time_s - self._chosen_from_s >= CHOSEN_S:
            self._target = np.median(np.stack(self._chosen), axis=0)
            self._quiet = [self._target] * MOST_QUIET  # what the user chose is kept
            self._chosen = None
