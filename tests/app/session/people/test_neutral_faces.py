"""A neutral face of a person changes the person's attributes, in exports and in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.recording.results import Results
from steadymark.app.session.review.results_table import table_of_faces
from steadymark.app.session.review.reviewed_faces import ReviewedFaces
from steadymark.engine.attributes.attribute_registry import vector_of
from steadymark.engine.core.types import FaceState
from steadymark.engine.review import edits
from steadymark.engine.review.project import NeutralFrame, Project, VideoReference
from steadymark.engine.review.reviewed_table import reviewed
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points, track_result, tracked_face
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session

WAIT_MS = 20_000
PROJECT = Project(VideoReference("a.mp4", width=160, height=120))


@pytest.fixture(scope="module")
def results() -> Results:
    """Two faces whose mouths open after a second."""
    found = Results(np.arange(40) / 25, load_schema("ibug68"))
    for index in range(40):
        state = FaceState.DETECTED if index == 0 else FaceState.TRACKED
        points = face_points(60 + index / 8)
        if index > 25:
            points[5:12, 1] += 4
            points[55:60, 1] += 5
            points[65:68, 1] += 5
        faces = [tracked_face(i, points=points + i, state=state) for i in range(2)]
        found.add(track_result(index, *faces, restarted=index == 0))
    return found


def test_only_the_rows_of_a_person_with_a_neutral_face_change(results: Results) -> None:
    table = table_of_faces(results, results.rows())
    project = edits.choose_neutral(PROJECT, 1, 3)
    before, after = reviewed(table, PROJECT).table, reviewed(table, project).table
    other, person = table.face_id == 0, table.face_id == 1
    np.testing.assert_array_equal(after.attributes[other], before.attributes[other])
    assert np.isfinite(after.attributes[person]).any(1).all()
    assert (after.attributes[person] != before.attributes[person]).any(1).all()
    np.testing.assert_array_equal(after.xy_px, before.xy_px)
    assert project.changes_tables


def test_a_second_choice_replaces_the_first_and_can_be_forgotten() -> None:
    project = edits.choose_neutral(edits.choose_neutral(PROJECT, 1, 3), 0, 5)
    project = edits.choose_neutral(project, 1, 8)
    assert project.neutral == (NeutralFrame(0, 5), NeutralFrame(1, 8))
    assert edits.forget_neutral(project, 1).neutral == (NeutralFrame(0, 5),)


def test_a_neutral_frame_after_the_end_changes_nothing(results: Results) -> None:
    table = table_of_faces(results, results.rows())
    project = edits.choose_neutral(PROJECT, 0, 4000)
    assert not reviewed(table, project).recomputed.any()


def test_faces_that_are_exported_frame_by_frame_have_the_neutral_face(results: Results) -> None:
    project = edits.choose_neutral(PROJECT, 1, 3)
    header = {"settings": {"focal_px": None}}
    wanted = reviewed(table_of_faces(results, results.rows(), header), project)
    faces = ReviewedFaces(results, project, None).faces(20)
    assert faces is not None
    for face, row in zip(faces, results.rows_at(20), strict=True):
        assert vector_of(face.attributes) == pytest.approx(
            wanted.table.attributes[row].tolist(), nan_ok=True
        )
        assert face.attributes is not None
        if face.face_id == 1:
            assert wanted.recomputed[row]
            np.testing.assert_array_equal(face.attributes.context.identity, wanted.identities[row])


def test_the_window_has_the_attributes_of_the_export_until_the_choice_is_taken_back(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    session.open(str(square_video(tmp_path / "a.mp4", 30)))
    qtbot.waitUntil(lambda: session.people.complete, timeout=WAIT_MS)
    results, neutral = session.recording.results, session.people.neutral
    assert results is not None
    assert neutral.attributes(results) is None
    person = session.people.rows()[0].number
    assert session.people.choose_neutral(person, 4)
    qtbot.waitUntil(lambda: neutral.attributes(results) is not None, timeout=WAIT_MS)
    assert session.people.rows()[0].neutral == 4
    project = session.review.project
    assert project is not None
    wanted = reviewed(table_of_faces(results, results.rows()), project).table.attributes
    found = neutral.attributes(results)
    assert found is not None
    np.testing.assert_array_equal(found, wanted)
    faces = results.faces(20)
    assert faces
    (face,) = neutral.with_neutral(faces, 20, results)
    row = results.rows_at(20)[0]
    assert vector_of(face.attributes) == pytest.approx(wanted[row].tolist(), nan_ok=True)
    assert session.people.choose_neutral(person, 4)
    qtbot.waitUntil(lambda: neutral.attributes(results) is None, timeout=WAIT_MS)


def test_a_person_who_is_not_in_the_frame_is_refused(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    session.open(str(square_video(tmp_path / "a.mp4", 10)))
    qtbot.waitUntil(lambda: session.people.complete, timeout=WAIT_MS)
    with qtbot.waitSignal(session.people.refused) as refused:
        assert not session.people.choose_neutral(77, 4)
    assert str(refused.args[0]) == "#77 has no face in this frame"
