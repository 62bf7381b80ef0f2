"""What the video view shows: a frame and the results for exactly that frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from steadymark.app.session.analysis.variants import RAW_AND_STABILIZED
from steadymark.app.session.people.face_names import FaceName, face_names
from steadymark.app.session.review.corrected_faces import CorrectedFaces, corrected_faces
from steadymark.app.session.state import ShownLandmarks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import Trail
    from steadymark.app.session.review.corrected_faces import CorrectedLandmarks
    from steadymark.app.session.session import Session
    from steadymark.app.session.state import Display
    from steadymark.engine.core.types import Frame, TrackedFace
    from steadymark.models.face.schema import LandmarkSchema

_TRAIL_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ShownFrame:
    """A frame and the faces of exactly that frame; faces is None if it is not tracked yet.

    trails has the trails of raw (True) and stabilized points by the face's id. truth is (K, 2) in
    frame pixels. heatmaps has the x and y heatmaps by the face's id, each (K, 2, L). corrected has
    the landmarks that the project corrects by the face's id; the faces have their new places. names
    tells what the faces are called, by their ids.
    """

    frame: Frame
    faces: tuple[TrackedFace, ...] | None
    trails: dict[bool, dict[int, Trail]]
    schema: LandmarkSchema
    truth: NDArray[np.float64] | None = None
    heatmaps: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    names: dict[int, FaceName] = field(default_factory=dict)
    corrected: dict[int, CorrectedLandmarks] = field(default_factory=dict)


def shown_frame_of(session: Session) -> ShownFrame | None:
    """Return the current frame with its faces, trails and ground truth.

    When both kinds of landmarks are shown, they are those of the compared variants. The project's
    corrections apply to the results of the recording alone.
    """
    frame, analysis, display = session.frame, session.analysis, session.display
    results = session.results
    if frame is None or results is None:
        return None
    both = display.shown_landmarks is ShownLandmarks.BOTH
    trails = display.overlay.trails
    faces = analysis.faces(frame.index, both=both)
    ids = {face.face_id for face in faces or ()}
    found, project = CorrectedFaces(faces or (), {}), session.review.project
    if faces and project is not None and (not both or analysis.variants == RAW_AND_STABILIZED):
        known = session.people.neutral.with_neutral(faces, frame.index, results)
        found = corrected_faces(known, frame.index, results, project.corrections)
    return ShownFrame(
        frame,
        None if faces is None else found.faces,
        analysis.trails(frame.index, over_s=_TRAIL_S, both=both) if trails else {},
        results.schema,
        analysis.ground_truth_at(frame.index),
        corrected=found.corrected,
        names=face_names(project, ids, frame.index),
    )


def drawing_state(display: Display) -> tuple[object, ...]:
    """Return the part of the display state that determines how a frame is painted."""
    return display.overlay, display.shown_landmarks, display.variants


def without_position(display: Display) -> Display:
    """Return the display state without the playback position."""
    return replace(display, frame=0, time_s=0.0, share=0.0)
