"""The gaze of a person who looks at one point of a screen after another. This needs no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.looked_at_points import (
    LookedAtPoint,
    SeenGaze,
    fit_points,
    head_angles,
)
from steadymark.engine.core.gaze import GAZE
from steadymark.engine.core.types import HEAD_POSE
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from steadymark.app.session.gaze.screen_points import ScreenSetup
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.gaze.gaze_calibration import CalibrationFit

    Floats = NDArray[np.float64]

SETTLE_S = 0.8  # for the eyes to arrive at a point; the target shrinks meanwhile
COLLECT_S = 1.0  # of steady gaze at each point
GIVE_UP_S = 6.0  # for a point at which the gaze is never steady
_FEWEST_FRAMES = 5
_FULL = 0.8  # of `COLLECT_S` must lie between the first and the last frame
_STEADY_DEG = 4.0  # largest median distance from the median gaze
_USUAL_S = SETTLE_S + 2 * COLLECT_S
_HINT_S = 0.7  # without a usable frame, after which the reason is told; longer than a blink


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """The gaze in one frame: see `SeenGaze`; angles (2,) in degrees are the mean of both eyes."""

    at_s: float
    gaze: Floats
    pose: Floats
    angles: Floats


class Fixations:
    """Collects the steady gaze at each point.

    Blinks and frames without exactly one face are left out. A point at which the gaze was not
    steady is missed.

    Args:
        setup: The screen and its points.
        now_s: The time at which the first point is shown, in seconds of any clock.

    Attributes:
        number: Index of the current point; that of the last one + 1 at the end.
        missed: How many points were missed.
    """

    def __init__(self, setup: ScreenSetup, now_s: float) -> None:
        self._setup, self._points = setup, setup.points
        self._since_s, self._seen_s = now_s, now_s + SETTLE_S
        self._reason = NOTHING
        self._looks: list[_Look] = []
        self._kept: dict[int, list[_Look]] = {}
        self.number = self.missed = 0

    @property
    def count(self) -> int:
        """The number of all points."""
        return len(self._points)

    @property
    def done(self) -> bool:
        """Whether all points were shown."""
        return self.number == self.count

    @property
    def target(self) -> tuple[float, float]:
        """The current point, as shares of the screen's width and height; the last one at the end.

        It is the point that the person is asked to look at.
        """
        return self._points[min(self.number, self.count - 1)]

    def settled(self, now_s: float) -> float:
        """Return which share of the time has passed that the eyes have to arrive, 0 to 1."""
        return min(max((now_s - self._since_s) / SETTLE_S, 0.0), 1.0)

    def hint(self, now_s: float) -> UserText:
        """Return why the point takes longer than usual; empty during a blink."""
        if now_s - self._seen_s > _HINT_S:
            return self._reason
        if now_s - self._since_s > _USUAL_S:
            return UserText("The gaze is not steady yet: keep looking at the point")
        return NOTHING

    def add(self, faces: Sequence[TrackedFace], now_s: float) -> None:
        """Add the faces of the next frame."""
        if self.done or now_s < self._since_s + SETTLE_S:
            return
        look, self._reason = _look_of(faces, now_s)
        if look is not None:
            self._seen_s = now_s
            self._looks = [one for one in self._looks if one.at_s >= now_s - COLLECT_S] + [look]
            if now_s - self._looks[0].at_s >= _FULL * COLLECT_S and _is_steady(self._looks):
                self._kept[self.number] = self._looks
                self._next(now_s)

    def advance(self, now_s: float) -> None:
        """Go on from a point that takes too long."""
        if not self.done and now_s - self._since_s > GIVE_UP_S:
            self.missed += 1
            self._next(now_s)

    def fit(self, name: str) -> CalibrationFit:
        """Fit the calibration of the person.

        Args:
            name: Name of the person.

        Raises:
            UsageError: There are too few points, or they need a correction that no person has.
        """
        looks = [(float(i), one) for i, kept in self._kept.items() for one in kept]
        seen = SeenGaze(
            np.array([number for number, _ in looks]),
            np.array([one.gaze for _, one in looks]).reshape(-1, 2, 3),
            np.array([one.pose for _, one in looks]).reshape(-1, 6),
        )
        points = [
            LookedAtPoint(i - 0.1, i + 0.1, place_mm=self._setup.place_mm(self._points[i]))
            for i in self._kept
        ]
        return fit_points(seen, points, name)

    def _next(self, now_s: float) -> None:
        self.number += 1
        self._since_s, self._seen_s = now_s, now_s + SETTLE_S
        self._looks, self._reason = [], NOTHING


def _look_of(faces: Sequence[TrackedFace], now_s: float) -> tuple[_Look | None, UserText]:
    """Return the gaze of the only face, or why there is none."""
    known = [face.attributes for face in faces if face.stabilized is not None]
    if len(known) != 1:
        if known:
            return None, UserText("Several faces are seen: only one person can be calibrated")
        return None, UserText("No face is seen: sit before the camera")
    values = {} if known[0] is None else known[0].values
    if GAZE not in values or HEAD_POSE not in values:
        return None, UserText("The eyes are not seen: look at the point with open eyes")
    gaze = np.array(values[GAZE][:6]).reshape(2, 3)
    pose = np.array(values[HEAD_POSE])
    angles = np.degrees(head_angles(gaze, pose))
    angles = angles[np.isfinite(angles).all(1)]
    return _Look(now_s, gaze, pose, angles.mean(0)), NOTHING


def _is_steady(looks: list[_Look]) -> bool:
    angles = np.array([one.angles for one in looks])
    away = np.linalg.norm(angles - np.median(angles, 0), axis=1)
    return len(looks) >= _FEWEST_FRAMES and float(np.median(away)) <= _STEADY_DEG
