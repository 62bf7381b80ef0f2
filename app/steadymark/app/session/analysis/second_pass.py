"""A second tracking of the open recording with another network, for a comparison."""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING

from steadymark.app.session.recording.background_tracking import BackgroundTracking, TrackingPhase
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.engine.core.errors import SteadymarkError
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.background_opening import ModelCache
    from steadymark.engine.tracking.settings import TrackSettings

log = logging.getLogger(__name__)

_STOP_S = 2.0


class SecondPass:
    """A second tracking that opens the recording by itself.

    Args:
        path: The path of the recording.
        settings: The settings of this tracking.
        models: The cache of open networks.
        on_change: Is called from threads when something changed. It must return immediately.
    """

    def __init__(
        self, path: str, settings: TrackSettings, models: ModelCache, on_change: Callable[[], None]
    ) -> None:
        self._path, self.settings, self._models = path, settings, models
        self._on_change = on_change
        self._lock = Lock()
        self._closed = False
        self._media: Media | None = None
        self._tracking: BackgroundTracking | None = None
        self._fault = NOTHING
        self.results: Results | None = None

    @property
    def share(self) -> float:
        """The share of the frames that is processed, in [0, 1]."""
        known = None if self.results is None else self.results.frame_status()
        return (
            0.0 if known is None or not len(known) else float((known != FrameStatus.UNKNOWN).mean())
        )

    @property
    def fault(self) -> UserText:
        """A sentence that says what failed, or an empty text."""
        tracking = self._tracking
        return self._fault if tracking is None else self._fault or tracking.report.fault

    @property
    def done(self) -> bool:
        """Whether the tracking has finished or failed."""
        tracking = self._tracking
        over = (TrackingPhase.FINISHED, TrackingPhase.FAILED)
        return self._fault != "" or (tracking is not None and tracking.report.phase in over)

    def run(self) -> None:
        """Open the recording and the networks and start tracking. Runs on a thread of its own."""
        try:
            models = self._models.get(self.settings)
            media = Media(self._path)
        except SteadymarkError as error:
            self._fault = error.sentence
        except Exception as error:
            log.exception("second pass")
            self._fault = UserText(
                "tracking cannot start ({fault})", fault=f"{type(error).__name__}: {error}"
            )
        else:
            with self._lock:
                if self._closed:
                    media.close()
                    return
                self._media, self.results = media, Results(media.times_s, models.schema)
                self._tracking = BackgroundTracking(
                    media, models, self.settings, self.results, on_change=self._on_change
                )
                self._tracking.start()
        self._on_change()

    def close(self) -> None:
        """Ask the tracking to end."""
        with self._lock:
            self._closed = True
            if self._tracking is not None:
                self._tracking.close()
            if self._media is not None:
                self._media.close()

    def wait_closed(self) -> None:
        """Wait for the threads of the tracking after `close`."""
        if self._tracking is not None:
            self._tracking.join(_STOP_S)
