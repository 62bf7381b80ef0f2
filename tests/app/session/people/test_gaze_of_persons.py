"""A gaze calibration of a person in a project changes the gaze of that person alone."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from steadymark.app.session.gaze.person_gaze import PersonGazes
from steadymark.app.session.recording.results import Results
from steadymark.app.session.review.results_table import table_of_faces
from steadymark.app.session.review.reviewed_faces import ReviewedFaces
from steadymark.engine.attributes.attribute_registry import attribute_slices, vector_of
from steadymark.engine.attributes.attribute_rows import is_calibration_known
from steadymark.engine.attributes.looked_at_points import LookedAtPoint
from steadymark.engine.core.errors import LandmarkFileError, UsageError
from steadymark.engine.core.gaze import GAZE, GazeCalibration, gaze_angles
from steadymark.engine.core.pupils import PUPILS
from steadymark.engine.review import edits
from steadymark.engine.review.project import Project, VideoReference
from steadymark.engine.review.project_file import parse_project, project_text
from steadymark.engine.review.reviewed_table import reviewed
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import track_result
from support.gazing_faces import gazing_face, pose_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.types import TrackResult
    from steadymark.models.user_text import UserText

PROJECT = Project(VideoReference("a.mp4", width=640, height=480))
SHIFT_DEG = np.array([[4.0, -3.0], [6.0, 2.0]])
CALIBRATION = GazeCalibration("Ada", (1.0, 1.0), ((4.0, -3.0), (6.0, 2.0)))


def frame(index: int) -> TrackResult:
    """Two people who look into the camera."""
    faces = [gazing_face(pose_at(), (0.0, 0.0, 0.0), np.zeros((2, 2)), face_id=i) for i in range(2)]
    return track_result(index, *faces, restarted=index == 0)


@pytest.fixture(scope="module")
def results() -> Results:
    """Their results, tracked without a calibration."""
    found = Results(np.arange(4) / 25, load_schema("ibug68"))
    for index in range(4):
        found.add(frame(index))
    return found


def test_only_the_gaze_of_the_calibrated_person_changes(results: Results) -> None:
    table = table_of_faces(results, results.rows(), {"settings": {"model": "a"}})
    project = edits.calibrate_gaze(PROJECT, 1, CALIBRATION)
    assert project.changes_tables
    before, after = reviewed(table, PROJECT).table, reviewed(table, project).table
    other, person = table.face_id == 0, table.face_id == 1
    np.testing.assert_array_equal(after.attributes[other], before.attributes[other])
    part = attribute_slices()[GAZE]
    angles = [
        np.degrees(gaze_angles(each.attributes[person][:, part][:, :6].reshape(-1, 2, 3)))
        for each in (before, after)
    ]
    assert angles[1] - angles[0] == pytest.approx(np.tile(SHIFT_DEG, (4, 1, 1)), abs=1.5)
    pupils = attribute_slices()[PUPILS]
    np.testing.assert_array_equal(after.attributes[:, pupils], before.attributes[:, pupils])
    assert is_calibration_known(before.header["settings"])
    assert not is_calibration_known(after.header["settings"])  # so that it stays as it is


def test_faces_that_are_exported_frame_by_frame_have_the_calibrated_gaze(results: Results) -> None:
    project = edits.calibrate_gaze(PROJECT, 1, CALIBRATION)
    wanted = reviewed(table_of_faces(results, results.rows()), project).table.attributes
    faces = ReviewedFaces(results, project, None).faces(2)
    assert faces is not None
    for face, row in zip(faces, results.rows_at(2), strict=True):
        assert vector_of(face.attributes) == pytest.approx(wanted[row].tolist(), nan_ok=True)
        assert face.attributes is not None
        known = face.attributes.context.gaze_calibration
        assert known == (CALIBRATION if face.face_id == 1 else None)


class Review:
    """The project of a recording, with what `PersonGazes` uses of a `ReviewStore`."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def edit(self, action: UserText, change: Callable[[Project], Project]) -> bool:
        before, self.project = self.project, change(self.project)
        return self.project != before


def gazes_of(
    results: Results, project: Project, current: object = None
) -> tuple[PersonGazes, Review]:
    """The calibrations of a recording with these results."""
    review = Review(project)
    recording = SimpleNamespace(results=results, current=current)
    return PersonGazes(cast("Any", recording), cast("Any", review)), review


@pytest.mark.parametrize("neutral", [False, True], ids=["as tracked", "with a neutral face"])
def test_a_look_at_a_known_point_gives_the_offsets_of_a_person(
    results: Results, neutral: bool
) -> None:
    project = edits.choose_neutral(PROJECT, 1, 0) if neutral else PROJECT
    gazes, review = gazes_of(results, edits.calibrate_gaze(project, 1, CALIBRATION))
    away = 600 * float(np.tan(np.radians(8)))
    fit = gazes.fit(1, [LookedAtPoint(0.0, 1.0, (-away, 0.0, 0.0))], "Ada")
    assert fit.calibration.gain == pytest.approx((1, 1), abs=1e-3)
    offset = np.array(fit.calibration.offset_deg)
    assert offset == pytest.approx(np.array([[-8.0, 0.0], [-8.0, 0.0]]), abs=2.0)
    assert fit.after_deg < 1 < fit.before_deg
    assert gazes.use(1, fit.calibration)
    assert gazes.calibration(1) == fit.calibration
    assert gazes.remove(1)
    assert review.project.calibrations == {}


def test_what_cannot_be_calibrated_is_told(results: Results) -> None:
    gazes, _ = gazes_of(results, PROJECT)
    with pytest.raises(UsageError, match="no gaze of the face 7"):
        gazes.fit(7, [LookedAtPoint(0.0, 1.0, (0.0, 0.0, 0.0))], "")
    settings: dict[str, object] = {"gaze_calibration": {"people": {}}}
    shown = SimpleNamespace(table=SimpleNamespace(header=SimpleNamespace(settings=settings)))
    calibrated, _ = gazes_of(results, PROJECT, shown)
    with pytest.raises(UsageError, match="was tracked with a gaze calibration"):
        calibrated.fit(1, [LookedAtPoint(0.0, 1.0, (0.0, 0.0, 0.0))], "")
    with pytest.raises(UsageError, match="no gaze is known at the points"):
        gazes.fit(1, [LookedAtPoint(50.0, 51.0, (0.0, 0.0, 0.0))], "")


def test_a_project_keeps_calibrations_and_refuses_impossible_ones() -> None:
    project = edits.calibrate_gaze(edits.calibrate_gaze(PROJECT, 1, CALIBRATION), 0, CALIBRATION)
    project = edits.calibrate_gaze(project, 1, replace(CALIBRATION, name="Bob"))
    read = parse_project(project_text(project), "a.steadymark")
    assert [(one.person, one.name) for one in read.gaze_calibrations] == [(0, "Ada"), (1, "Bob")]
    assert read.calibrations[0] == CALIBRATION
    assert [one.person for one in edits.forget_gaze(read, 0).gaze_calibrations] == [1]
    content = json.loads(project_text(project))
    content["gaze_calibrations"][0]["gain"] = [0, 1]
    with pytest.raises(LandmarkFileError, match=r"calibration of the person 0 is not possible"):
        parse_project(json.dumps(content), "a.steadymark")
