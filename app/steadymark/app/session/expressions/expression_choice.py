"""The expression settings of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from steadymark.engine.expressions.expression_settings import AS_MEASURED

if TYPE_CHECKING:
    from steadymark.app.session.live.stream_sending import StreamSending
    from steadymark.engine.expressions.expression_settings import ExpressionSettings


class ExpressionChoice(QObject):
    """The settings that apply to what is sent and to files of animations.

    Args:
        sending: Sends live results.
        parent: The parent object.

    Attributes:
        changed: Emitted when there are other `settings`.
        settings: The settings.
    """

    changed = Signal()

    def __init__(self, sending: StreamSending, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sending = sending
        self.settings = AS_MEASURED

    def use(self, settings: ExpressionSettings) -> None:
        """Use these settings from now on."""
        if settings != self.settings:
            self.settings = settings
            self._sending.use_expressions(settings)
            self.changed.emit()
