"""The state of the recording that the window plays and tracks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.background_opening import OpenResult, needs_tracking_anew, open_media
from steadymark.app.session.recording.open_recording import RecordingCallbacks, media_of
from steadymark.app.session.recording.point_filter import filter_of
from steadymark.app.session.shown_source import TrackingProgress
from steadymark.app.session.state import Facts, Phase, frame_at_time
from steadymark.app.session.worker_threads import SingleCallback, WorkerThreads
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.background_opening import ModelCache
    from steadymark.app.session.display_model import DisplayModel
    from steadymark.app.session.recording.crash_recovery import RecoverableSession
    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.types import Frame
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings


class RecordingView(QObject):
    """The recording, in the GUI thread. Its commands do nothing while no recording is open.

    changed: there are other `facts`; pictured: there is a new `frame`; progressed: there are new
    results; told: a UserText for the user; began: an OpenRecording that is about to start; dropped:
    all results were dropped, to track anew.

    Args:
        model: The model of what is displayed, with the user's choices. It is the parent.
        models: Returns the cache of networks.
        settings: The first settings.
        state_root: The folder of the files that are kept against a crash.
    """

    changed = Signal()
    pictured = Signal()
    progressed = Signal()
    told = Signal(object)
    began = Signal(object)
    dropped = Signal()
    _opened = Signal(object)
    _frame_came = Signal()
    _work_came = Signal()
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
        self._settings, self._state_root = settings, state_root
        self.film: OpenRecording | None = None
        self.frame: Frame | None = None
        self.facts = Facts()
        self._work_calls = SingleCallback(self._work_came.emit)
        self._at_end = False  # a flag, since the last frame may be one that cannot be shown
        self._background = WorkerThreads(self._opened.emit)
        queued = Qt.ConnectionType.QueuedConnection
        self._opened.connect(self._on_opened, queued)
        self._frame_came.connect(self._on_frame, queued)
        self._work_came.connect(self._on_work, queued)
        self._ended.connect(self._on_ended, queued)

    @property
    def results(self) -> Results | None:
        return None if self.film is None else self.film.results

    @property
    def models(self) -> OpenModels | None:
        return None if self.film is None else self.film.models

    @property
    def fps(self) -> float:
        return 25.0 if self.film is None else self.film.fps

    @property
    def settings_wait(self) -> bool:
        """Whether the newest settings need `retrack`."""
        return self.film is not None and needs_tracking_anew(self.film.settings, self._settings)

    @property
    def comparable(self) -> bool:
        """Whether a recording is open or being opened."""
        return self.facts.phase is not Phase.EMPTY

    def progress(self) -> TrackingProgress:
        display = self._model.display
        return TrackingProgress(display.time_s, display.share, display.last + 1)

    def export_base(self, folder: str) -> str:
        """Return the path of the recording: exported files lie beside it."""
        return self.facts.path

    def frame_name(self) -> str:
        return f"{self._model.display.frame}"

    def open(
        self, path: str, settings: TrackSettings, *, found: RecoverableSession | None = None
    ) -> None:
        """Open, track and play a recording. found: the earlier session to recover results from."""
        self._settings = settings
        self._choose(playing=True, frame=0)
        self._set(Facts(phase=Phase.OPENING, path=path, name=Path(path).name or path))
        self._background.open(
            lambda number: open_media(number, path, settings, self._models(), found)
        )

    def close(self) -> None:
        """Close the recording, or give up opening one. The caller shows the new facts."""
        self._background.pass_over()
        if self.film is not None:
            self.film.close()
            self._background.run(self.film.leave, "closing")
        self.film = self.frame = None
        self.facts = Facts()

    def join(self, deadline_s: float) -> bool:
        """Wait after `close`.

        Returns whether all threads ended before this time.monotonic() time.
        """
        return self._background.join(deadline_s)

    def run_aside(self, work: Callable[[], None], name: str) -> None:
        """Run work on a thread that `join` waits for."""
        self._background.run(work, name)

    def play(self) -> None:
        if self.film is None:
            return
        if self._at_end and self._model.wish.loop is None:
            self.seek(0)
        self._choose(playing=True)
        self._replay()

    def pause(self) -> None:
        self._choose(playing=False)
        if self.film is not None:
            self.film.player.pause()
        self.changed.emit()

    def toggle(self) -> None:
        if self._model.wish.playing:
            self.pause()
        else:
            self.play()

    def stop(self) -> None:
        """Pause and go to the first frame."""
        self.pause()
        self.seek(0)

    def seek(self, index: int, *, settled: bool = True) -> None:
        """Show this frame. If settled, track from there unless the frame is tracked."""
        if self.film is None:
            return
        last = self._model.display.last
        index = min(max(index, 0), last)
        self._at_end = index == last
        self._choose(frame=index)
        self.film.player.show(index)
        if settled:
            self.film.tracking.seek(index)

    def step(self, frames: int) -> None:
        """Move forward or back by a number of frames. Playing pauses."""
        if self.film is None:
            return
        if self._model.wish.playing:
            self.pause()
            self._choose(frame=self._model.display.frame)
        self.seek(self._model.wish.frame + frames)

    def jump(self, seconds: float) -> None:
        """Move forward or back by a time. Playing continues."""
        if self.film is None:
            return
        wish, times = self._model.wish, self.facts.times_s
        base = self._model.display.frame if wish.playing else wish.frame
        self.seek(frame_at_time(times, float(times[base]) + seconds))

    def set_speed(self, speed: float) -> None:
        self._choose(speed=speed)
        self._replay()

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Play only this region, given by its first and last frame. None plays everything."""
        if loop is not None:
            loop = (min(loop), max(loop))
        self._choose(loop=loop, loop_from=None)
        self._replay()

    def mark_loop(self) -> None:
        """Set the start of the loop; a second call sets its end, a third removes the loop."""
        wish, frame = self._model.wish, self._model.display.frame
        if wish.loop is not None:
            self.set_loop(None)
        elif wish.loop_from is None:
            self._choose(loop_from=frame)
            self.changed.emit()
        else:
            self.set_loop((wish.loop_from, frame))

    def toggle_tracking(self) -> None:
        if self.film is None:
            return
        if self._model.display.can_pause:
            self.film.tracking.pause()
        else:
            self.film.tracking.go_on()

    def use_settings(self, settings: TrackSettings) -> None:
        """Use these settings. Filters change immediately; other changes may need `retrack`."""
        self._settings = settings
        film = self.film
        if film is not None and not needs_tracking_anew(film.settings, settings):
            film.settings = settings
            film.tracking.want_filter(filter_of(settings))
            self._background.run(film.tracking.apply_filter, "filtering")

    def retrack(self) -> None:
        """Drop the results and track again from the first frame without interruption."""
        settings = self._settings
        if self.film is None:
            return
        self.film.tracking.pause()
        self._background.open(
            lambda number: OpenResult(number, models=self._models().get(settings), retrack=settings)
        )

    def _replay(self) -> None:
        wish = self._model.wish
        if self.film is not None and wish.playing:
            self.film.player.play(wish.speed, wish.loop)
        self.changed.emit()

    def _choose(self, **changes: object) -> None:
        """Change some of the user's choices. They are displayed after `changed`."""
        self._model.wish = replace(self._model.wish, **changes)  # type: ignore[arg-type]

    def _set(self, facts: Facts) -> None:
        self.facts = facts
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
        calls = RecordingCallbacks(
            self._work_calls, self._frame_came.emit, self._ended.emit, self.told.emit
        )
        self.film = film = media_of(opened, self._settings, calls, self._state_root)
        self.began.emit(film)
        film.start()
        if self._model.wish.playing:
            film.player.play(self._model.wish.speed, self._model.wish.loop)
        self._on_work()
        for note in film.film.info.notes:
            self.told.emit(note)

    def _begin_again(self, opened: OpenResult) -> None:
        if self.film is not None and opened.retrack is not None:
            assert opened.models is not None
            leave = self.film.retrack(opened.models, opened.retrack, 0)
            self._background.run(leave, "closing")
            self._on_work()
            self.dropped.emit()

    def _fail(self, fault: UserText) -> None:
        self.told.emit(fault)
        if self.film is None:
            self._choose(playing=False)
            self._set(Facts())
        else:
            self._on_work()

    def _on_frame(self) -> None:
        if self.film is None or (frame := self.film.pictures.take(0)) is None:
            return
        self.frame = frame
        if self._model.wish.playing:
            self._choose(frame=frame.index)
        self._look()
        self.pictured.emit()

    def _on_work(self) -> None:
        self._work_calls.arrived()
        if self.film is not None:
            self._look()
            self.progressed.emit()

    def _look(self) -> None:
        """Update the facts from the state of the recording."""
        film = self.film
        if film is None:
            return
        shown = -1 if self.frame is None else self.frame.index
        facts, before = film.facts(shown), self.facts.phase
        playing = self._model.wish.playing
        if playing and facts.phase is Phase.TRACKING and film.starves(shown):
            film.tracking.seek(shown + 1)
        self._set(facts)
        if facts.phase is before:
            return
        if facts.phase is Phase.FAILED:
            failure = facts.failure
            self.told.emit(UserText("{fault}. 'Continue tracking' skips it.", fault=failure))
        elif facts.phase is Phase.FINISHED:
            for problem in film.film.problems:
                self.told.emit(problem)

    def _on_ended(self) -> None:
        self._at_end = True
        self._choose(playing=False)
        self.changed.emit()
