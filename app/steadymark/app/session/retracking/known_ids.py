"""The numbers of faces in a part that was tracked again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.types import TrackedFace, TrackResult

_SAME_FACE = 0.25  # mean distance of landmarks, in sizes of the face, within which it is the same


def with_known_ids(
    tracked: Iterable[TrackResult], old: Results, followed: Collection[int]
) -> list[TrackResult]:
    """Give each new face the number of the face that was in its place before.

    Args:
        tracked: The new results, in order.
        old: The results before.
        followed: The numbers of faces that were followed into the part.

    Returns:
        The new results; a face that was nowhere before keeps its new number.
    """
    numbers = {face_id: face_id for face_id in followed}
    found = []
    for result in tracked:
        for face in result.faces:
            if face.face_id not in numbers and face.raw is not None:
                numbers[face.face_id] = _number(face, old.faces(result.frame.index) or (), numbers)
        faces = (
            replace(one, face_id=numbers.get(one.face_id, one.face_id)) for one in result.faces
        )
        found.append(replace(result, faces=tuple(sorted(faces, key=lambda one: one.face_id))))
    return found


def _number(face: TrackedFace, old: Sequence[TrackedFace], taken: dict[int, int]) -> int:
    """Return the number of the old face in the place of a face, or the face's own number."""
    assert face.raw is not None
    xy_px = face.raw.xy_px
    size = max(1.0, float(np.ptp(xy_px, axis=0).max()))
    for other in old:
        if other.raw is None or other.face_id in taken.values():
            continue
        away = float(np.linalg.norm(other.raw.xy_px - xy_px, axis=1).mean())
        if away < _SAME_FACE * size:
            return other.face_id
    return face.face_id
