"""Where annotations are on the timeline, and what the mouse takes hold of."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.app.gui.annotations.lane_grip import GripPart, grip_at
from steadymark.app.gui.annotations.lane_places import LanePlaces, places_of
from steadymark.engine.review.edits import add_lane, annotate
from steadymark.engine.review.project import Project, VideoReference

TIMES_S = np.arange(100) / 25


def placed(*intervals: tuple[float, float]) -> LanePlaces:
    project = Project(VideoReference("talk.mp4"))
    for start_s, end_s in intervals:
        project = annotate(project, "exclude", start_s, end_s)
    return places_of(project, TIMES_S)


@pytest.mark.parametrize(
    ("start_s", "end_s", "frames"),
    [
        (0.4, 0.8, (10, 20)),  # times of frames; the last one belongs to it
        (0.41, 0.79, (11, 19)),  # only frames within it
        (0.41, 0.43, (10, 10)),  # between two frames
        (0.4, 0.4, (10, 10)),  # an event
        (3.0, 99.0, (75, 99)),
        (98.0, 99.0, (99, 99)),
    ],
)
def test_an_annotation_is_shown_over_the_frames_that_it_covers(
    start_s: float, end_s: float, frames: tuple[int, int]
) -> None:
    (one,) = placed((start_s, end_s)).placed
    assert (one.first, one.last) == frames


def test_lanes_are_shown_before_the_times_of_the_frames_are_known() -> None:
    project = add_lane(annotate(Project(VideoReference("a.mp4")), "exclude", 1.0), "talking")
    places = places_of(project, None)
    assert [lane.name for lane in places.lanes] == ["exclude", "talking"]
    assert places.placed == ()
    assert places_of(None, TIMES_S) == LanePlaces()


def test_of_two_annotations_the_selected_one_is_taken_and_else_the_shorter_one() -> None:
    places = placed((0.0, 3.6), (0.8, 1.6))
    shorter = grip_at(places, 0, 30.0, 5.0, selected=None)
    assert shorter is not None
    assert shorter.placed.annotation.number == 2
    chosen = grip_at(places, 0, 30.0, 5.0, selected=1)
    assert chosen is not None
    assert chosen.placed.annotation.number == 1
    assert grip_at(places, 0, 95.0, 5.0, selected=1) is None
    assert grip_at(places, 1, 30.0, 5.0, selected=1) is None


def test_the_ends_of_a_bar_are_taken_near_its_edges_and_the_rest_moves_it() -> None:
    places = placed((0.4, 2.0))  # frames 10 to 50
    parts = []
    for place in (9.5, 10.5, 30.0, 50.5, 51.5):
        grip = grip_at(places, 0, place, 5.0, selected=None)
        parts.append(grip and grip.part)
    assert parts == ["start", "start", "middle", "end", "end"]


def test_a_narrow_bar_can_still_be_moved() -> None:
    places = placed((0.4, 0.8))
    grip = grip_at(places, 0, 12.0, 0.5, selected=None)
    assert grip is not None
    assert grip.part is GripPart.MIDDLE


@pytest.mark.parametrize(
    ("pressed", "released", "frames"),
    [
        (10.0, 5.0, (5, 50)),
        (10.0, 70.0, (49, 50)),  # the start stays before the end
        (51.0, 61.0, (10, 60)),
        (51.0, 0.0, (10, 11)),
        (51.0, 500.0, (10, 99)),
        (30.0, 40.0, (20, 60)),
        (30.0, -500.0, (0, 40)),
        (30.0, 500.0, (59, 99)),
        (30.0, 30.4, (10, 50)),
    ],
)
def test_a_drag_changes_one_end_or_moves_the_interval_within_the_recording(
    pressed: float, released: float, frames: tuple[int, int]
) -> None:
    grip = grip_at(placed((0.4, 2.0)), 0, pressed, 5.0, selected=None)
    assert grip is not None
    moved = grip.moved(released, TIMES_S)
    assert (moved.start_s, moved.end_s) == (TIMES_S[frames[0]], TIMES_S[frames[1]])


def test_an_event_stays_an_event_when_it_is_moved() -> None:
    grip = grip_at(placed((0.4, 0.4)), 0, 10.5, 5.0, selected=None)
    assert grip is not None
    moved = grip.moved(20.5, TIMES_S)
    assert moved.is_event
    assert moved.start_s == 0.8


def test_an_end_that_is_not_dragged_keeps_its_exact_time() -> None:
    grip = grip_at(placed((0.411, 2.0)), 0, 51.0, 5.0, selected=None)
    assert grip is not None
    assert grip.moved(60.0, TIMES_S).start_s == 0.411
