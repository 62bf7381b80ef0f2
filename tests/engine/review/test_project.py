"""Projects: edits, undo, people, corrections and the file."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.review.review_tracks import still_track
from steadymark.engine.core.errors import LandmarkFileError, SinkError, UsageError
from steadymark.engine.review import edits
from steadymark.engine.review.corrections import apply_corrections
from steadymark.engine.review.doubtful_stretches import DoubtLimits
from steadymark.engine.review.history import History
from steadymark.engine.review.people.assignment import doubled_frames, persons_of
from steadymark.engine.review.project import (
    Correction,
    NeutralFrame,
    Project,
    VideoReference,
)
from steadymark.engine.review.project_file import (
    parse_project,
    project_path,
    project_text,
    read_project,
    write_project,
)
from steadymark.models.user_text import UserText

EMPTY = Project(VideoReference("talk.mp4", 100, "ab", 250))
ACTION = UserText("an action")


def full_project() -> Project:
    """Return a project that holds something in each of its parts."""
    project = edits.add_lane(EMPTY, "speech", key="S")
    project = edits.annotate(project, "speech", 1.0, 2.5, label="ja", note="leise\n„so“", person=1)
    project = edits.annotate(project, "speech", 3.0)
    project = edits.exclude(project, 4.0, 5.0)
    project = edits.correct(project, Correction(0, 10, 0.4, ((30, 1.5, 2.0), (31, 3.0, 4.0))))
    project = edits.name_person(project, 0, "Ada")
    project = edits.merge_people(project, 0, 2)
    project = edits.swap_people(project, 0, 1, 20, 30)
    project = edits.accept(project, 0, 1.0, 1.2)
    return replace(
        project,
        tables=("talk.csv",),
        limits={"apart": 6.0},
        doubts_off=frozenset({"turned"}),
        neutral=(NeutralFrame(0, 12),),
        notes="first take",
        view={"frame": 12},
    )


def random_edit(project: Project, rng: random.Random) -> Project:
    """Make one of all edits with random values; an edit that is refused changes nothing."""
    at, later = sorted((rng.uniform(0, 10), rng.uniform(0, 10)))
    number = rng.choice([one.number for one in project.annotations] or [0])
    lane = rng.choice(project.lanes)
    choices: list[Callable[[], Project]] = [
        lambda: edits.add_lane(project, f"lane {rng.randrange(6)}", key=rng.choice("ABCDEF")),
        lambda: edits.change_lane(project, lane.name, replace(lane, colour="#123456")),
        lambda: edits.remove_lane(project, lane.name),
        lambda: edits.annotate(project, lane.name, at, later, label="x"),
        lambda: edits.annotate(project, lane.name, at),
        lambda: edits.change_annotation(
            project, replace(project.annotation(number), start_s=at, end_s=later)
        ),
        lambda: edits.remove_annotations(project, {number}),
        lambda: edits.exclude(project, at, later, person=rng.randrange(3)),
        lambda: edits.accept(project, 0, at, later),
        lambda: edits.unaccept(project, 0, at, later),
        lambda: edits.correct(
            project, Correction(0, rng.randrange(9), at, ((rng.randrange(68), at, later),))
        ),
        lambda: edits.remove_correction(project, 0, rng.randrange(9)),
        lambda: edits.name_person(project, rng.randrange(3), rng.choice(["Ada", "Bo", ""])),
        lambda: edits.merge_people(project, rng.randrange(3), rng.randrange(3)),
        lambda: edits.split_person(project, rng.randrange(3), rng.randrange(9), 7),
        lambda: edits.swap_people(project, rng.randrange(3), rng.randrange(3), 4),
    ]
    try:
        return rng.choice(choices)()
    except UsageError:
        return project


@pytest.mark.parametrize("seed", range(5))
def test_undoing_300_random_actions_gives_the_first_state(seed: int, tmp_path: Path) -> None:
    rng, history, path = random.Random(seed), History(full_project()), tmp_path / "a.steadymark"
    for _ in range(300):
        history.do(ACTION, random_edit(history.state, rng))
    assert len(history.actions) > 100
    write_project(path, history.state)
    assert read_project(path) == history.state
    last = history.state
    while history.undone_next is not None:
        history.undo()
    assert history.state == full_project()
    while history.redone_next is not None:
        history.redo()
    assert history.state == last


def test_a_new_action_forgets_what_was_undone_and_drags_are_one_step() -> None:
    history = History(0)
    for value in (1, 2):
        history.do(ACTION, value)
    history.undo()
    history.do(ACTION, 3)
    assert history.redone_next is None
    for value in (4, 5, 6):
        history.do(ACTION, value, group="drag of 1")
    assert history.undo() == 3
    assert history.undo() == 1
    assert [done for _, done in history.actions] == [True, True, False, False]


def test_history_keeps_a_limited_number_of_steps() -> None:
    history = History(0, most=10)
    for value in range(1, 50):
        history.do(ACTION, value)
    assert len(history.actions) == 10
    assert history.go_to(0) == 40


def test_a_project_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = project_path(tmp_path / "talk.mp4")
    assert path.name == "talk.steadymark"
    write_project(path, full_project())
    assert read_project(path) == full_project()
    assert [file.name for file in tmp_path.iterdir()] == ["talk.steadymark"]


def test_fields_of_a_newer_program_are_kept() -> None:
    content = json.loads(project_text(full_project())) | {"gaze": {"calibrated": True}}
    project = parse_project(json.dumps(content), "a")
    assert json.loads(project_text(project))["gaze"] == {"calibrated": True}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steadymark_project": 2}, "newer version"),
        ({"steadymark_project": None}, "not a project"),
        ({"video": 3}, "'video' must hold objects"),
        ({"lanes": []}, "one must be 'exclude'"),
        ({"lanes": "exclude"}, "'lanes' must be a list"),
        ({"annotations": [{"number": 1, "lane": "x", "start_s": 0, "end_s": 1}]}, "no lane called"),
        ({"annotations": [{"number": 1, "lane": "exclude", "start_s": 2, "end_s": 1}]}, "must end"),
        (
            {"annotations": [{"number": 1, "lane": "exclude", "start_s": "2", "end_s": 3}]},
            "start_s",
        ),
        ({"annotations": [{"number": 1, "lane": "exclude"}]}, "missing"),
        ({"corrections": [{"face_id": 0, "colour": 1}]}, "'corrections'"),
        ({"limits": {"score": 5}}, "score must be from 0 to 1"),
        ({"limits": {"scores": 0.5}}, "no parameter"),
        ({"doubts_off": ["blur"]}, "no doubt called"),
        ({"tables": [3]}, "'tables' must be text"),
    ],
)
def test_a_project_that_was_edited_badly_is_told_in_one_sentence(
    change: dict[str, object], sentence: str
) -> None:
    content = json.loads(project_text(full_project())) | change
    with pytest.raises(LandmarkFileError, match=sentence):
        parse_project(json.dumps(content), "talk.steadymark")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"steadymark_project": "1"}', "[" * 100_000])
def test_what_is_no_project_is_told_in_one_sentence(text: str) -> None:
    with pytest.raises(LandmarkFileError, match=r"talk\.steadymark"):
        parse_project(text, "talk.steadymark")


def test_a_full_disk_leaves_the_old_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.steadymark"
    write_project(path, EMPTY)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SinkError, match="cannot write"):
        write_project(path, full_project())
    assert read_project(path) == EMPTY
    assert len(list(tmp_path.iterdir())) == 1


def test_persons_follow_merges_splits_and_swaps_in_order() -> None:
    frame = np.repeat(np.arange(4), 3)
    face_id = np.tile([0, 1, 2], 4)
    project = edits.merge_people(EMPTY, 0, 2)
    project = edits.swap_people(project, 0, 1, 1, 2)
    project = edits.split_person(project, 1, 3, 5)
    persons = persons_of(face_id, frame, project.reassignments).reshape(4, 3)
    assert persons.tolist() == [[0, 1, 0], [1, 0, 1], [1, 0, 1], [0, 5, 0]]
    doubled = doubled_frames(persons.ravel(), frame)
    assert {person: frames.tolist() for person, frames in doubled.items()} == {
        0: [0, 3],
        1: [1, 2],
    }


def test_a_correction_is_exact_in_its_frame_and_fades_out() -> None:
    track = still_track()
    x, y = track.xy[50, 30]
    corrections = [Correction(0, 50, 2.0, ((30, x + 10, y),), span_s=0.4)]
    moved, mask = apply_corrections(track.xy, track.frame, track.time_s, corrections)
    assert moved[50, 30].tolist() == [x + 10, y]
    assert (moved[[40, 45, 55, 60], 30, 0] - x).tolist() == pytest.approx([0, 5, 5, 0], abs=1e-6)
    assert np.flatnonzero(mask).tolist() == list(range(41, 60))
    others = np.delete(np.arange(68), 30)
    assert np.array_equal(moved[:, others], track.xy[:, others])


def test_two_corrections_are_joined_by_a_straight_line() -> None:
    track = still_track()
    x, y = track.xy[50, 30]
    corrections = [
        Correction(0, 50, 2.0, ((30, x + 10, y),), span_s=1.0),
        Correction(0, 60, 2.4, ((30, x + 20, y),), span_s=1.0),
    ]
    moved, _ = apply_corrections(track.xy, track.frame, track.time_s, corrections)
    assert (moved[50:61, 30, 0] - x).tolist() == pytest.approx(np.linspace(10, 20, 11).tolist())


def test_frames_without_the_face_stay_without_it() -> None:
    track = still_track()
    track.xy[48:53] = np.nan
    corrections = [
        Correction(0, 50, 2.0, ((30, 1.0, 1.0),)),
        Correction(0, 900, 36.0, ((1, 0.0, 0.0),)),
    ]
    moved, mask = apply_corrections(track.xy, track.frame, track.time_s, corrections)
    assert not mask.any()
    assert np.isnan(moved[48:53]).all()


def test_a_correction_does_not_reach_beyond_a_new_detection() -> None:
    track = still_track()
    detected = np.zeros(len(track), np.bool_)
    detected[[0, 45, 55]] = True
    x, y = track.xy[50, 30].tolist()
    corrections = [
        Correction(0, frame, frame / 25, ((30, x + 10, y),), span_s=1.0) for frame in (50, 56)
    ]
    moved, mask = apply_corrections(track.xy, track.frame, track.time_s, corrections, detected)
    away = moved[:, 30, 0] - track.xy[:, 30, 0]
    assert mask[44:46].tolist() == [False, True]
    assert away[[44, 45, 50, 54, 55, 56]] == pytest.approx([0, 8, 10, 8.4, 9.6, 10], abs=0.01)


def test_a_second_correction_of_a_frame_keeps_the_first() -> None:
    project = edits.correct(EMPTY, Correction(0, 5, 0.2, ((1, 1.0, 1.0), (2, 2.0, 2.0))))
    project = edits.correct(project, Correction(0, 5, 0.2, ((2, 3.0, 3.0),), span_s=1.0))
    (joined,) = project.corrections
    assert joined.points == ((1, 1.0, 1.0), (2, 3.0, 3.0))
    assert joined.span_s == 1.0


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda p: edits.add_lane(p, " "), "needs a name"),
        (lambda p: edits.add_lane(p, "speech"), "already"),
        (lambda p: edits.add_lane(p, "gaze", key="S"), "belongs to the lane 'speech'"),
        (lambda p: edits.remove_lane(p, "exclude"), "cannot be removed"),
        (lambda p: edits.change_lane(p, "exclude", replace(p.lane("exclude"), name="x")), "keeps"),
        (lambda p: edits.annotate(p, "gaze", 1.0), "no lane called 'gaze'"),
        (lambda p: edits.annotate(p, "speech", 2.0, 1.0), "must end after"),
        (lambda p: edits.name_person(p, 1, "Ada"), "called Ada already"),
        (lambda p: edits.merge_people(p, 1, 1), "with itself"),
        (lambda p: edits.split_person(p, 1, 0, 5), "later frame"),
    ],
)
def test_an_impossible_edit_is_told_in_one_sentence(
    edit: Callable[[Project], Project], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        edit(full_project())


def test_lanes_rename_with_their_annotations_and_leave_with_them() -> None:
    project = full_project()
    renamed = edits.change_lane(project, "speech", replace(project.lane("speech"), name="talk"))
    assert {one.lane for one in renamed.annotations} == {"talk", "exclude"}
    assert {one.lane for one in edits.remove_lane(renamed, "talk").annotations} == {"exclude"}


def test_excluded_moments_are_known_for_each_person() -> None:
    project = edits.exclude(EMPTY, 1.0, 2.0, person=1)
    assert project.is_excluded(1.5, person=1)
    assert not project.is_excluded(1.5, person=0)
    assert not project.is_excluded(2.5, person=1)


def test_a_stretch_is_accepted_or_excluded_only_as_a_whole() -> None:
    project = edits.accept(EMPTY, 1, 2.0, 3.0)
    assert project.is_accepted(1, 2.0005, 3.0005)
    assert not project.is_accepted(1, 1.9, 3.0)
    assert not project.is_accepted(0, 2.0, 3.0)
    project = edits.exclude(edits.exclude(project, 4.0, 6.0, person=2), 8.0, 9.0)
    found = project.excluding(4.5, 6.0, 2)
    assert found is not None
    assert (found.start_s, found.person) == (4.0, 2)
    assert project.excluding(4.5, 6.0, 1) is None
    assert project.excluding(5.0, 7.0, 2) is None
    assert project.excluding(8.0, 8.0, 1) is not None


def test_only_limits_that_are_no_defaults_are_kept() -> None:
    limits = DoubtLimits({"jump": 12.0, "score": 0.6}, frozenset({"turned"}))
    project = edits.set_limits(EMPTY, limits)
    assert (dict(project.limits), project.doubts_off) == ({"jump": 12.0}, limits.off)
    assert DoubtLimits(project.limits, project.doubts_off) == limits
