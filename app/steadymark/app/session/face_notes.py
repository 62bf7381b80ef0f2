"""What the window says about a recording whose faces were not all found or tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.app.session.recording.results import FrameStatus
from steadymark.app.session.state import Phase
from steadymark.engine.core.face_frames import NO_FRAMES, FaceFrames, no_face_found
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.state import Display


def face_frames_of_results(results: Results | None) -> FaceFrames:
    """Return the numbers of frames processed and of frames with a face."""
    if results is None:
        return NO_FRAMES
    processed = results.frame_status() == FrameStatus.TRACKED
    return FaceFrames(int(processed.sum()), int((results.has_faces() & processed).sum()))


def no_face_note(display: Display, faces: FaceFrames) -> UserText | None:
    """Return what to try if all frames are processed and none has a face; None otherwise."""
    if display.phase is not Phase.FINISHED or not faces.none_found:
        return None
    return UserText(
        "{sentence} Try a lower threshold or another detector in the settings under Faces, or a "
        "video in which the face is upright, larger and sharper.",
        sentence=no_face_found(display.name, faces.processed),
    )
