"""One open recording, with its player, tracking, results and their files."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from steadymark.app.session.recording.background_tracking import BackgroundTracking, TrackingPhase
from steadymark.app.session.recording.crash_recovery import RecoverableSession, SessionStore
from steadymark.app.session.recording.kept_results import keep_finished, results_fingerprint
from steadymark.app.session.recording.player import Player
from steadymark.app.session.recording.point_filter import filter_of
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.app.session.settings_values import settings_to_dict
from steadymark.app.session.state import Phase, SourceState
from steadymark.engine.pipeline.latest_value import LatestValue
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.app.session.background_opening import OpenResult
    from steadymark.app.session.recording.media import Media
    from steadymark.app.session.recording.table_results import TableResults
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

    results_changed: Callable[[], None]
    frame_changed: Callable[[], None]
    playback_ended: Callable[[], None]
    message_posted: Callable[[UserText], None]


class OpenRecording:
    """An open recording. Its threads run from `start` to `close`.

    `pictures` holds the newest frame to show. `closing` is set by `close`, and `closed` after
    `wait_closed`.

    Args:
        media: The recording.
        models: The open networks.
        settings: The settings of the tracking.
        callbacks: The callbacks to the session.
        results: Empty results, or the results of an earlier session.
        state_root: The folder of the files that are kept against a crash.
        recover_from: The earlier session, whose files this recording takes over.
        table: The table that the results come from. It is None after `retrack`.
        project: The file of the project; None means the one beside the recording.
    """

    def __init__(
        self,
        media: Media,
        models: OpenModels,
        settings: TrackSettings,
        callbacks: RecordingCallbacks,
        *,
        results: Results,
        state_root: Path,
        recover_from: RecoverableSession | None = None,
        table: TableResults | None = None,
        project: Path | None = None,
    ) -> None:
        self.media, self.models, self.settings = media, models, settings
        self._callbacks, self._state_root = callbacks, state_root
        self.results, self.table, self.project = results, table, project
        self.pictures: LatestValue[Frame] = LatestValue()
        self.closing, self.closed = Event(), Event()
        self._store: SessionStore | None = None
        self.recover_from = recover_from
        self.kept_since_s = 0.0
        if recover_from is not None and recover_from.kept:
            self.kept_since_s = recover_from.saved_at
        self.tracking = self._tracking(settings)
        self.player = Player(
            media,
            on_frame=self._show,
            on_end=callbacks.playback_ended,
            on_fault=callbacks.message_posted,
            limit=self._last_playable_frame,
        )

    @property
    def fps(self) -> float:
        """The number of frames per second; 25 if it is unknown."""
        return self.media.info.fps or 25.0

    def start(self) -> None:
        """Show and track the recording from the beginning; results of a table are only shown."""
        if self.table is None:
            self._create_store()
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
        old_tracking, old_store = self.tracking, self._store
        old_tracking.close()
        self.models, self.settings, self.table = models, settings, None
        self.results, self.kept_since_s = Results(self.media.times_s, models.schema), 0.0
        self._create_store()
        self.tracking = self._tracking(settings)
        self.tracking.start(first)

        return _waits_closed(old_tracking, old_store)

    def use_results(
        self, results: Results, store: SessionStore | None, settings: TrackSettings
    ) -> Callable[[], None]:
        """Use results of which a part was tracked again.

        Args:
            results: The results.
            store: Their files, or None.
            settings: The settings whose filter was applied to them.

        Returns:
            A function that waits until the old tracking has ended.
        """
        old_tracking, old_store = self.tracking, self._store
        old_tracking.close()
        self.results, self._store, self.kept_since_s = results, store, 0.0
        self.tracking = self._tracking(settings)
        self.tracking.set_filter(filter_of(self.settings))
        self.tracking.start()
        return _waits_closed(old_tracking, old_store)

    def close(self) -> None:
        """Ask all threads to end."""
        self.closing.set()
        self.tracking.close()
        self.player.close()
        self.pictures.close()
        self.media.close()

    def wait_closed(self) -> None:
        """Wait for the threads after `close`, then keep the files of a finished tracking.

        Other files are removed.
        """
        self.tracking.join(STOP_S)
        self.player.join(STOP_S)
        store, self._store = self._store, None
        if store is not None and not keep_finished(
            store, self._state_root, self.media, self.results
        ):
            store.discard()
        self.closed.set()

    def state(self, shown_frame: int) -> SourceState:
        """Return the state of the recording while this frame is on the screen."""
        info, report, known = self.media.info, self.tracking.report, self.results.frame_status()
        return SourceState(
            phase=_PHASES[report.phase],
            name=info.name,
            path=info.path,
            size=(info.width, info.height),
            fps=info.fps,
            times_s=self.results.times_s,
            shown_frame=shown_frame,
            share=float((known != FrameStatus.UNKNOWN).mean()) if len(known) else 0.0,
            device=self.models.device,
            failure=report.fault,
            faces_seen=report.faces_seen,
            max_faces=self.settings.tracker.max_faces,
            kept_since_s=self.kept_since_s,
            table="" if self.table is None else self.table.path.name,
        )

    def messages_in(self, state: SourceState) -> tuple[UserText, ...]:
        """Return what the user is told when the recording comes to the phase of this state."""
        if state.phase is Phase.FAILED:
            return (UserText("{fault}. 'Continue tracking' skips it.", fault=state.failure),)
        return self.media.problems if state.phase is Phase.FINISHED else ()

    def check_table(self) -> None:
        """Tell the user if the recording is not the one that the table was made of."""
        if self.table is not None:
            self.table.check_source(
                self.media.info.path, self._callbacks.message_posted, stop=self.closing.is_set
            )

    def waits_for_tracking(self, shown_frame: int) -> bool:
        """Return whether the frame after this one is not tracked yet."""
        return 0 <= shown_frame < self.results.frames - 1 and not self.results.is_known(
            shown_frame + 1
        )

    def new_store(self) -> SessionStore | None:
        """Make a folder for results that are kept against a crash, or say why there is none."""
        try:
            return SessionStore(
                self._state_root,
                self.media.info.path,
                settings_to_dict(self.settings),
                results_fingerprint(self.media, self.models, self.settings),
            )
        except OSError as error:
            self._tell_unprotected(error)
            return None

    def _create_store(self) -> None:
        self._store = self.new_store()
        if self._store is None or self.recover_from is None:
            return
        try:
            self._store.take_over(self.recover_from)
            self.recover_from = None
        except OSError as error:
            self._store = None
            self._tell_unprotected(error)

    def _tell_unprotected(self, error: OSError) -> None:
        self._callbacks.message_posted(
            UserText(
                "The results are not protected against a crash: {folder} cannot be written ({why})",
                folder=self._state_root,
                why=error.strerror,
            )
        )

    def _tracking(self, settings: TrackSettings) -> BackgroundTracking:
        return BackgroundTracking(
            self.media,
            self.models,
            settings,
            self.results,
            sinks=self._sinks,
            on_change=self._progress,
            finished=self.table is not None,
        )

    def _sinks(self, number: int) -> list[Sink]:
        if self._store is None:
            return []
        return [self._store.sink(number, self.results.schema, self._callbacks.message_posted)]

    def _progress(self) -> None:
        self.player.limit_changed()
        self._callbacks.results_changed()

    def _show(self, frame: Frame) -> None:
        if self.pictures.put(frame):
            self._callbacks.frame_changed()

    def _last_playable_frame(self, shown_frame: int) -> int:
        if self.tracking.report.phase is not TrackingPhase.RUNNING:
            return self.results.frames
        return self.results.ready_until(min(shown_frame + 1, self.results.frames - 1))


def _waits_closed(tracking: BackgroundTracking, store: SessionStore | None) -> Callable[[], None]:
    """Return a function that waits until a tracking has ended, and removes its files."""

    def wait_closed() -> None:
        tracking.join(STOP_S)
        if store is not None:
            store.discard()

    return wait_closed


def make_open_recording(
    opened: OpenResult, settings: TrackSettings, callbacks: RecordingCallbacks, state_root: Path
) -> OpenRecording:
    """Make an OpenRecording, not yet started, from the result of an opening thread."""
    assert opened.media is not None
    assert opened.models is not None
    assert opened.results is not None
    return OpenRecording(
        opened.media,
        opened.models,
        settings,
        callbacks,
        results=opened.results,
        state_root=state_root,
        recover_from=opened.recover_from,
        table=opened.table,
        project=opened.project,
    )
