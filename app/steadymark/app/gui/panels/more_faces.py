"""The message that more faces were seen than are tracked, with a button that tracks all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from steadymark.app.session.face_notes import more_faces_note
from steadymark.engine.tracking.face_pass import MOST_FACES

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.gui.messages import Messages
    from steadymark.app.session.state import SourceState


_MORE_FACES = 16  # least number that is offered, since more people may appear later


class MoreFacesMessage:
    """Shows the message once for each recording or live view and each largest number of faces.

    Args:
        messages: Shows the message.
        track: Is called with the number of faces to track when the user wants all of them.
    """

    def __init__(self, messages: Messages, track: Callable[[int], None]) -> None:
        self._messages, self._track = messages, track
        self._shown_for: tuple[str, int] | None = None

    def update(self, state: SourceState) -> None:
        """Show the message if it is needed."""
        note, key = more_faces_note(state), (state.path, state.max_faces)
        if note is None or key == self._shown_for:
            return
        self._shown_for = key
        count = min(MOST_FACES, max(_MORE_FACES, state.faces_seen))
        words = QCoreApplication.translate(
            "MoreFacesMessage", "Track up to {count} faces from now on"
        )
        self._messages.show_message(note, [(words.format(count=count), lambda: self._track(count))])
