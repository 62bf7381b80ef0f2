"""Selection of what the video view shows: a frame and the results for exactly that frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from steadymark.app.gui.video.video_view import ShownFrame
from steadymark.app.session.state import ShownLandmarks

if TYPE_CHECKING:
    from steadymark.app.session.session import Session
    from steadymark.app.session.state import Display

_TRAIL_S = 1.0


def shown_frame_of(session: Session) -> ShownFrame | None:
    """Return the current frame with its faces, trails and ground truth.

    When both kinds of landmarks are shown, they are those of the compared variants.
    """
    frame, analysis, display = session.frame, session.analysis, session.display
    results = session.results
    if frame is None or results is None:
        return None
    both = display.shown_landmarks is ShownLandmarks.BOTH
    trails = display.overlay.trails
    return ShownFrame(
        frame,
        analysis.faces(frame.index, both=both),
        analysis.trails(frame.index, over_s=_TRAIL_S, both=both) if trails else {},
        results.schema,
        analysis.ground_truth_at(frame.index),
    )


def drawing_state(display: Display) -> tuple[object, ...]:
    """Return the part of the display state that determines how a frame is painted."""
    return display.overlay, display.shown_landmarks, display.variants


def without_position(display: Display) -> Display:
    """Return the display state without the playback position."""
    return replace(display, frame=0, time_s=0.0, share=0.0)
