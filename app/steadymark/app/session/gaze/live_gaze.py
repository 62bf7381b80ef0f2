"""The gaze calibration of the person before the camera."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.tracking.settings import TrackSettings


class LiveGaze(QObject):
    """The calibration of live views. Recordings have their own, in their projects.

    Args:
        use_settings: Uses the settings of the session again, when they have changed.
        parent: The parent object.

    Attributes:
        changed: Emitted when there is another `calibration`.
        calibration: The correction of gaze; None for none.
        paused: Whether the gaze is not corrected for a while, since it is being calibrated.
    """

    changed = Signal()

    def __init__(self, use_settings: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._use_settings = use_settings
        self.calibration: GazeCalibration | None = None
        self.paused = False

    def use(self, calibration: GazeCalibration | None) -> None:
        """Use this calibration from the next frame on; None for none."""
        if calibration != self.calibration:
            self.calibration = calibration
            self._use_settings()
            self.changed.emit()

    def pause(self, *, paused: bool) -> None:
        """Leave the gaze as it is for a while, or correct it again."""
        if paused != self.paused:
            self.paused = paused
            if self.calibration is not None:
                self._use_settings()

    def settings(self, settings: TrackSettings) -> TrackSettings:
        """Return the settings of a live view with the calibration."""
        return replace(settings, gaze_calibration=None if self.paused else self.calibration)
