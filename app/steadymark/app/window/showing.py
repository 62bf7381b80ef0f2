"""What the video view is given of a session: a frame, and what is known of just that frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.app.session.state import Show
from steadymark.app.window.video_view import Shown

if TYPE_CHECKING:
    from steadymark.app.session.session import Session

_TRAIL_S = 1.0


def shown_of(session: Session) -> Shown | None:
    """Where both are shown, raw and stabilized points are those of what is compared."""
    frame, analysis, display = session.frame, session.analysis, session.display
    if frame is None or session.results is None:
        return None
    both = display.show is Show.BOTH
    trails = display.overlay.trails
    return Shown(
        frame,
        analysis.faces(frame.index, both=both),
        analysis.trails(frame.index, over_s=_TRAIL_S, both=both) if trails else {},
        analysis.truth_at(frame.index),
    )
