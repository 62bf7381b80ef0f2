"""The mouse and the arrow keys move landmarks of a paused frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from steadymark.app.session.review.correcting import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.gui.video.video_view import VideoView
    from steadymark.app.session.review.correcting import Correcting
    from steadymark.engine.core.types import TrackedFace

_LEFT = Qt.MouseButton.LeftButton
_NONE, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
_CONTROL, _KEYPAD = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.KeypadModifier
_STEPS_PX = {_NONE: 1.0, _SHIFT: 10.0, _CONTROL: 0.1}  # of an arrow key, in frame pixels
_SCOPES = {_SHIFT: Scope.REGION, _CONTROL: Scope.FACE}  # with these keys, whatever is chosen
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class CorrectionTool(QObject):
    """Moves landmarks with the mouse and the arrow keys while corrections are made.

    It sees the events of the view first. A press beside the landmarks is left to the view, which
    moves the picture. While a landmark is chosen, the arrow keys move it and step no frames.

    Args:
        view: The view.
        correcting: Keeps the corrections.
        may_move: Returns whether landmarks can be moved now, such as while nothing plays.
    """

    def __init__(
        self, view: VideoView, correcting: Correcting, may_move: Callable[[], bool]
    ) -> None:
        super().__init__(view)
        self._view, self._correcting, self._may_move = view, correcting, may_move
        self._pressed = QPointF()
        correcting.changed.connect(self._on_changed)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not self._correcting.active:
            return False
        if isinstance(event, QMouseEvent):
            return self._on_mouse(event)
        if isinstance(event, QKeyEvent):
            return self._on_key(event)
        return False

    def _on_mouse(self, event: QMouseEvent) -> bool:
        """Handle an event of the mouse; return whether the view must not see it."""
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            return event.button() is _LEFT and self._press(event)
        if self._correcting.held is None:
            return False
        if event.type() == QEvent.Type.MouseMove:
            by, scale = event.position() - self._pressed, self._view.viewport().scale
            if not by.isNull():
                self._correcting.drag((by.x() / scale, by.y() / scale))
        elif event.button() is _LEFT:
            self._view.landmark_clicked.emit(self._correcting.held.landmark)
            self._correcting.release()
        return True

    def _press(self, event: QMouseEvent) -> bool:
        shown, found = self._view.shown, self._view.landmark_at(event.position(), raw=False)
        if shown is None or found is None or not self._may_move():
            return False
        face = self._face(found.face_id)
        if face is None:
            return False
        self._pressed = event.position()
        scope = _SCOPES.get(event.modifiers(), self._correcting.scope)
        self._correcting.hold(face, found.index, shown.frame, shown.schema, scope)
        return True

    def _on_key(self, event: QKeyEvent) -> bool:
        """Move the chosen landmark; return whether the key is used up."""
        way = _ARROWS.get(Qt.Key(event.key()))
        step_px = _STEPS_PX.get(event.modifiers() & ~_KEYPAD)
        shown, chosen = self._view.shown, self._correcting.chosen
        if way is None or step_px is None or shown is None or chosen is None:
            return False
        face = self._face(chosen.face_id)
        if face is None or not self._may_move():
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # otherwise the key steps to another frame
        elif event.type() == QEvent.Type.KeyPress:
            by_px = way[0] * step_px, way[1] * step_px
            self._correcting.nudge(face, shown.frame, shown.schema, by_px)
        return True

    def _face(self, face_id: int) -> TrackedFace | None:
        """Return a face of the shown frame that has landmarks."""
        shown = self._view.shown
        faces = () if shown is None else shown.faces or ()
        found = (one for one in faces if one.face_id == face_id and one.stabilized is not None)
        return next(found, None)

    def _on_changed(self) -> None:
        active, held = self._correcting.active, self._correcting.held
        over = Qt.CursorShape.SizeAllCursor if active else Qt.CursorShape.ArrowCursor
        self._view.landmark_cursor = over
        if held is not None:
            self._view.setCursor(Qt.CursorShape.SizeAllCursor)
        elif not active:
            self._view.unsetCursor()
        self._view.update()
