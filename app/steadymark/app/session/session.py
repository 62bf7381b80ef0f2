"""The session of the window: it takes the user's actions, runs the engine and says what to show."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from steadymark.app.session.analysis.analysis import Analysis
from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.display_model import DisplayModel
from steadymark.app.session.live.live_view import QUIT_FLUSH_S, LiveView, open_feed
from steadymark.app.session.recording.recording_view import RecordingView
from steadymark.app.session.state import Display, resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.analysis.measure_worker import MeasureReply
    from steadymark.app.session.live.live_view import OpenFeed
    from steadymark.app.session.live.open_stream import LiveTarget
    from steadymark.app.session.recording.crash_recovery import RecoverableSession
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.shown_source import ShownSource
    from steadymark.engine.core.types import Frame
    from steadymark.engine.tracking.settings import TrackSettings

QUIT_S = 2.0


class Session(DisplayModel):
    """The session. It lives in the GUI thread.

    Attributes:
        changed: Emitted when there is a new `display`.
        pictured: Emitted when there is a new `frame`.
        progressed: Emitted when there are new results.
        measured: Emitted when there are new `measures`.
        told: Emitted with a UserText: a fault or a note for the user.
        recording: Plays and tracks recordings.
        live: Watches cameras and streams.
        shown: The one of both that the window shows.
    """

    pictured = Signal()
    progressed = Signal()
    measured = Signal()
    told = Signal(object)

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
        self._settings, self._models = settings, models or ModelCache()
        self.recording = RecordingView(
            self, models=lambda: self._models, settings=settings, state_root=state_root
        )
        self.live = LiveView(self._models, opener=opener, parent=self)
        self.shown: ShownSource = self.recording
        self.measures: FaceMeasures | None = None
        self.measuring_s = 0.0
        self.analysis = Analysis(
            self,
            shown=lambda: self.shown,
            models=lambda: self._models,
            settings=lambda: self._settings,
            run_aside=self.recording.run_aside,
        )
        self._connect()

    def _connect(self) -> None:
        sources: tuple[ShownSource, ...] = (self.recording, self.live)
        for source in sources:
            source.changed.connect(self.refresh)
            source.pictured.connect(self.pictured)
            source.progressed.connect(self.progressed)
            source.told.connect(self.told)
        self.recording.began.connect(self.analysis.begin)
        self.recording.dropped.connect(self._on_dropped)
        self.analysis.told.connect(self.told)
        self.analysis.asked.connect(self.ask_measures)
        self.analysis.measured.connect(self._on_measures)
        self.analysis.pictured.connect(self.pictured)
        self.analysis.progressed.connect(self.progressed)

    @property
    def settings(self) -> TrackSettings:
        return self._settings

    @property
    def models(self) -> ModelCache:
        """The cache of open networks."""
        return self._models

    @property
    def frame(self) -> Frame | None:
        """The frame on the screen."""
        return self.shown.frame

    @property
    def results(self) -> Results | None:
        return self.shown.results

    def open(self, path: str, *, found: RecoverableSession | None = None) -> None:
        """Open, track and play a recording. found: the earlier session to recover results from."""
        self.close_shown()
        self.shown = self.recording
        self.recording.open(path, self._settings, found=found)

    def open_live(self, target: LiveTarget, *, after: Callable[[], object] = bool) -> None:
        """Watch a camera or stream. A background thread waits for `after` before it opens it."""
        self.close_shown()
        self.shown = self.live
        self.live.open(target, self._settings, after=after)

    def close_shown(self) -> None:
        """Close the recording or live view."""
        self.shown.close()
        self.analysis.end()
        self.measures = None
        self.wish = replace(self.wish, playing=False, frame=0, loop=None, loop_from=None, face=None)
        self.refresh()
        self.pictured.emit()
        self.measured.emit()

    def close(self) -> bool:
        """End everything. Returns whether all threads ended within 2 s."""
        deadline_s = time.monotonic() + QUIT_S
        self.live.close(flush_s=QUIT_FLUSH_S)
        self.close_shown()
        ended = self.analysis.close(QUIT_S)
        ended = self.live.join(deadline_s) and ended
        return self.recording.join(deadline_s) and ended

    def use_settings(self, settings: TrackSettings) -> None:
        """Use these settings for what is shown and what is opened later."""
        self._settings = settings
        self.shown.use_settings(settings)
        self.refresh()

    def choose(self, *, face: int | None = None, landmark: int | None = None) -> None:
        """Choose the face and the landmark whose measures are shown."""
        if face is not None:
            self.wish = replace(self.wish, face=face)
        if landmark is not None:
            self.wish = replace(self.wish, landmark=landmark)
        self.ask_measures()
        self.refresh()

    def ask_measures(self) -> None:
        """Ask for measures. `measured` follows, and a newer request replaces an older one."""
        self.analysis.ask(self.wish.face, self.wish.landmark)

    def _on_dropped(self) -> None:
        self.measures = None
        self.measured.emit()

    def _on_measures(self, reply: MeasureReply) -> None:
        self.measures, self.measuring_s = reply.measures, reply.took_s
        self.measured.emit()

    def _resolved(self) -> Display:
        return self.analysis.shown(resolve(self.wish, self.shown.facts))
