"""A face in a frame, as the public API returns it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from steadymark.engine.core.types import (
    FaceAttributes,
    FaceBox,
    FaceContext,
    FaceState,
    Landmarks,
    Scores,
    TrackedFace,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from steadymark.engine.api.inputs import Points
    from steadymark.engine.core.pupils import Pupils
    from steadymark.engine.core.types import AttributeValues, HeadPose, Intrinsics


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face that was found in a frame.

    Attributes:
        id: The face's number, which stays the same from frame to frame of one video.
        landmarks: (K, 2) float32, stabilized, in full-frame pixels. (0, 0) is the centre of the
            upper left pixel; x points right and y points down. K is 68 for the shipped models.
        scores: (K,) float32, the network's confidence in each landmark, 0 to 1.
        raw_landmarks: (K, 2) float32, the landmarks before stabilization.
        score: The network's confidence that this is a face, 0 to 1.
        box: The extent of the landmarks in pixels; None if a table does not contain it.
        state: `detected` if the detector found the face in this frame, `tracked` if the face
            was followed from the previous frame.
        schema: The landmark schema, for example `ibug68`.
        attributes: The values of the face's attributes by the attribute's name, in the units of
            their columns in tables; unknown attributes are left out.
        camera: The camera; None if the size of the frames is unknown.
        pupils: The pupils; None if they are not tracked, or not contained in a table.
    """

    id: int
    landmarks: Points
    scores: Scores
    raw_landmarks: Points
    score: float
    box: FaceBox | None
    state: FaceState = FaceState.TRACKED
    schema: str = field(kw_only=True)
    attributes: Mapping[str, AttributeValues] = field(default_factory=dict)
    camera: Intrinsics | None = None
    pupils: Pupils | None = None

    @property
    def head_pose(self) -> HeadPose | None:
        """Position in millimetres and rotation of the head.

        It is None if the schema is neither `ibug68` nor `ibug68_3d`, or if there are too few
        landmarks.
        """
        return tracked_face(self).pose


def faces_of(tracked: Iterable[TrackedFace], schema: str) -> list[Face]:
    """Return the faces of a frame that have landmarks; lost faces are left out."""
    return [
        Face(
            each.face_id,
            each.stabilized.xy_px,
            each.stabilized.score,
            each.raw.xy_px,
            each.score,
            each.box,
            each.state,
            schema=schema,
            attributes={} if each.attributes is None else each.attributes.values,
            camera=None if each.attributes is None else each.attributes.context.camera,
            pupils=None if each.attributes is None else each.attributes.context.pupils,
        )
        for each in tracked
        if each.raw is not None and each.stabilized is not None
    ]


def tracked_face(face: Face) -> TrackedFace:
    """Convert a face to the engine's type."""
    return TrackedFace(
        face.id,
        face.state,
        face.score,
        face.box,
        Landmarks(face.raw_landmarks, face.scores),
        Landmarks(face.landmarks, face.scores),
        attributes=FaceAttributes(
            FaceContext(face.schema, face.camera, pupils=face.pupils), face.attributes
        ),
    )
