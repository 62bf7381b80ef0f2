"""The window's command for the settings of expressions."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from steadymark.app.gui.expressions.expressions_dialog import ExpressionsDialog
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.expressions.expression_files import (
    NamedExpressions,
    expression_values,
    expressions_of,
)

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.session import Session
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.expressions.expression_settings import ExpressionSettings

_STORED = "expressions"


class ExpressionsController(QObject):
    """Opens the dialog of expressions, feeds it with the shown face, and stores the settings.

    While the dialog is closed, frames cost nothing.

    Args:
        parent: The window over which the dialog opens.
        session: Has the settings, and the faces of the shown frame.
        preferences: Store the settings, and know the presets.
    """

    def __init__(self, parent: QWidget, *, session: Session, preferences: Preferences) -> None:
        super().__init__(parent)
        self._parent, self._session, self._preferences = parent, session, preferences
        self.dialog: ExpressionsDialog | None = None
        with contextlib.suppress(SteadymarkError):  # a stored value that is not valid is ignored
            session.expressions.use(expressions_of(preferences.values(_STORED)).settings)

    def connect_actions(self, action: QAction) -> None:
        """Connect the command after the window's widgets were built or rebuilt."""
        action.triggered.connect(lambda _=False: self.show_dialog())

    def show_dialog(self) -> None:
        """Open the dialog, or bring the open one to the front."""
        session = self._session
        if self.dialog is None:
            self.dialog = ExpressionsDialog(self._preferences.expression_presets, self._parent)
            self.dialog.changed.connect(self._on_changed)
            self.dialog.neutral_chosen.connect(session.choose_neutral)
            self.dialog.finished.connect(self._on_dialog_finished)
            session.expressions.changed.connect(self._show_settings)
            session.frame_changed.connect(self._show_face)
            session.results_changed.connect(self._show_face)
            session.changed.connect(self._show_state)
            self._show_settings()
            self._show_state()
            self._show_face()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def close(self) -> None:
        """Close the dialog when the program ends."""
        if self.dialog is not None:
            self.dialog.reject()

    def _on_changed(self, settings: ExpressionSettings) -> None:
        self._session.expressions.use(settings)
        values = expression_values(NamedExpressions(_STORED, settings))
        self._preferences.set_values(_STORED, values)

    def _show_settings(self) -> None:
        if self.dialog is not None:
            self.dialog.show_settings(self._session.expressions.settings)

    def _show_state(self) -> None:
        if self.dialog is not None:
            self.dialog.set_live(live=self._session.live.running)

    def _show_face(self) -> None:
        if self.dialog is not None:
            self.dialog.show_face(self._face())

    def _face(self) -> TrackedFace | None:
        """Return the face of the shown frame that is sent: that with the lowest id."""
        frame, analysis = self._session.frame, self._session.analysis
        faces = () if frame is None else analysis.faces(frame.index, both=False) or ()
        found = [face for face in faces if face.stabilized is not None]
        return min(found, key=lambda face: face.face_id, default=None)

    def _on_dialog_finished(self) -> None:
        dialog, self.dialog = self.dialog, None
        session = self._session
        session.expressions.changed.disconnect(self._show_settings)
        session.frame_changed.disconnect(self._show_face)
        session.results_changed.disconnect(self._show_face)
        session.changed.disconnect(self._show_state)
        if dialog is not None:
            dialog.deleteLater()
