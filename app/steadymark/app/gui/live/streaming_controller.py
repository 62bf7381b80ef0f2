"""The window's commands for sending results to other programs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QPalette

from steadymark.app.gui.actions.actions import set_extra_tooltip
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.live.streaming_dialog import StreamingDialog
from steadymark.app.gui.live.streaming_texts import short_state_text, state_text, target_name
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.video.draw_style import VERMILLION
from steadymark.engine.streaming.targets import TARGETS

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QLabel, QWidget

    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.live.stream_sending import StreamTargetState
    from steadymark.app.session.session import Session

_NAME = "sending"


class StreamingController(QObject):
    """Lets the user choose where results are sent, stores the addresses and shows the state.

    Nothing is sent after a restart until the user switches it on again.

    Args:
        parent: The window over which the dialog opens.
        session: Its live view sends the results.
        preferences: Store the user's choice.
    """

    def __init__(self, parent: QWidget, *, session: Session, preferences: Preferences) -> None:
        super().__init__(parent)
        self._parent, self._live, self._preferences = parent, session.live, preferences
        self._sending = session.live.sending
        self.dialog: StreamingDialog | None = None
        for name, stored in preferences.values(_NAME).items():
            if name in TARGETS.names() and isinstance(stored, dict):
                # A stored value that is not valid is ignored.
                with contextlib.suppress(UsageError):
                    place = str(stored.get("place", ""))
                    self._sending.set_target(name, place=place, on=False)
        self._sending.changed.connect(self.refresh)

    def connect_actions(self, action: QAction, label: QLabel) -> None:
        """Connect the command and the label after the window's widgets were built or rebuilt."""
        self._action, self._label = action, label
        action.triggered.connect(lambda _=False: self.show_dialog())
        self.refresh()

    def show_dialog(self) -> None:
        """Open the dialog, or bring the open one to the front."""
        if self.dialog is None:
            self.dialog = StreamingDialog(self._target_states, self._parent)
            self.dialog.target_changed.connect(self._set_target)
            self.dialog.neutral_chosen.connect(self._live.choose_neutral)
            self.dialog.finished.connect(self._on_dialog_finished)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()
        self.refresh()

    def close(self) -> None:
        """Close the dialog when the program ends."""
        if self.dialog is not None:
            self.dialog.reject()

    def refresh(self) -> None:
        """Show the state in the label below the view and in the command's tooltip."""
        states, live = self._target_states()
        shown = [state for state in states if state.on]
        label = self._label
        short = "  ".join(short_state_text(state) for state in shown)
        label.setText(f"→ {short}" if live and shown else "")
        colours = QPalette()
        if any(state.has_problem for state in shown):
            colours.setColor(QPalette.ColorRole.WindowText, QColor(VERMILLION))
        label.setPalette(colours)
        action = self._action
        action.setChecked(bool(shown))
        lines = [f"{target_name(f.kind)}: {state_text(f, live=live)}" for f in shown]
        set_extra_tooltip(action, "\n".join(lines))
        label.setToolTip("\n".join(lines))
        if self.dialog is not None:
            self.dialog.refresh()

    def _target_states(self) -> tuple[tuple[StreamTargetState, ...], bool]:
        return self._sending.target_states(), self._live.running

    def _set_target(self, kind: str, on: bool, place: str) -> None:
        assert self.dialog is not None
        try:
            self._sending.set_target(kind, place=place, on=on)
        except UsageError as error:
            self.dialog.show_fault(kind, translated(error.sentence))
            self._sending.set_target(kind, on=False)
        else:
            self.dialog.show_fault(kind, "")
        self._store(kind)
        self.refresh()

    def _store(self, kind: str) -> None:
        """Store the address for one kind of target.

        Targets that were given only for this run of the program are not stored.
        """
        (state,) = (state for state in self._sending.target_states() if state.kind == kind)
        preferences = self._preferences
        chosen = {kind: {"place": state.place}}
        preferences.set_values(_NAME, {**preferences.values(_NAME), **chosen})

    def _on_dialog_finished(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()
