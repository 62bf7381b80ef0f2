"""What the window says about a recording whose faces were not all found or tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.app.session.recording.results import FrameStatus
from steadymark.app.session.shown_source import TrackingProgress
from steadymark.app.session.state import Phase
from steadymark.engine.core.face_frames import NO_FRAMES, FaceFrames, no_face_found
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.state import Display, SourceState


def tracking_progress(display: Display, results: Results | None) -> TrackingProgress:
    """Return how far the tracking of a recording has come, and what it found."""
    faces = _face_frames(results)
    return TrackingProgress(display.time_s, display.share, display.last + 1, faces)


def _face_frames(results: Results | None) -> FaceFrames:
    """Return the numbers of frames processed and of frames with a face."""
    if results is None:
        return NO_FRAMES
    processed = results.frame_status() == FrameStatus.TRACKED
    return FaceFrames(int(processed.sum()), int((results.has_faces() & processed).sum()))


def more_faces_note(state: SourceState) -> UserText | None:
    """Return a sentence if the detector saw more faces than are tracked; None otherwise."""
    if not 0 < state.max_faces < state.faces_seen:
        return None
    return UserText.counted(
        "{seen} faces were seen in {name}, and 1 of them is tracked.",
        "{seen} faces were seen in {name}, and {count} of them are tracked.",
        count=state.max_faces,
        seen=state.faces_seen,
        name=state.name,
    )


def no_face_note(display: Display, faces: FaceFrames) -> UserText | None:
    """Return what to try if all frames are processed and none has a face; None otherwise."""
    if display.phase is not Phase.FINISHED or not faces.none_found:
        return None
    return UserText(
        "{sentence} Try a lower threshold or another detector in the settings under Faces, or a "
        "video in which the face is upright, larger and sharper.",
        sentence=no_face_found(display.name, faces.processed),
    )
