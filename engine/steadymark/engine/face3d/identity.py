"""What a tracker learns of a person's 3D face while it follows it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import Landmarks
from steadymark.engine.face3d.face_fit import IdentityPrior, average_identity, fit_face

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Intrinsics
    from steadymark.engine.face3d.face_basis import Floats

_EVERY_S = 0.5  # time between two frames that are learned from, which are alike if closer
# Share of a frame's precision that counts, since errors of the labels are alike in all frames.
_TRUST = 0.5
_MOST = 60  # frames that are learned from
_SAME = 1e-3  # difference of two identities, in standard deviations, that has no effect
_BLENDING_S = 0.5  # time constant with which the identity in use follows the one that is known


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A person's 3D face, as known after a frame.

    Attributes:
        used: (M,) the identity that faces are fitted with, see `FaceBasis.identity`. It follows
            what is known smoothly, so that poses and expressions do not jump.
        known: What is known.
        time_s: Time of the last frame.
        learned_s: Time of the last frame that was learned from.
        frames: Number of frames that were learned from.
    """

    used: Floats
    known: IdentityPrior
    time_s: float
    learned_s: float
    frames: int


def follow_identity(
    before: Identity | None, points: Landmarks, camera: Intrinsics, time_s: float
) -> Identity | None:
    """Return what is known of a person's 3D face after a frame.

    Args:
        before: What was known after the last frame; None for a new face.
        points: 68 landmarks in iBUG's order, raw ones: then the result does not depend on the
            stabilizer.
        camera: The camera.
        time_s: Time of the frame in seconds.

    Returns:
        The identity; None if the face is new and cannot be fitted.
    """
    if before is not None and not _is_due(before, time_s):
        return _moved(before, before.known, time_s, before.learned_s, before.frames)
    prior = average_identity() if before is None else before.known
    fit = fit_face(points, camera, prior)
    if fit is None or fit.precision is None:
        return before
    known = IdentityPrior(fit.identity, prior.precision + _TRUST * fit.precision)
    if before is None:
        return Identity(known.mean, known, time_s, time_s, 1)
    return _moved(before, known, time_s, time_s, before.frames + 1)


def identities_of_rows(
    face_id: NDArray[np.integer],
    raw: NDArray[np.float32],
    score: NDArray[np.float32],
    time_s: NDArray[np.float64],
    restarts: NDArray[np.bool_],
    camera: Intrinsics,
) -> list[Floats | None]:
    """Return the identities that a tracker used in the rows of a table or of results.

    Args:
        face_id: (R,) numbers of the faces.
        raw: (R, 68, 2) raw landmarks in pixels; NaN in rows without a face.
        score: (R, 68) their scores; NaN counts as 1.
        time_s: (R,) times of the frames, which do not decrease.
        restarts: (R,) rows in which the tracker begins to follow a face.
        camera: The camera.

    Returns:
        The (M,) identity of each row; None if nothing is known of the person.
    """
    found: list[Floats | None] = []
    known: dict[int, Identity | None] = {}
    has_face = np.asarray(np.isfinite(raw).all((1, 2)))
    for row, number in enumerate(face_id.tolist()):
        before = None if restarts[row] else known.get(number)
        identity = None
        if has_face[row]:
            points = Landmarks(raw[row], np.nan_to_num(score[row], nan=1.0))
            identity = follow_identity(before, points, camera, float(time_s[row]))
        known[number] = identity
        found.append(None if identity is None else identity.used)
    return found


def _is_due(identity: Identity, time_s: float) -> bool:
    return identity.frames < _MOST and not (
        identity.learned_s <= time_s < identity.learned_s + _EVERY_S
    )


def _moved(
    before: Identity, known: IdentityPrior, time_s: float, learned_s: float, frames: int
) -> Identity:
    """Return the identity with the used one moved towards the known one."""
    used = before.used
    rest = known.mean - used
    if np.abs(rest).max() > _SAME:  # Otherwise all frames share one array.
        share = 1 - math.exp(-max(0.0, time_s - before.time_s) / _BLENDING_S)
        used = used + share * rest
    return Identity(used, known, time_s, learned_s, frames)
