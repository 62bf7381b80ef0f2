"""The state of faces that a tracker follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from steadymark.engine.core.types import FaceState
from steadymark.engine.tracking.association import difference

if TYPE_CHECKING:
    from steadymark.engine.stabilizers.divergence_guard import RawHistory
    from steadymark.engine.tracking.association import FaceMotion
    from steadymark.engine.tracking.face_pass import FaceOutput
    from steadymark.models.face.crop import Crop


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The state of one face between frames.

    Attributes:
        face_id: None until the face is confirmed.
        crop: The crop for the next frame.
        number: Number of the track, which is never used again.
        output: Output of the network for the last frame; None resets a recurrent network.
        motion: Motion of the face, as far as no other face hid it.
        frames: Number of frames in which the face was seen.
        fitted: The crop that fits the landmarks of the last frame.
        lost_s: Time since which the face is lost; None if it is not lost.
        history: History of the raw landmarks for a recurrent network; None after a reset.
        first_score: Face score in the frame in which the face was detected.
    """

    face_id: int | None
    crop: Crop
    number: int
    output: FaceOutput | None
    motion: FaceMotion
    frames: int = 1
    fitted: Crop | None = None
    lost_s: float | None = None
    history: RawHistory | None = None
    first_score: float = 1.0


class SeenFace(NamedTuple):
    """A face that was found in this frame.

    Attributes:
        track: The state of the face.
        output: Output of the network.
        fitted: The crop that fits the raw landmarks. Raw landmarks are used so that the
            stabilizer does not influence what the network sees.
        motion: Position and motion from this frame alone.
        state: Whether the face was detected or tracked.
    """

    track: Track
    output: FaceOutput
    fitted: Crop
    motion: FaceMotion
    state: FaceState = FaceState.TRACKED


def without_state(track: Track) -> Track:
    """Return the track without the state of a recurrent network."""
    return replace(track, output=None, fitted=None, history=None)


def others(lost: list[Track], found: list[SeenFace]) -> list[Track]:
    """Return the lost tracks that are not among the found faces."""
    back = {face.track.face_id for face in found}
    return [track for track in lost if track.face_id not in back]


def unlikeliness(face: SeenFace) -> tuple[bool, float]:
    """Return a sort key that is larger for less likely tracks, and largest for unconfirmed ones."""
    return face.track.face_id is None, difference(face.track.motion, face.motion, near=True)
