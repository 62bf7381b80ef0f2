"""Whose landmarks go to what can take one face only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackedFace, TrackResult


def first_face(result: TrackResult) -> TrackedFace | None:
    """The one with the lowest id; None while that is lost, so that nobody else takes its place."""
    face = min(result.faces, key=lambda face: face.face_id, default=None)
    return None if face is None or face.stabilized is None else face
