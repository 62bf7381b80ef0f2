"""The 3D faces of the persons of a whole recording, which are known at its end.

While a recording is tracked, a person's face at rest is what the first seconds show, even if it is
a frown. At the end, it is learned from moments of the whole recording, with the same weights.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.core.image_order import ImageOrder
from steadymark.engine.core.types import Landmarks
from steadymark.engine.face3d.face_fit import average_identity
from steadymark.engine.face3d.identity import (
    LEARNED_EVERY_S,
    MOST_LEARNED,
    known_after,
    known_neutral_faces,
)
from steadymark.models.face.schema import IBUG_ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.core.types import Intrinsics, TrackResult
    from steadymark.engine.face3d.face_basis import Floats
    from steadymark.engine.face3d.face_fit import IdentityPrior

FACE_AT_REST, OF_RECORDING = "face_at_rest", "recording"  # name and value in settings of tables
_ROUNDING_S = 1e-3  # more than tables round times


class Moment(NamedTuple):
    """A frame that a person's 3D face is learned from.

    Attributes:
        points: The 68 raw landmarks in iBUG's order.
        camera: The camera.
    """

    points: Landmarks
    camera: Intrinsics


class Moments:
    """The frames of a recording that the 3D faces of its persons are learned from."""

    def __init__(self) -> None:
        self._of: defaultdict[int, list[Moment]] = defaultdict(list)
        self._last_s: dict[int, float] = {}

    def add(self, number: int, moment: Moment, time_s: float) -> None:
        """Add a frame of a face, unless it is too close to the one before.

        Args:
            number: Number of the face.
            moment: Its landmarks.
            time_s: Time of the frame in seconds, which does not decrease.
        """
        if time_s >= self._last_s.get(number, -np.inf) + LEARNED_EVERY_S - _ROUNDING_S:
            self._of[number].append(moment)
            self._last_s[number] = time_s

    def add_faces(self, result: TrackResult) -> None:
        """Add the faces of a frame, see `add`.

        Args:
            result: The frame; it may lack its picture.
        """
        for face in result.faces:
            if face.raw is None or face.stabilized is None or face.attributes is None:
                continue
            context = face.attributes.context
            if context.camera is not None and context.schema in IBUG_ORDER:
                points = Landmarks(face.raw.xy_px, face.stabilized.score)
                self.add(face.face_id, Moment(points, context.camera), result.frame.pts_s)

    def identities(self, known: Mapping[int, IdentityPrior] | None = None) -> dict[int, Floats]:
        """Return the (M,) identity of each face; faces that cannot be fitted have none.

        Args:
            known: What neutral faces of the user's choice tell, by the numbers of the faces.
        """
        found = {}
        for number, moments in self._of.items():
            identity = identity_of_moments(moments, (known or {}).get(number))
            if identity is not None:
                found[number] = identity
        return found


def identity_of_moments(
    moments: Sequence[Moment], neutral: IdentityPrior | None = None
) -> Floats | None:
    """Return the identity of a person, learned from moments of a whole recording.

    Args:
        moments: The moments.
        neutral: What a neutral face of the user's choice tells; None if there is none.

    Returns:
        The (M,) identity; None if nothing is known.
    """
    count = min(len(moments), MOST_LEARNED)
    places = np.linspace(0, len(moments) - 1, count).round().astype(int)
    known = neutral
    for place in places.tolist():
        points, camera = moments[place]
        before = average_identity() if known is None else known
        known = known_after(before, points, camera) or known
    return None if known is None else known.mean


def identities_of_recording(
    face_id: NDArray[np.integer],
    raw: NDArray[np.float32],
    score: NDArray[np.float32],
    time_s: NDArray[np.float64],
    camera: Intrinsics,
    at_rest: NDArray[np.bool_] | None = None,
) -> list[Floats | None]:
    """Return the identities of the persons of a whole recording, for the R rows of its table.

    Args:
        face_id: (R,) numbers of the faces.
        raw: (R, 68, 2) raw landmarks in pixels; NaN in rows without a face.
        score: (R, 68) their scores; NaN counts as 1.
        time_s: (R,) times of the frames, in any order.
        camera: The camera.
        at_rest: (R,) rows whose faces are neutral because the user says so; None for no row.

    Returns:
        The (M,) identity of each row, the same for all rows of a person; None if it is unknown.
    """
    has_face = np.asarray(np.isfinite(raw).all((1, 2)))
    rows = np.argsort(time_s, kind="stable")
    moments = Moments()
    for row in rows[has_face[rows]].tolist():
        points = Landmarks(raw[row], np.nan_to_num(score[row], nan=1.0))
        moments.add(int(face_id[row]), Moment(points, camera), float(time_s[row]))
    neutral = known_neutral_faces(face_id, raw, score, time_s, camera, at_rest)
    found = moments.identities({number: each.known for number, each in neutral.items()})
    return [found.get(int(number)) for number in face_id]


def learns_from_recording(schema: str, images: ImageOrder | None) -> bool:
    """Return whether the 3D faces of a recording are learned from the whole of it.

    Args:
        schema: Name of the landmark schema.
        images: The order of the images, if it consists of images. Independent images show other
            persons each.
    """
    return schema in IBUG_ORDER and images is not ImageOrder.INDEPENDENT


def settings_of_recording(schema: str, images: ImageOrder | None) -> dict[str, object]:
    """Return what the settings of the table of a recording tell, see `learns_from_recording`."""
    return {FACE_AT_REST: OF_RECORDING} if learns_from_recording(schema, images) else {}


def is_of_recording(settings: object) -> bool:
    """Return whether a table's 3D faces are those of the whole recording.

    Args:
        settings: The settings in its header. Tables without settings, such as those of OpenFace,
            do not tell how they were made; the whole recording is then the best guess.
    """
    if not isinstance(settings, dict) or not settings:
        return True
    return settings.get(FACE_AT_REST) == OF_RECORDING
