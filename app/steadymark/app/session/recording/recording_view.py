"""The state of the recording that the window plays and tracks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.background_opening import (
    OpeningRequest,
    OpenResult,
    needs_retracking,
    open_media,
)
from steadymark.app.session.face_notes import tracking_progress
from steadymark.app.session.recording.open_recording import (
    STOP_S,
    RecordingCallbacks,
    make_open_recording,
)
from steadymark.app.session.recording.point_filter import filter_of
from steadymark.app.session.state import Phase, SourceState, frame_at_time
from steadymark.app.session.worker_threads import CoalescedCallback, WorkerThreads

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from steadymark.app.session.background_opening import ModelCache
    from steadymark.app.session.display_model import DisplayModel
    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.shown_source import TrackingProgress
    from steadymark.engine.core.types import Frame
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings
    from steadymark.models.user_text import UserText


class RecordingView(QObject):
    """The recording, in the GUI thread. Its commands do nothing while no recording is open.

    Attributes:
        changed: Emitted when `state` has changed.
        frame_changed: Emitted when there is a new `frame`.
        results_changed: Emitted when there are new results.
        message_posted: Emitted with a UserText for the user.
        replacing: Emitted when another recording was opened, and what is shown must be closed.
        recording_opened: Emitted with an OpenRecording that is about to start.
        results_cleared: Emitted when all results were removed because tracking starts again.
        current: The open recording, or None.
        opening: The name of a recording that is being opened while another source is shown.

    Args:
        model: The model of what is displayed, with the user's choices. It is the parent.
        models: Returns the cache of networks.
        settings: The first settings.
        state_root: The folder of the files that are kept against a crash, and of kept results.
    """

    changed = Signal()
    frame_changed = Signal()
    results_changed = Signal()
    message_posted = Signal(object)
    replacing = Signal()
    recording_opened = Signal(object)
    results_cleared = Signal()
    _opened = Signal(object)
    _frame_ready = Signal()
    _tracking_changed = Signal()
    _ended = Signal()

    def __init__(
        self,
        model: DisplayModel,
        *,
        models: Callable[[], ModelCache],
        settings: TrackSettings,
        state_root: Path,
    ) -> None:
        super().__init__(model)
        self._model, self._models = model, models
        self._settings, self.state_root = settings, state_root
        self._closing: tuple[str, Event] | None = None  # the path of the closed recording
        self.current: OpenRecording | None = None
        self.frame: Frame | None = None
        self.state = SourceState()
        self.opening = ""
        self._tracking_callback = CoalescedCallback(self._tracking_changed.emit)
        self._at_end = False  # a flag, since the last frame may be one that cannot be shown
        self._background = WorkerThreads(self._opened.emit)
        queued = Qt.ConnectionType.QueuedConnection
        self._opened.connect(self._on_opened, queued)
        self._frame_ready.connect(self._on_frame, queued)
        self._tracking_changed.connect(self._on_tracking_changed, queued)
        self._ended.connect(self._on_ended, queued)

    @property
    def results(self) -> Results | None:
        return None if self.current is None else self.current.results

    @property
    def models(self) -> OpenModels | None:
        return None if self.current is None else self.current.models

    @property
    def fps(self) -> float:
        return 25.0 if self.current is None else self.current.fps

    @property
    def settings_need_retracking(self) -> bool:
        """Whether the newest settings need `retrack`. Those of a table cannot be changed."""
        current, chosen = self.current, self._settings
        if current is None:
            return False
        if current.table is not None:
            return current.settings != chosen
        return needs_retracking(current.settings, chosen)

    @property
    def comparable(self) -> bool:
        """Whether a recording is open or being opened."""
        return self.state.phase is not Phase.EMPTY

    def progress(self) -> TrackingProgress:
        """Return how far tracking has come."""
        return tracking_progress(self._model.display, self.results)

    def export_base(self, folder: str) -> str:
        """Return the path of the recording: exported files lie beside it."""
        return self.state.path

    def frame_name(self) -> str:
        """Return the number of the displayed frame."""
        return f"{self._model.display.frame}"

    def open(
        self, request: OpeningRequest, settings: TrackSettings, *, keep_shown: bool = False
    ) -> None:
        """Open, track and play a recording.

        Args:
            request: The recording, and where its results come from.
            settings: The settings of the tracking.
            keep_shown: Whether what is shown stays open and usable until the recording is open. It
                stays if the recording cannot be opened.
        """
        self._settings, path = settings, request.path
        name = Path(path).name or path
        self.opening = name if keep_shown else ""
        if keep_shown:
            self.changed.emit()
        else:
            self._change_user_state(playing=True, frame=0)
            self._set_state(SourceState(phase=Phase.OPENING, path=path, name=name))
        closing = self._closing

        def work(number: int) -> OpenResult:
            if closing is not None and closing[0] == path:
                closing[1].wait(STOP_S)  # its results are kept then
            return open_media(number, request, settings, self._models(), self.state_root)

        self._background.open(work)

    def give_up_opening(self) -> None:
        """Do not open the recording that is being opened."""
        self._background.invalidate()
        self.opening = ""

    def close(self) -> None:
        """Close the recording, or give up opening one. The caller displays the new state."""
        self.give_up_opening()
        if self.current is not None:
            self.current.close()
            self._closing = self.state.path, self.current.closed
            self._background.run(self.current.wait_closed, "closing")
        self.current = self.frame = None
        self.state = SourceState()

    def join(self, deadline_s: float) -> bool:
        """Wait after `close`.

        Returns whether all threads ended before this time.monotonic() time.
        """
        return self._background.join(deadline_s)

    def run_in_background(self, work: Callable[[], None], name: str) -> None:
        """Run work on a thread that `join` waits for."""
        self._background.run(work, name)

    def play(self) -> None:
        """Play from the displayed frame, or from the beginning if it is the last one."""
        if self.current is None:
            return
        if self._at_end and self._model.user_state.loop is None:
            self.seek(0)
        self._change_user_state(playing=True)
        self._replay()

    def pause(self) -> None:
        """Stop playing. Tracking continues."""
        self._change_user_state(playing=False)
        if self.current is not None:
            self.current.player.pause()
        self.changed.emit()

    def toggle(self) -> None:
        """Play or pause."""
        if self._model.user_state.playing:
            self.pause()
        else:
            self.play()

    def stop(self) -> None:
        """Pause and go to the first frame."""
        self.pause()
        self.seek(0)

    def seek(self, index: int, *, track_here: bool = True) -> None:
        """Show this frame. If `track_here`, track from there unless the frame is tracked."""
        if self.current is None:
            return
        last = self._model.display.last
        index = min(max(index, 0), last)
        self._at_end = index == last
        self._change_user_state(frame=index)
        self.current.player.show(index)
        if track_here:
            self.current.tracking.seek(index)

    def step(self, frames: int) -> None:
        """Move forward or back by a number of frames. Playing pauses."""
        if self.current is None:
            return
        if self._model.user_state.playing:
            self.pause()
            self._change_user_state(frame=self._model.display.frame)
        self.seek(self._model.user_state.frame + frames)

    def jump(self, seconds: float) -> None:
        """Move forward or back by a time. Playing continues."""
        if self.current is None:
            return
        user_state, times = self._model.user_state, self.state.times_s
        base = self._model.display.frame if user_state.playing else user_state.frame
        self.seek(frame_at_time(times, float(times[base]) + seconds))

    def set_speed(self, speed: float) -> None:
        """Set the factor of the playing speed."""
        self._change_user_state(speed=speed)
        self._replay()

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Play only this region, given by its first and last frame. None plays everything."""
        if loop is not None:
            loop = (min(loop), max(loop))
        self._change_user_state(loop=loop, loop_start=None)
        self._replay()

    def mark_loop(self) -> None:
        """Set the start of the loop; a second call sets its end, a third removes the loop."""
        user_state, frame = self._model.user_state, self._model.display.frame
        if user_state.loop is not None:
            self.set_loop(None)
        elif user_state.loop_start is None:
            self._change_user_state(loop_start=frame)
            self.changed.emit()
        else:
            self.set_loop((user_state.loop_start, frame))

    def toggle_tracking(self) -> None:
        """Pause the tracking, or continue it."""
        if self.current is None:
            return
        if self._model.display.can_pause:
            self.current.tracking.pause()
        else:
            self.current.tracking.resume()

    def use_settings(self, settings: TrackSettings) -> None:
        """Use these settings. Filters change immediately; other changes may need `retrack`."""
        self._settings = settings
        current = self.current
        if current is not None and not self.settings_need_retracking:
            current.settings = settings
            current.tracking.set_filter(filter_of(settings))
            self._background.run(current.tracking.apply_filter, "filtering")

    def retrack(self) -> None:
        """Drop the results and track again from the first frame without interruption."""
        settings = self._settings
        if self.current is None:
            return
        self.current.tracking.pause()
        self._background.open(
            lambda number: OpenResult(number, models=self._models().get(settings), retrack=settings)
        )

    def _replay(self) -> None:
        user_state = self._model.user_state
        if self.current is not None and user_state.playing:
            self.current.player.play(user_state.speed, user_state.loop)
        self.changed.emit()

    def _change_user_state(self, **changes: object) -> None:
        """Change some of the user's choices. They are displayed after `changed`."""
        self._model.user_state = replace(self._model.user_state, **changes)  # type: ignore[arg-type]

    def _set_state(self, state: SourceState) -> None:
        self.state = state
        self.changed.emit()

    def _on_opened(self, opened: OpenResult) -> None:
        if opened.number != self._background.number:
            opened.close()
        elif opened.fault:
            self._fail(opened.fault)
        elif opened.retrack is not None:
            self._begin_again(opened)
        else:
            self._begin(opened)

    def _begin(self, opened: OpenResult) -> None:
        if self.opening:
            self.replacing.emit()
            self._change_user_state(playing=True)
        callbacks = RecordingCallbacks(
            self._tracking_callback,
            self._frame_ready.emit,
            self._ended.emit,
            self.message_posted.emit,
        )
        self.current = current = make_open_recording(
            opened, self._settings, callbacks, self.state_root
        )
        self.recording_opened.emit(current)
        current.start()
        if self._model.user_state.playing:
            current.player.play(self._model.user_state.speed, self._model.user_state.loop)
        self._on_tracking_changed()
        for note in (*current.media.info.notes, *opened.notes):
            self.message_posted.emit(note)
        if current.table is not None:
            self._background.run(current.check_table, "checking")

    def _begin_again(self, opened: OpenResult) -> None:
        if self.current is not None and opened.retrack is not None:
            assert opened.models is not None
            wait_closed = self.current.retrack(opened.models, opened.retrack, 0)
            self._background.run(wait_closed, "closing")
            self._on_tracking_changed()
            self.results_cleared.emit()

    def _fail(self, fault: UserText) -> None:
        self.opening = ""
        self.message_posted.emit(fault)
        if self.current is None:
            self._change_user_state(playing=False)
            self._set_state(SourceState())
        else:
            self._on_tracking_changed()

    def _on_frame(self) -> None:
        if self.current is None or (frame := self.current.pictures.take(0)) is None:
            return
        self.frame = frame
        if self._model.user_state.playing:
            self._change_user_state(frame=frame.index)
        self._update_state()
        self.frame_changed.emit()

    def _on_tracking_changed(self) -> None:
        self._tracking_callback.mark_handled()
        if self.current is not None:
            self._update_state()
            self.results_changed.emit()

    def _update_state(self) -> None:
        """Update `state` from the open recording."""
        current = self.current
        if current is None:
            return
        shown = -1 if self.frame is None else self.frame.index
        state, before = current.state(shown), self.state.phase
        playing = self._model.user_state.playing
        if playing and state.phase is Phase.TRACKING and current.waits_for_tracking(shown):
            current.tracking.seek(shown + 1)
        self._set_state(state)
        if state.phase is not before:
            for message in current.messages_in(state):
                self.message_posted.emit(message)

    def _on_ended(self) -> None:
        self._at_end = True
        self._change_user_state(playing=False)
        self.changed.emit()
