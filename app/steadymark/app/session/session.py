"""The session of the window: it takes the user's actions, runs the engine and says what to show."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.analysis.analysis import Analysis
from steadymark.app.session.background_opening import (
    ModelCache,
    OpenResult,
    needs_tracking_anew,
    open_media,
)
from steadymark.app.session.display_model import DisplayModel
from steadymark.app.session.live.live_view import QUIT_FLUSH_S, LiveView, open_feed
from steadymark.app.session.recording.open_recording import (
    OpenRecording,
    RecordingCallbacks,
    media_of,
)
from steadymark.app.session.recording.point_filter import filter_of
from steadymark.app.session.state import Display, Facts, Phase, frame_at_time, resolve
from steadymark.app.session.worker_threads import SingleCallback, WorkerThreads
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.analysis.measure_worker import MeasureReply
    from steadymark.app.session.live.live_view import OpenFeed
    from steadymark.app.session.live.open_stream import LiveTarget
    from steadymark.app.session.recording.crash_recovery import RecoverableSession
    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.types import Frame
    from steadymark.engine.tracking.settings import TrackSettings

QUIT_S = 2.0


class Session(DisplayModel):
    """The session. It lives in the GUI thread.

    changed: a new `display`; pictured: a new `frame`; progressed: new results; measured: new
    `measures`; told: a fault or a note for the user, a UserText.
    """

    pictured = Signal()
    progressed = Signal()
    measured = Signal()
    told = Signal(object)
    _opened = Signal(object)
    _frame_came = Signal()
    _work_came = Signal()
    _ended = Signal()

    def __init__(
        self,
        settings: TrackSettings,
        *,
        state_root: Path,
        models: ModelCache | None = None,
        opener: OpenFeed = open_feed,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._state_root = settings, state_root
        self._models = models or ModelCache()
        self.live = LiveView(self._models, opener=opener, parent=self)
        self.frame: Frame | None = None
        self.measures: FaceMeasures | None = None
        self.measuring_s = 0.0
        self._film: OpenRecording | None = None
        self._work_calls = SingleCallback(self._work_came.emit)
        self._at_end = False  # a flag, since the last frame may be one that cannot be shown
        self._background = WorkerThreads(self._opened.emit)
        queued = Qt.ConnectionType.QueuedConnection
        self._opened.connect(self._on_opened, queued)
        self._frame_came.connect(self._on_frame, queued)
        self._work_came.connect(self._on_work, queued)
        self._ended.connect(self._on_ended, queued)
        self.analysis = Analysis(
            self,
            live=self.live,
            models=lambda: self._models,
            settings=lambda: self._settings,
            run_aside=self.run_aside,
        )
        self.analysis.told.connect(self.told)
        self.analysis.asked.connect(self.ask_measures)
        self.analysis.measured.connect(self._on_measures)
        self.analysis.pictured.connect(self.pictured)
        self.analysis.progressed.connect(self.progressed)
        self.live.changed.connect(self.refresh)
        self.live.pictured.connect(self._on_live_picture)
        self.live.told.connect(self.told)

    @property
    def settings(self) -> TrackSettings:
        return self._settings

    @property
    def models(self) -> ModelCache:
        """The cache of open networks."""
        return self._models

    @property
    def film(self) -> OpenRecording | None:
        """The open recording."""
        return self._film

    @property
    def results(self) -> Results | None:
        return self.live.results if self._film is None else self._film.results

    def open(self, path: str, *, found: RecoverableSession | None = None) -> None:
        """Open, track and play a recording. found: the earlier session to recover results from."""
        self.close_film()
        self._wish = replace(self._wish, playing=True, frame=0)
        self._set(Facts(phase=Phase.OPENING, path=path, name=Path(path).name or path))
        settings = self._settings
        self._background.open(
            lambda number: open_media(number, path, settings, self._models, found)
        )

    def open_live(self, target: LiveTarget, *, after: Callable[[], object] = bool) -> None:
        """Watch a camera or stream. A background thread waits for `after` before it opens it."""
        self.close_film()
        self.live.open(target, self._settings, after=after)

    def close_film(self) -> None:
        """Close the recording or live view."""
        self.live.close()
        self._background.pass_over()
        if self._film is not None:
            self._film.close()
            self._background.run(self._film.leave, "closing")
            self._film = None
        self.analysis.end()
        self.frame = self.measures = None
        self._wish = replace(
            self._wish, playing=False, frame=0, loop=None, loop_from=None, face=None
        )
        self._set(Facts())
        self.pictured.emit()
        self.measured.emit()

    def close(self) -> bool:
        """End everything. Returns whether all threads ended within 2 s."""
        deadline_s = time.monotonic() + QUIT_S
        self.live.close(flush_s=QUIT_FLUSH_S)
        self.close_film()
        ended = self.analysis.close(QUIT_S)
        ended = self.live.join(deadline_s) and ended
        return self._background.join(deadline_s) and ended

    def play(self) -> None:
        if self._film is None:
            return
        if self._at_end and self._wish.loop is None:
            self.seek(0)
        self._wish = replace(self._wish, playing=True)
        self._film.player.play(self._wish.speed, self._wish.loop)
        self._set()

    def pause(self) -> None:
        self._wish = replace(self._wish, playing=False)
        if self._film is not None:
            self._film.player.pause()
        self._set()

    def toggle_play(self) -> None:
        if self._wish.playing:
            self.pause()
        else:
            self.play()

    def stop(self) -> None:
        """Pause and go to the first frame."""
        self.pause()
        self.seek(0)

    def seek(self, index: int, *, settled: bool = True) -> None:
        """Show this frame. If settled, track from there unless the frame is tracked."""
        if self._film is None:
            return
        index = min(max(index, 0), self.display.last)
        self._at_end = index == self.display.last
        self._wish = replace(self._wish, frame=index)
        self._film.player.show(index)
        if settled:
            self._film.tracking.seek(index)

    def step(self, frames: int) -> None:
        """Move forward or back by a number of frames. Playing pauses."""
        if self._film is None:
            return
        if self._wish.playing:
            self.pause()
            self._wish = replace(self._wish, frame=self.display.frame)
        self.seek(self._wish.frame + frames)

    def jump(self, seconds: float) -> None:
        """Move forward or back by a time. Playing continues."""
        if self._film is None:
            return
        base = self.display.frame if self._wish.playing else self._wish.frame
        times = self._facts.times_s
        self.seek(frame_at_time(times, float(times[base]) + seconds))

    def set_speed(self, speed: float) -> None:
        self._wish = replace(self._wish, speed=speed)
        self._replay()

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Play only this region, given by its first and last frame. None plays everything."""
        if loop is not None:
            loop = (min(loop), max(loop))
        self._wish = replace(self._wish, loop=loop, loop_from=None)
        self._replay()

    def mark_loop(self) -> None:
        """Set the start of the loop; a second call sets its end, a third removes the loop."""
        if self._wish.loop is not None:
            self.set_loop(None)
        elif self._wish.loop_from is None:
            self._want(replace(self._wish, loop_from=self.display.frame))
        else:
            self.set_loop((self._wish.loop_from, self.display.frame))

    def _replay(self) -> None:
        if self._film is not None and self._wish.playing:
            self._film.player.play(self._wish.speed, self._wish.loop)
        self._set()

    def toggle_tracking(self) -> None:
        if self._film is None:
            return
        if self.display.can_pause:
            self._film.tracking.pause()
        else:
            self._film.tracking.go_on()

    def use_settings(self, settings: TrackSettings) -> None:
        """Use these settings. Filters change immediately; other changes may need `retrack`."""
        self._settings = settings
        self.live.use_settings(settings)
        film = self._film
        if film is not None and not needs_tracking_anew(film.settings, settings):
            film.settings = settings
            film.tracking.want_filter(filter_of(settings))
            self._background.run(film.tracking.apply_filter, "filtering")
        self._set()

    @property
    def settings_wait(self) -> bool:
        """Whether the chosen settings need `retrack`."""
        film = self._film
        return film is not None and needs_tracking_anew(film.settings, self._settings)

    def retrack(self) -> None:
        """Drop the results and track again from the first frame without interruption."""
        film, settings = self._film, self._settings
        if film is None:
            return
        film.tracking.pause()
        self._background.open(
            lambda number: OpenResult(number, models=self._models.get(settings), retrack=settings)
        )

    def choose(self, *, face: int | None = None, landmark: int | None = None) -> None:
        """Choose the face and the landmark whose measures are shown."""
        if face is not None:
            self._wish = replace(self._wish, face=face)
        if landmark is not None:
            self._wish = replace(self._wish, landmark=landmark)
        self.ask_measures()
        self._set()

    def ask_measures(self) -> None:
        """Ask for measures. `measured` follows, and a newer request replaces an older one."""
        self.analysis.ask(self._wish.face, self._wish.landmark)

    def run_aside(self, work: Callable[[], None], name: str) -> None:
        """Run work on a thread that `close` waits for."""
        self._background.run(work, name)

    def _on_opened(self, opened: OpenResult) -> None:
        if opened.number != self._background.number:
            opened.close()
            return
        if opened.fault:
            self._fail(opened)
        elif opened.retrack is not None:
            self._begin_again(opened)
        else:
            self._begin(opened)

    def _begin(self, opened: OpenResult) -> None:
        calls = RecordingCallbacks(
            self._work_calls, self._frame_came.emit, self._ended.emit, self.told.emit
        )
        film = media_of(opened, self._settings, calls, self._state_root)
        self._film = film
        self.analysis.begin(film)
        film.start()
        if self._wish.playing:
            film.player.play(self._wish.speed, self._wish.loop)
        self._on_work()
        for note in film.film.info.notes:
            self.told.emit(note)

    def _begin_again(self, opened: OpenResult) -> None:
        if self._film is not None and opened.retrack is not None:
            assert opened.models is not None
            leave = self._film.retrack(opened.models, opened.retrack, 0)
            self._background.run(leave, "closing")
            self.measures = None
            self._on_work()
            self.measured.emit()

    def _fail(self, opened: OpenResult) -> None:
        self.told.emit(opened.fault)
        if self._film is None:
            self._wish = replace(self._wish, playing=False)
            self._set(Facts())
        else:
            self._on_work()

    def _on_frame(self) -> None:
        if self._film is None:
            return
        frame = self._film.pictures.take(0)
        if frame is None:
            return
        self.frame = frame
        if self._wish.playing:
            self._wish = replace(self._wish, frame=frame.index)
        self._look()
        self.pictured.emit()

    def _on_measures(self, reply: MeasureReply) -> None:
        self.measures, self.measuring_s = reply.measures, reply.took_s
        self.measured.emit()

    def _on_live_picture(self) -> None:
        self.frame = self.live.frame
        self.pictured.emit()
        self.progressed.emit()

    def _on_work(self) -> None:
        self._work_calls.arrived()
        if self._film is not None:
            self._look()
            self.progressed.emit()

    def _look(self) -> None:
        """Update the facts and the display from the state of the recording."""
        film = self._film
        if film is None:
            return
        shown = -1 if self.frame is None else self.frame.index
        facts = film.facts(shown)
        new_phase = None if facts.phase is self._facts.phase else facts.phase
        if self._wish.playing and facts.phase is Phase.TRACKING and film.starves(shown):
            film.tracking.seek(shown + 1)
        self._set(facts)
        if new_phase is Phase.FAILED:
            failure = facts.failure
            self.told.emit(UserText("{fault}. 'Go on tracking' passes over it.", fault=failure))
        elif new_phase is Phase.FINISHED:
            for problem in film.film.problems:
                self.told.emit(problem)

    def _on_ended(self) -> None:
        self._at_end = True
        self._want(replace(self._wish, playing=False))

    def _resolved(self) -> Display:
        facts = self.live.facts if self.live.is_open else self._facts
        return self.analysis.shown(resolve(self._wish, facts))
