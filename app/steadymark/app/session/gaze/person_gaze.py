"""The gaze calibrations of the persons in the open recording."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.review.results_table import table_of_faces
from steadymark.engine.attributes.attribute_rows import attributes_of_rows
from steadymark.engine.attributes.looked_at_points import FaceGaze, calibrate
from steadymark.engine.core.errors import UsageError
from steadymark.engine.review import edits
from steadymark.engine.review.people.assignment import persons_of
from steadymark.engine.review.reviewed_table import of_known_neutral, rows_by_person
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.attributes.looked_at_points import LookedAtPoint
    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.gaze.gaze_calibration import CalibrationFit
    from steadymark.engine.review.project import Project

_WINDOW = {"gaze_calibration": None}  # what the window tracks with


class PersonGazes:
    """Makes, stores and removes the calibrations, which the project of the recording holds.

    Args:
        recording: The recording.
        review: Its project.
    """

    def __init__(self, recording: RecordingView, review: ReviewStore) -> None:
        self._recording, self._review = recording, review

    def calibration(self, person: int) -> GazeCalibration | None:
        """Return the calibration of a person; None for none."""
        project = self._review.project
        return None if project is None else project.calibrations.get(person)

    def fit(self, person: int, points: Sequence[LookedAtPoint], name: str) -> CalibrationFit:
        """Fit the calibration of a person to points that the person looked at.

        With one or two points, only the offsets of the eyes are fitted.

        Args:
            person: Number of the person.
            points: The points.
            name: Name of the person.

        Raises:
            UsageError: No gaze is known there, or the correction is not plausible.
        """
        results, project = self._recording.results, self._review.project
        if results is None or project is None:
            raise UsageError("no recording is open: open the recording of the person")
        opened = self._recording.current
        table = None if opened is None else opened.table
        settings = {} if table is None else table.header.settings
        seen = _gaze_at(results.snapshot(), project, person, points, settings)
        return calibrate(seen, points, name, person, fewest=1)

    def use(self, person: int, calibration: GazeCalibration) -> bool:
        """Correct the gaze of a person. Returns whether the project was changed."""
        return self._review.edit(
            UserText("calibrate the gaze"),
            lambda project: edits.calibrate_gaze(project, person, calibration),
        )

    def remove(self, person: int) -> bool:
        """Leave the gaze of a person as it was tracked. Returns whether the project was changed."""
        return self._review.edit(
            UserText("remove the gaze calibration"),
            lambda project: edits.forget_gaze(project, person),
        )


def _gaze_at(
    results: Results,
    project: Project,
    person: int,
    points: Sequence[LookedAtPoint],
    settings: Mapping[str, object],
) -> FaceGaze:
    """Return the gaze of the persons, without the calibrations of the project.

    The settings are those of the table that the results come from; the window tracks without a
    calibration.
    """
    table = table_of_faces(results, results.rows(), {"settings": {**_WINDOW, **settings}})
    persons = persons_of(table.face_id, table.frame, project.reassignments)
    attributes = table.attributes
    bare = replace(project, gaze_calibrations=())
    if of_known_neutral(table, persons, bare)[persons == person].any():
        times = table.timestamp_s
        inside = [(times >= one.start_s) & (times <= one.end_s) for one in points]
        rows = np.flatnonzero((persons == person) & np.any(inside, axis=0))
        tracked = rows_by_person(table, persons, bare, results.camera)
        attributes = attributes.copy()
        attributes[rows] = attributes_of_rows(tracked, table.xy_px, rows.tolist())[rows]
    return FaceGaze(persons, table.timestamp_s, attributes, dict(settings))
