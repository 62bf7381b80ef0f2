"""Annotations are selected, started, ended, changed and removed."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from steadymark.app.session.review.annotating import Annotating
from steadymark.app.session.review.review_store import ReviewStore
from steadymark.engine.core.types import SourceInfo
from steadymark.engine.review.project import Lane, Project


@pytest.fixture
def review(qtbot: QtBot, tmp_path: Path) -> ReviewStore:
    store = ReviewStore()
    store.open(SourceInfo("talk.mp4", str(tmp_path / "talk.mp4"), 640, 480, 25.0, 250, live=False))
    return store


@pytest.fixture
def annotating(review: ReviewStore) -> Annotating:
    return Annotating(review)


def project_of(annotating: Annotating) -> Project:
    assert annotating.project is not None
    return annotating.project


def test_an_interval_is_started_and_ended_in_either_order_of_times(annotating: Annotating) -> None:
    annotating.toggle_interval("exclude", 4.0)
    assert annotating.growing == {"exclude": 4.0}
    assert project_of(annotating).annotations == ()
    annotating.toggle_interval("exclude", 1.5)
    (one,) = project_of(annotating).annotations
    assert (one.start_s, one.end_s) == (1.5, 4.0)
    assert annotating.growing == {}
    assert annotating.selected is one


def test_intervals_of_two_lanes_grow_at_once_and_the_newest_is_given_up_first(
    annotating: Annotating,
) -> None:
    annotating.add_lane(Lane("talking", "#0072b2"))
    annotating.toggle_interval("exclude", 1.0)
    annotating.toggle_interval("talking", 2.0)
    assert annotating.give_up()
    assert annotating.growing == {"exclude": 1.0}
    assert annotating.give_up()
    assert not annotating.give_up()
    assert project_of(annotating).annotations == ()


def test_the_next_and_the_previous_annotation_follow_the_order_of_time(
    annotating: Annotating,
) -> None:
    for start_s in (5.0, 1.0, 3.0, 3.0):
        annotating.add("exclude", start_s, start_s + 1)
    annotating.select(None)
    found = []
    time_s = 0.0
    while (one := annotating.adjacent(1, time_s)) is not None:
        annotating.select(one.number)
        found.append(one.number)
    assert found == [2, 3, 4, 1]
    back = annotating.adjacent(-1, time_s)
    assert back is not None
    assert back.number == 4
    annotating.select(None)
    first = annotating.adjacent(1, 2.0)
    assert first is not None
    assert first.number == 3


def test_the_selection_and_started_intervals_end_with_what_they_belong_to(
    annotating: Annotating, review: ReviewStore
) -> None:
    annotating.add_lane(Lane("talking", "#0072b2"))
    annotating.add("talking", 1.0, 2.0)
    annotating.toggle_interval("talking", 3.0)
    annotating.remove_lane("talking")
    assert annotating.selected is None
    assert annotating.growing == {}
    review.undo()
    assert len(project_of(annotating).annotations) == 1
    annotating.select(1)
    annotating.toggle_interval("talking", 3.0)
    review.close()
    assert annotating.selected is None
    assert annotating.growing == {}
    assert not annotating.can_edit


def test_an_event_moves_as_a_whole_and_an_interval_keeps_its_order(
    annotating: Annotating, review: ReviewStore
) -> None:
    messages: list[str] = []
    review.message_posted.connect(messages.append)
    annotating.add("exclude", 2.0)
    annotating.set_selected_times(start_s=3.0)
    event = annotating.selected
    assert event is not None
    assert event.is_event
    assert event.start_s == 3.0
    annotating.add("exclude", 4.0, 5.0)
    assert annotating.set_selected_times(end_s=6.0)
    assert not annotating.set_selected_times(start_s=7.0)
    assert "it must end after it starts" in messages[0]
    interval = annotating.selected
    assert interval is not None
    assert (interval.start_s, interval.end_s) == (4.0, 6.0)


def test_the_actions_are_named_for_the_menus_of_undo(
    annotating: Annotating, review: ReviewStore
) -> None:
    annotating.add_lane(Lane("talking", "#0072b2", "2"))
    annotating.add("exclude", 1.0, 2.0)
    annotating.add("talking", 1.0)
    annotating.remove_selected()
    annotating.change_lane("talking", Lane("speech", "#0072b2", "2"))
    annotating.remove_lane("speech")
    assert review.history is not None
    assert [action for action, _ in review.history.actions[1:]] == [
        "add the lane 'talking'",
        "exclude",
        "event in 'talking'",
        "delete in 'talking'",
        "change the lane 'talking'",
        "delete the lane 'speech'",
    ]
