"""The faces of results with the review applied, for exports that write frame by frame."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from steadymark.app.session.review.results_table import table_of_faces
from steadymark.engine.attributes.attribute_registry import attributes_from
from steadymark.engine.core.types import Landmarks
from steadymark.engine.face3d.face_at_rest import FACE_AT_REST, OF_RECORDING
from steadymark.engine.review.reviewed_table import reviewed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.core.types import FaceAttributes, FaceContext, TrackedFace
    from steadymark.engine.review.project import Project
    from steadymark.engine.review.reviewed_table import ReviewedTable


def reviewed_results(results: Results, project: Project, focal_px: float | None) -> ReviewedTable:
    """Apply a project to results.

    Args:
        results: The results, which must not change meanwhile; see `Results.snapshot`.
        project: The project.
        focal_px: The focal length that is set; None if none is.
    """
    calibration = results.gaze_calibration
    plain = None if calibration is None else asdict(calibration)
    learned = {FACE_AT_REST: OF_RECORDING} if results.of_recording else {}
    settings = {"focal_px": focal_px, "gaze_calibration": plain, **learned}
    table = table_of_faces(results, results.rows(), {"settings": settings})
    return reviewed(table, project)


def reviewed_attributes(
    table: ReviewedTable,
    row: int,
    tracked: FaceContext,
    calibrations: Mapping[int, GazeCalibration],
) -> FaceAttributes:
    """Return the attributes of a row that were computed again, with what they were computed from.

    Args:
        table: The reviewed table.
        row: The row.
        tracked: What the attributes were computed from while the face was tracked.
        calibrations: The project's corrections of gaze, by the numbers of the persons.
    """
    own = calibrations.get(int(table.person[row]))
    context = replace(
        tracked,
        identity=table.identities[row],
        gaze_calibration=own or tracked.gaze_calibration,
    )
    return attributes_from(table.table.attributes[row], context)


class ReviewedFaces:
    """Faces with corrected landmarks and the numbers of persons, without excluded ones.

    Args:
        results: The results, which must not change meanwhile; see `Results.snapshot`.
        project: The project that is applied.
        focal_px: The focal length that is set, for head poses of corrected landmarks; None if none
            is.
    """

    def __init__(self, results: Results, project: Project, focal_px: float | None) -> None:
        self._results = results
        self._table = reviewed_results(results, project, focal_px)
        self._calibrations = project.calibrations

    def faces(self, index: int) -> tuple[TrackedFace, ...] | None:
        """Return the faces of a frame, or None if it is not tracked."""
        faces = self._results.faces(index)
        if faces is None:
            return None
        rows = self._results.rows_at(index)
        kept = zip(faces, rows, strict=True)
        return tuple(self._face(face, row) for face, row in kept if not self._table.excluded[row])

    def _face(self, face: TrackedFace, row: int) -> TrackedFace:
        named = replace(face, face_id=int(self._table.person[row]))
        if face.stabilized is None or not self._table.recomputed[row]:
            return named
        attributes = face.attributes
        return replace(
            named,
            stabilized=Landmarks(self._table.table.xy_px[row], face.stabilized.score),
            attributes=None
            if attributes is None
            else reviewed_attributes(self._table, row, attributes.context, self._calibrations),
        )
