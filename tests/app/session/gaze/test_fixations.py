"""A person looks at points of a screen: what is collected, left out, and fitted."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.gaze.fixations import GIVE_UP_S, SETTLE_S, Fixations
from steadymark.app.session.gaze.screen_points import ScreenSetup
from steadymark.engine.core.errors import UsageError
from support.gazing_faces import gazing_face, pose_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.types import TrackedFace

    Person = Callable[[tuple[float, float, float], int], list[TrackedFace]]

SETUP = ScreenSetup(520.0, 290.0, camera_up_mm=20.0, count=5)
OFFSET_DEG = np.array([[5.0, -3.0], [-4.0, -3.0]])
STEP_S = 0.1


@cache
def face_at(place: tuple[float, float, float], eyes_closed: bool) -> TrackedFace:
    """A person who looks at a place."""
    return gazing_face(pose_at(), place, OFFSET_DEG, eyes_closed=eyes_closed)


def looking(place: tuple[float, float, float], frame: int) -> list[TrackedFace]:
    """A person who looks at a place and blinks every 7th frame."""
    return [face_at(place, frame % 7 == 0)]


def run(person: Person, setup: ScreenSetup = SETUP) -> tuple[Fixations, set[str]]:
    """Show all points. Returns what was collected, and the hints that were given."""
    fixations, now_s, frame, hints = Fixations(setup, 0.0), 0.0, 0, set()
    while not fixations.done:
        fixations.advance(now_s)
        fixations.add(person(setup.place_mm(fixations.target), frame), now_s)
        hints.add(str(fixations.hint(now_s)))
        now_s, frame = now_s + STEP_S, frame + 1
        assert now_s < 60
    return fixations, hints


def test_the_offsets_of_both_eyes_are_recovered_and_blinks_are_left_out() -> None:
    fixations, hints = run(looking)
    assert (fixations.missed, hints) == (0, {""})
    fit = fixations.fit("Ada")
    assert fit.calibration.name == "Ada"
    assert np.array(fit.calibration.offset_deg) == pytest.approx(OFFSET_DEG, abs=1.5)
    assert fit.before_deg > 4
    assert fit.after_deg < 1


def test_points_of_an_unsteady_gaze_are_missed_and_the_others_count() -> None:
    away = SETUP.place_mm(SETUP.points[2])

    def wandering(place: tuple[float, float, float], frame: int) -> list[TrackedFace]:
        x, y, z = place
        return looking((x + 130 * (frame % 3 if place == away else 0), y, z), frame)

    fixations, hints = run(wandering)
    assert fixations.missed == 1
    assert fixations.fit("").after_deg < 1
    assert hints == {"", "The gaze is not steady yet: keep looking at the point"}


@pytest.mark.parametrize(
    ("person", "hint"),
    [
        (lambda place, frame: [], "No face is seen: sit before the camera"),
        (
            lambda place, frame: 2 * looking(place, frame),
            "Several faces are seen: only one person can be calibrated",
        ),
        (
            lambda place, frame: looking(place, 0),
            "The eyes are not seen: look at the point with open eyes",
        ),
    ],
    ids=["no face", "two faces", "closed eyes"],
)
def test_the_reason_is_told_and_nothing_is_fitted(person: Person, hint: str) -> None:
    fixations, hints = run(person, replace(SETUP, count=5))
    assert fixations.missed == 5
    assert hints == {"", hint}
    with pytest.raises(UsageError, match=r"needs 3 points or more .* not 0"):
        fixations.fit("")


def test_nothing_is_collected_before_the_eyes_can_have_arrived() -> None:
    fixations = Fixations(SETUP, 10.0)
    for now_s in np.arange(10.0, 10.0 + SETTLE_S, 0.05).tolist():
        fixations.add(looking((0.0, 0.0, 0.0), 1), now_s)
    assert fixations.settled(10.0 + SETTLE_S / 2) == pytest.approx(0.5)
    fixations.advance(10.0 + GIVE_UP_S + 0.1)
    assert (fixations.number, fixations.missed) == (1, 1)


@pytest.mark.parametrize("count", [5, 9])
def test_points_are_inside_the_screen_and_the_right_of_it_is_left_in_the_picture(
    count: int,
) -> None:
    setup = replace(SETUP, count=count)
    places = np.array([setup.place_mm(point) for point in setup.points])
    assert len(np.unique(places, axis=0)) == count
    assert np.abs(places[:, 0]).max() < 260
    assert places[:, 1].min() > 20
    assert places[:, 1].max() < 310
    assert setup.place_mm((1.0, 0.0)) == (-260.0, 20.0, 0.0)
    assert setup.has_size
    assert not ScreenSetup().has_size
