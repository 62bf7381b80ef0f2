"""What a tracker learns of a person's 3D face while it follows it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import Landmarks
from steadymark.engine.face3d.face_fit import IdentityPrior, average_identity, fit_face

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Intrinsics
    from steadymark.engine.face3d.face_basis import Floats

LEARNED_EVERY_S = 0.5  # time between two frames that are learned from, which are alike if closer
# Share of a frame's precision that counts, since errors of the labels are alike in all frames.
_TRUST = 0.5
MOST_LEARNED = 60  # frames that are learned from
_SAME = 1e-3  # difference of two identities, in standard deviations, that has no effect
NEUTRAL_S = 0.5  # length of the moment in which a face is neutral because the user says so
_AT_REST_EVERY_S = 0.1  # time between two frames of such a moment that are learned from
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
        at_rest: Whether the last of them was a neutral face because the user says so.
    """

    used: Floats
    known: IdentityPrior
    time_s: float
    learned_s: float
    frames: int
    at_rest: bool = False


def follow_identity(
    before: Identity | None,
    points: Landmarks,
    camera: Intrinsics,
    time_s: float,
    *,
    at_rest: bool = False,
) -> Identity | None:
    """Return what is known of a person's 3D face after a frame.

    Args:
        before: What was known after the last frame; None for a new face.
        points: 68 landmarks in iBUG's order, raw ones: then the result does not depend on the
            stabilizer.
        camera: The camera.
        time_s: Time of the frame in seconds.
        at_rest: Whether the user says that the face is neutral. What was known before the first
            of such frames is forgotten, since it may take an expression for the person's look.

    Returns:
        The identity; None if the face is new and cannot be fitted.
    """
    if before is not None and not _is_due(before, time_s, at_rest=at_rest):
        return _moved(before, replace(before, time_s=time_s))
    again = before is None or (at_rest and not before.at_rest)
    prior = average_identity() if before is None or again else before.known
    known = known_after(prior, points, camera, at_rest=at_rest)
    if known is None:
        return before
    if before is None:
        return Identity(known.mean, known, time_s, time_s, 1, at_rest)
    frames = 1 if again else before.frames + 1
    return _moved(before, Identity(before.used, known, time_s, time_s, frames, at_rest))


def known_after(
    prior: IdentityPrior, points: Landmarks, camera: Intrinsics, *, at_rest: bool = False
) -> IdentityPrior | None:
    """Return what is known of an identity after a frame; None if the face cannot be fitted.

    Args:
        prior: What is known before.
        points: The 68 raw landmarks in iBUG's order.
        camera: The camera.
        at_rest: Whether the face is known to be neutral.
    """
    fit = fit_face(points, camera, prior, at_rest=at_rest)
    if fit is None or fit.precision is None:
        return None
    return IdentityPrior(fit.identity, prior.precision + _TRUST * fit.precision)


def identities_of_rows(
    face_id: NDArray[np.integer],
    raw: NDArray[np.float32],
    score: NDArray[np.float32],
    time_s: NDArray[np.float64],
    restarts: NDArray[np.bool_],
    camera: Intrinsics,
    at_rest: NDArray[np.bool_] | None = None,
) -> list[Floats | None]:
    """Return the identities that a tracker used in the rows of a table or of results.

    If rows are known to show neutral faces, the identities of their persons are known from the
    first row on.

    Args:
        face_id: (R,) numbers of the faces.
        raw: (R, 68, 2) raw landmarks in pixels; NaN in rows without a face.
        score: (R, 68) their scores; NaN counts as 1.
        time_s: (R,) times of the frames, which do not decrease.
        restarts: (R,) rows in which the tracker begins to follow a face.
        camera: The camera.
        at_rest: (R,) rows whose faces are neutral because the user says so; None for no row.

    Returns:
        The (M,) identity of each row; None if nothing is known of the person.
    """
    has_face = np.asarray(np.isfinite(raw).all((1, 2)))

    at_first = known_neutral_faces(face_id, raw, score, time_s, camera, at_rest)
    known: dict[int, Identity | None] = dict(at_first)
    found: list[Floats | None] = []
    for row, number in enumerate(face_id.tolist()):
        before = at_first.get(number) if restarts[row] else known.get(number)
        identity = None
        if has_face[row]:
            points = Landmarks(raw[row], np.nan_to_num(score[row], nan=1.0))
            identity = follow_identity(before, points, camera, float(time_s[row]))
        known[number] = identity or at_first.get(number)
        found.append(None if identity is None else identity.used)
    return found


def known_neutral_faces(
    face_id: NDArray[np.integer],
    raw: NDArray[np.float32],
    score: NDArray[np.float32],
    time_s: NDArray[np.float64],
    camera: Intrinsics,
    at_rest: NDArray[np.bool_] | None,
) -> dict[int, Identity]:
    """Return what the neutral faces of the user's choice tell, by the numbers of the faces.

    Args:
        face_id: See `identities_of_rows`, like the others.
        raw: Raw landmarks.
        score: Their scores.
        time_s: Times of the frames.
        camera: The camera.
        at_rest: Rows whose faces are neutral.
    """
    found: dict[int, Identity] = {}
    has_face = np.asarray(np.isfinite(raw).all((1, 2)))
    for row in [] if at_rest is None else np.flatnonzero(at_rest & has_face).tolist():
        number = int(face_id[row])
        points = Landmarks(raw[row], np.nan_to_num(score[row], nan=1.0))
        seen_s = float(time_s[row])
        known = follow_identity(found.get(number), points, camera, seen_s, at_rest=True)
        if known is not None:
            found[number] = known
    return {number: replace(each, used=each.known.mean) for number, each in found.items()}


def _is_due(identity: Identity, time_s: float, *, at_rest: bool) -> bool:
    if at_rest and not identity.at_rest:
        return True
    wait_s = _AT_REST_EVERY_S if at_rest else LEARNED_EVERY_S
    return identity.frames < MOST_LEARNED and not (
        identity.learned_s <= time_s < identity.learned_s + wait_s
    )


def _moved(before: Identity, after: Identity) -> Identity:
    """Return the identity with the used one moved towards the known one."""
    rest = after.known.mean - before.used
    if np.abs(rest).max() <= _SAME:  # Then all frames share one array.
        return after
    share = 1 - math.exp(-max(0.0, after.time_s - before.time_s) / _BLENDING_S)
    return replace(after, used=before.used + share * rest)
