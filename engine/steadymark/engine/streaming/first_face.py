"""Select the face whose landmarks are sent to targets that accept only one face."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackedFace, TrackResult


def first_face(result: TrackResult) -> TrackedFace | None:
    """Return the face with the lowest id.

    Args:
        result: Tracking result of a frame.

    Returns:
        The face; None while it is lost, so that no other face takes its place.
    """
    face = min(result.faces, key=lambda face: face.face_id, default=None)
    return None if face is None or face.stabilized is None else face
