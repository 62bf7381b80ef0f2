"""The words for a frame of the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from steadymark.app.gui.timeline.face_row_codes import RowStatus
from steadymark.app.session.state import clock_text

if TYPE_CHECKING:
    from steadymark.app.session.people.face_names import FaceName

translate = QCoreApplication.translate


def describe_frame(
    frame: int,
    status: RowStatus,
    *,
    time_s: float,
    face: FaceName | None,
    restarts: bool,
    corrected: bool,
) -> str:
    """Return what is known of a frame.

    Args:
        frame: Its index.
        status: Whether the face is in it.
        time_s: Its time.
        face: What the face is called; None if there is only one.
        restarts: Whether tracking began anew in it.
        corrected: Whether landmarks were corrected in it.
    """
    state = {
        RowStatus.UNKNOWN: translate("Timeline", "not processed yet"),
        RowStatus.PRESENT: translate("Timeline", "with a face"),
        RowStatus.ABSENT: translate("Timeline", "not in the picture"),
        RowStatus.LOST: translate("Timeline", "no face"),
        RowStatus.DAMAGED: translate("Timeline", "damaged, no image"),
    }[status]
    if face is not None:
        words = translate("Timeline", "face {number}: {state}")
        state = words.format(number=face.full.removeprefix("#"), state=state)
    text = translate("Timeline", "{clock}, frame {frame}: {state}").format(
        clock=clock_text(time_s), frame=frame, state=state
    )
    if restarts:
        text += "\n" + translate("Timeline", "A cut, or tracking began anew here")
    if corrected:
        text += "\n" + translate("Timeline", "Landmarks were corrected by hand here")
    return text
