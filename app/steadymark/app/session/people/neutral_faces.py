"""The attributes of persons with a neutral face or a gaze calibration, computed in a thread."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from steadymark.app.session.newest_worker import NewestWorker
from steadymark.app.session.review.background_review import BackgroundReview
from steadymark.app.session.review.reviewed_faces import reviewed_attributes, reviewed_results
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.review.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.review.reviewed_table import ReviewedTable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NeutralRequest:
    """A request for the attributes with the neutral faces and the calibrations of a project."""

    results: Results
    project: Project


@dataclass(frozen=True, slots=True, eq=False)
class NeutralReply:
    """The answer to a request; `known` is None if no person has either."""

    request: NeutralRequest
    known: ReviewedTable | None = None
    elapsed_s: float = 0.0


def _changes_attributes(project: Project) -> bool:
    return bool(project.neutral or project.gaze_calibrations)


class NeutralWorker(NewestWorker["NeutralRequest", "NeutralReply"]):
    """Computes attributes on a thread of its own.

    Args:
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        super().__init__("neutral faces", on_ready)

    def _answer(self, request: NeutralRequest) -> NeutralReply:
        start_s = time.perf_counter()
        try:
            results, known = request.results.snapshot(), None
            if _changes_attributes(request.project) and results.camera is not None:
                known = reviewed_results(results, request.project, results.camera.focal)
        except SteadymarkError as error:
            log.warning("neutral faces: %s", error.sentence)
            return NeutralReply(request)
        except Exception:
            log.exception("neutral faces")
            return NeutralReply(request)
        return NeutralReply(request, known, time.perf_counter() - start_s)


class NeutralFaces(BackgroundReview):
    """The attributes of persons with a neutral face or a gaze calibration, in the GUI thread.

    They are those of an export. Until they are computed, the attributes are as they were tracked.

    Args:
        recording: The recording.
        review: Its project.
    """

    def __init__(self, recording: RecordingView, review: ReviewStore) -> None:
        self._known: ReviewedTable | None = None
        self._calibrations: dict[int, GazeCalibration] = {}
        super().__init__(recording, review, NeutralWorker)
        review.changed.connect(self._follow_project)

    def attributes(self, results: Results) -> NDArray[np.float64] | None:
        """Return the (R, C) attributes of the rows of results; None if they are as tracked."""
        known = self._known
        if known is None or results is not self._recording.results:
            return None
        return known.table.attributes if len(known) == len(results.rows()) else None

    def with_neutral(
        self, faces: Sequence[TrackedFace], index: int, results: Results
    ) -> tuple[TrackedFace, ...]:
        """Return the faces of a frame with the attributes that the choices of the user give.

        Args:
            faces: The faces of the frame, as they were tracked.
            index: Index of the frame.
            results: The results that they come from.
        """
        known = self._known
        if known is None or self.attributes(results) is None:
            return tuple(faces)
        face_id = results.rows().face_id
        row_of = {int(face_id[row]): row for row in results.rows_at(index)}
        changed = []
        for face in faces:
            row = row_of.get(face.face_id)
            if row is not None and known.recomputed[row] and face.attributes is not None:
                context = face.attributes.context
                again = reviewed_attributes(known, row, context, self._calibrations)
                face = replace(face, attributes=again)
            changed.append(face)
        return tuple(changed)

    def _request_of(self, results: Results) -> NeutralRequest | None:
        project = self._review.project
        if project is None or not (_changes_attributes(project) or self._known is not None):
            return None
        # Only these parts of the project matter: other edits request nothing.
        used = Project(
            project.video,
            reassignments=project.reassignments,
            neutral=project.neutral,
            gaze_calibrations=project.gaze_calibrations,
        )
        return NeutralRequest(results, used)

    def _use(self, reply: NeutralReply | None) -> None:
        self._known = None if reply is None else reply.known
        self._calibrations = {} if reply is None else reply.request.project.calibrations
