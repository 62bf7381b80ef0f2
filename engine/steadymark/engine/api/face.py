"""One face of one frame, as the public API gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.engine.core.types import FaceBox, FaceState, Landmarks, Scores, TrackedFace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steadymark.engine.api.inputs import Points
    from steadymark.engine.core.types import HeadPose


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face that was found in a frame.

    Attributes:
        id: The face's number, which stays the same from frame to frame of one video.
        landmarks: (K, 2) float32, stabilized, pixels of the whole frame; (0, 0) is the centre of
            the upper left pixel, x goes to the right and y down. K is 68 for the shipped models.
        scores: (K,) float32, how sure the network is of each landmark, 0 to 1.
        raw_landmarks: (K, 2) float32, the landmarks before stabilization.
        score: How sure the network is that this is a face, 0 to 1.
        box: The extent of the landmarks, pixels; None where a table does not hold it.
        head_pose: Position in millimetres and rotation of the head; None where the landmarks are
            not those of iBUG's 68, or too few are there.
        state: `detected` where the face was found by the detector, `tracked` where it was followed
            from the frame before.
        schema: The numbering of the landmarks, for example `ibug68`.
    """

    id: int
    landmarks: Points
    scores: Scores
    raw_landmarks: Points
    score: float
    box: FaceBox | None
    head_pose: HeadPose | None
    state: FaceState = FaceState.TRACKED
    schema: str = "ibug68"


def faces_of(tracked: Iterable[TrackedFace], schema: str) -> list[Face]:
    """The faces of a frame that are there; lost ones have no landmarks and are left out."""
    return [
        Face(
            each.face_id,
            each.stabilized.xy_px,
            each.stabilized.score,
            each.raw.xy_px,
            each.score,
            each.box,
            each.pose,
            each.state,
            schema,
        )
        for each in tracked
        if each.raw is not None and each.stabilized is not None
    ]


def tracked_face(face: Face) -> TrackedFace:
    """The engine's own value of a face."""
    return TrackedFace(
        face.id,
        face.state,
        face.score,
        face.box,
        Landmarks(face.raw_landmarks, face.scores),
        Landmarks(face.landmarks, face.scores),
        pose=face.head_pose,
    )
