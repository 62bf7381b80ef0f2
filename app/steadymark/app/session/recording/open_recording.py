"""One open recording, with its player, tracking, results and crash recovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.app.session.recording.background_tracking import BackgroundTracking, TrackingPhase
from steadymark.app.session.recording.crash_recovery import RecoverableSession, SessionStore
from steadymark.app.session.recording.player import Player
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.app.session.settings_values import as_plain
from steadymark.app.session.state import Facts, Phase
from steadymark.engine.pipeline.latest_value import LatestValue
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.app.session.background_opening import OpenResult
    from steadymark.app.session.recording.media import Media
    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import Frame
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

STOP_S = 2.0
_PHASES = {
    TrackingPhase.RUNNING: Phase.TRACKING,
    TrackingPhase.PAUSED: Phase.PAUSED,
    TrackingPhase.FINISHED: Phase.FINISHED,
    TrackingPhase.FAILED: Phase.FAILED,
}


@dataclass(frozen=True, slots=True)
class RecordingCallbacks:
    """The callbacks to the session. They are called from any thread and must return immediately."""

    progressed: Callable[[], None]
    pictured: Callable[[], None]
    ended: Callable[[], None]
    told: Callable[[UserText], None]


class OpenRecording:
    """An open recording. Its threads run from `start` to `close`.

    `pictures` holds the newest frame to show.

    Args:
        film: The recording.
        models: The open networks.
        settings: The settings of the tracking.
        calls: The callbacks to the session.
        results: Empty results, or the results recovered from an earlier session.
        state_root: The folder of the files that are kept against a crash.
        found: The earlier session, whose files this recording takes over.
    """

    def __init__(
        self,
        film: Media,
        models: OpenModels,
        settings: TrackSettings,
        calls: RecordingCallbacks,
        *,
        results: Results,
        state_root: Path,
        found: RecoverableSession | None = None,
    ) -> None:
        self.film, self.models, self.settings = film, models, settings
        self._calls, self._state_root = calls, state_root
        self.results = results
        self.pictures: LatestValue[Frame] = LatestValue()
        self._keeping: SessionStore | None = None
        self.found = found
        self.tracking = self._tracking(settings)
        self.player = Player(
            film,
            on_frame=self._show,
            on_end=calls.ended,
            on_fault=calls.told,
            limit=self._limit,
        )

    @property
    def fps(self) -> float:
        return self.film.info.fps or 25.0

    def start(self) -> None:
        """Show and track the recording from the beginning."""
        self._keep()
        self.tracking.start()
        self.player.start()
        self.player.show(0)

    def retrack(
        self, models: OpenModels, settings: TrackSettings, first: int
    ) -> Callable[[], None]:
        """Drop all results and track again from `first`.

        Returns:
            A function that waits until the old tracking has ended.
        """
        before, keeping = self.tracking, self._keeping
        before.close()
        self.models, self.settings = models, settings
        self.results = Results(self.film.times_s, models.schema)
        self._keep()
        self.tracking = self._tracking(settings)
        self.tracking.start(first)

        def leave() -> None:
            before.join(STOP_S)
            if keeping is not None:
                keeping.discard()

        return leave

    def close(self) -> None:
        """Ask all threads to end."""
        self.tracking.close()
        self.player.close()
        self.pictures.close()
        self.film.close()

    def leave(self) -> None:
        """Wait for the threads after `close`, then remove the files for crash recovery."""
        self.tracking.join(STOP_S)
        self.player.join(STOP_S)
        if self._keeping is not None:
            self._keeping.discard()
            self._keeping = None

    def facts(self, shown: int) -> Facts:
        """Return the facts about the recording while this frame is on the screen."""
        info, report, known = self.film.info, self.tracking.report, self.results.known()
        return Facts(
            phase=_PHASES[report.work],
            name=info.name,
            path=info.path,
            size=(info.width, info.height),
            fps=info.fps,
            times_s=self.results.times_s,
            shown=shown,
            share=float((known != FrameStatus.NOTHING).mean()) if len(known) else 0.0,
            device=self.models.device,
            failure=report.fault,
        )

    def starves(self, shown: int) -> bool:
        """Return whether the frame after this one is not tracked yet."""
        return 0 <= shown < self.results.frames - 1 and not self.results.is_known(shown + 1)

    def _keep(self) -> None:
        try:
            self._keeping = SessionStore(
                self._state_root, self.film.info.path, as_plain(self.settings)
            )
            if self.found is not None:
                self._keeping.take_over(self.found)
                self.found = None
        except OSError as error:
            self._keeping = None
            self._calls.told(
                UserText(
                    "The results are not protected against a crash: {folder} cannot be "
                    "written ({why})",
                    folder=self._state_root,
                    why=error.strerror,
                )
            )

    def _tracking(self, settings: TrackSettings) -> BackgroundTracking:
        return BackgroundTracking(
            self.film,
            self.models,
            settings,
            self.results,
            sinks=self._sinks,
            on_change=self._progress,
        )

    def _sinks(self, number: int) -> list[Sink]:
        if self._keeping is None:
            return []
        return [self._keeping.sink(number, self.results.schema, self._calls.told)]

    def _progress(self) -> None:
        self.player.nudge()
        self._calls.progressed()

    def _show(self, frame: Frame) -> None:
        if self.pictures.put(frame):
            self._calls.pictured()

    def _limit(self, shown: int) -> int:
        if self.tracking.report.work is not TrackingPhase.RUNNING:
            return self.results.frames
        return self.results.ready_until(min(shown + 1, self.results.frames - 1))


def media_of(
    opened: OpenResult, settings: TrackSettings, calls: RecordingCallbacks, state_root: Path
) -> OpenRecording:
    """Make an OpenRecording, not yet started, from the result of an opening thread."""
    assert opened.film is not None
    assert opened.models is not None
    assert opened.results is not None
    return OpenRecording(
        opened.film,
        opened.models,
        settings,
        calls,
        results=opened.results,
        state_root=state_root,
        found=opened.found,
    )
