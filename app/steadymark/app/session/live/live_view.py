"""The state of the live view: a camera or stream that is watched and recorded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal

from steadymark.app.session.background_opening import ModelCache, OpenResult, needs_retracking
from steadymark.app.session.live.latency import LatencyMeter, LiveFigures
from steadymark.app.session.live.live_recording import CLEAN, LiveRecording, start_recording
from steadymark.app.session.live.open_stream import (
    STOP_S,
    LiveFeed,
    LiveTarget,
    OpenStream,
    open_feed,
)
from steadymark.app.session.live.stream_sending import StreamSending
from steadymark.app.session.shown_source import TrackingProgress
from steadymark.app.session.state import LiveState, Phase, SourceState
from steadymark.app.session.worker_threads import WorkerThreads
from steadymark.engine.sources import LiveStatus, OpenAttempt
from steadymark.engine.sources.live.network_camera import without_password
from steadymark.models.user_text import UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.live.live_results import LiveResults
    from steadymark.engine.core.types import Frame
    from steadymark.engine.output.live_recorder import RecorderReport
    from steadymark.engine.output.video.drawing import DrawOptions
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

    OpenFeed = Callable[[LiveTarget, Callable[[LiveStatus], None], OpenAttempt], LiveFeed]

FLUSH_S, QUIT_FLUSH_S = 10.0, 1.0
_RATE_S = 2.0


class LiveView(QObject):
    """The live view, in the GUI thread. Other settings, a stop and a restart keep the frame.

    Attributes:
        changed: Emitted when `state` has changed.
        frame_changed: Emitted when there is a new `frame`.
        results_changed: Emitted when there are new results.
        message_posted: Emitted with a UserText for the user.
        recorded: Emitted with a RecorderReport after the files of a recording are closed.
        sending: Sends the results to other programs.
    """

    changed = Signal()
    frame_changed = Signal()
    results_changed = Signal()
    message_posted = Signal(object)
    recorded = Signal(object)
    _opened = Signal(object)
    _frame_ready = Signal()
    _status_changed = Signal(int, object)
    _ended = Signal(int)
    _recording_ended = Signal(object)

    def __init__(
        self,
        models: ModelCache,
        *,
        opener: OpenFeed = open_feed,
        clock: Callable[[], float] = time.perf_counter,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._models, self.opener, self._clock = models, opener, clock
        self._target: LiveTarget | None = None
        self._settings: TrackSettings | None = None
        self._open: OpenStream | None = None
        self._number = 0  # number of the current opening
        self._phase = Phase.EMPTY
        self._lost = self._mirrored = False
        self._opening = OpenAttempt()
        self._recording: LiveRecording | None = None
        self._used_paths: set[Path] = set()
        self._arrivals: list[tuple[float, int]] = []
        self._meter = LatencyMeter()
        self.frame: Frame | None = None
        self.sending = StreamSending(parent=self)
        self.sending.message_posted.connect(self.message_posted)
        self._background = WorkerThreads(self._opened.emit)
        queued = Qt.ConnectionType.QueuedConnection
        self._opened.connect(self._on_opened, queued)
        self._frame_ready.connect(self._on_frame, queued)
        self._status_changed.connect(self._on_status, queued)
        self._ended.connect(self._on_ended, queued)
        self._recording_ended.connect(self._on_recording_ended, queued)

    @property
    def running(self) -> bool:
        return self._phase in (Phase.LIVE, Phase.RECONNECTING)

    @property
    def results(self) -> LiveResults | None:
        return None if self._open is None else self._open.results

    @property
    def models(self) -> OpenModels | None:
        return None if self._open is None else self._open.models

    @property
    def fps(self) -> float:
        """The number of frames that are tracked per second."""
        return 25.0 if self._open is None else self._open.results.fps

    @property
    def settings_need_retracking(self) -> bool:
        return False  # a running tracker takes other settings between two frames

    @property
    def comparable(self) -> bool:
        return False  # only the newest picture exists

    @property
    def mirrored(self) -> bool:
        return self._mirrored

    @property
    def state(self) -> SourceState:
        """The state of the live view that the widgets show."""
        target, stream = self._target, self._open
        if target is None:
            return SourceState()
        text = without_password(target.text)
        if stream is None:
            return SourceState(phase=self._phase, path=text, name=text.removeprefix("camera:"))
        info = stream.source.info
        return SourceState(
            phase=self._phase,
            name=info.name,
            path=text,
            size=(info.width, info.height),
            fps=info.fps,
            device=stream.models.device,
            faces_seen=stream.report.most_seen,
            max_faces=0 if self._settings is None else self._settings.tracker.max_faces,
            live=LiveState(self._mirrored, self._recording.path.stem if self._recording else ""),
        )

    def choose_neutral(self) -> None:
        """Take the faces of the next half second as neutral."""
        if self._open is not None:
            self._open.choose_neutral()

    def progress(self) -> TrackingProgress:
        if self._open is None:
            return TrackingProgress()
        times, tracked = self._open.results.times_s, self._open.report.frames
        arrived = tracked + self._open.dropped
        time_s = float(times[-1]) if len(times) else 0.0
        return TrackingProgress(time_s, tracked / max(1, arrived), arrived)

    def export_base(self, folder: str) -> str:
        return f"{Path(folder) / self.state.name}.mp4"

    def frame_name(self) -> str:
        return time.strftime("%Y%m%d-%H%M%S")  # frames are numbered anew at every start

    def figures(self) -> LiveFigures:
        """Return the current figures."""
        if self._open is None:
            return LiveFigures()
        now_s, report = self._clock(), self._open.report
        dropped = self._open.dropped
        arrived = report.frames + report.dropped
        self._arrivals = [c for c in self._arrivals if c[0] > now_s - _RATE_S] + [(now_s, arrived)]
        since_s, before = self._arrivals[0]
        return LiveFigures(
            self._meter.figures(now_s),
            (arrived - before) / (now_s - since_s) if now_s > since_s else 0.0,
            dropped,
            self._recording.recorder.report if self._recording else None,
        )

    def open(
        self, target: LiveTarget, settings: TrackSettings, *, wait_for: Callable[[], object] = bool
    ) -> None:
        """Watch this target in place of the current one. A thread calls `wait_for` first."""
        before = self._open
        self.close()
        self._target, self._settings = target, settings
        self._begin(lambda: (before is None or before.released.wait(STOP_S), wait_for()))

    def stop(self) -> None:
        """Release the device. The last picture stays on the screen."""
        if self._phase is Phase.OPENING and self._open is None:
            self.close()
        elif self.running or self._phase is Phase.OPENING:
            self._background.invalidate()
            self._end(FLUSH_S)
            self._set_phase(Phase.STOPPED)

    def start_again(self) -> None:
        """Start again after `stop`, or after the stream ended."""
        if self._phase is Phase.STOPPED:
            before = self._open
            self._begin(lambda: before is None or before.released.wait(STOP_S))

    def toggle(self) -> None:
        if self.running:
            self.stop()
        else:
            self.start_again()

    def close(self, *, flush_s: float = FLUSH_S) -> None:
        """Stop watching and forget the target."""
        self._background.invalidate()
        self._end(flush_s)
        self._target = self._open = self.frame = None
        self._set_phase(Phase.EMPTY)

    def join(self, deadline_s: float) -> bool:
        """Wait after `close`.

        Returns whether all threads ended before this time.monotonic() time.
        """
        ended = self._background.join(deadline_s)
        QCoreApplication.sendPostedEvents(self)  # a device that opened too late is released
        ended = self.sending.join(deadline_s) and ended
        return self._background.join(deadline_s) and ended

    def use_settings(self, settings: TrackSettings) -> None:
        """Use these settings from the next frame on, or once other networks are open."""
        before, self._settings = self._settings, settings
        if settings.entry.needs_future and self._target is not None:
            message = UserText(
                "{name} looks at frames to come, which a live view has not: its points stay "
                "raw. Choose the One Euro filter or a network.",
                name=settings.entry.caption or settings.entry.label,
            )
            self.message_posted.emit(message)
        if self._open is None or before is None or not self.running:
            return
        if needs_retracking(self._open.settings, settings):
            self._background.open(
                lambda number: OpenResult(
                    number, models=self._models.get(settings), retrack=settings
                )
            )
        elif self._open.settings != settings:
            self._split_recording(lambda stream: stream.use_filter(settings))

    def set_mirrored(self, mirrored: bool) -> None:
        """Mirror the picture on the screen only. Nothing that is written is mirrored."""
        self._mirrored = mirrored
        self.changed.emit()

    def painted(self, frame: Frame) -> None:
        """Record that the frame is on the screen."""
        if self._open is not None and frame is self.frame:
            self._meter.painted(frame.index, frame.captured_s, self._clock())

    @property
    def median_ms(self) -> float:
        """The median time to track one picture, in milliseconds."""
        return float("nan") if self._open is None else self._open.report.median_ms

    @property
    def is_recording(self) -> bool:
        return self._recording is not None

    def start_recording(self, folder: Path, draw: DrawOptions = CLEAN) -> None:
        """Record a video and its table in this folder. The signal `recorded` reports faults."""
        if self._open is None or not self.running or self._recording is not None:
            return
        mode = None if self._target is None else self._target.mode
        self._recording = start_recording(
            self._open, mode, folder, draw, self._recording_ended.emit, self._used_paths
        )
        self.changed.emit()

    def stop_recording(self, *, flush_s: float = FLUSH_S) -> None:
        """Stop the recording. Queued frames are written first; `recorded` follows."""
        if self._recording is not None:
            self._recording = None
            if self._open is not None:
                self._open.stop_recording(within_s=flush_s)
            self.changed.emit()

    def _split_recording(self, change: Callable[[OpenStream], None]) -> None:
        """Apply a change and continue in new files, since a table states its settings."""
        assert self._open is not None
        recording = self._recording
        self.stop_recording()
        change(self._open)
        if recording is not None:
            self.start_recording(recording.path.parent, recording.draw)

    def _begin(self, wait_for: Callable[[], object]) -> None:
        """Open the target. wait_for: blocks until the device, which may open only once, is free."""
        target, settings = self._target, self._settings
        assert target is not None
        assert settings is not None
        opening = self._opening = OpenAttempt()
        self._set_phase(Phase.OPENING)

        def work(number: int) -> OpenResult:
            wait_for()
            models = self._models.get(settings)
            source = self.opener(
                target, lambda status: self._status_changed.emit(number, status), opening
            )
            return OpenResult(number, models=models, source=source)

        self._lost = False
        self._background.open(work)
        self._number = self._background.number

    def _end(self, flush_s: float) -> None:
        self._opening.cancel()
        self.stop_recording(flush_s=flush_s)
        if self._open is not None and not self._open.pictures.closed:
            self._open.close(within_s=flush_s)
            self._background.run(self._open.wait_closed, "closing")

    def _on_opened(self, opened: OpenResult) -> None:
        if opened.number != self._background.number:
            self._background.run(opened.close, "closing")
        elif opened.fault:
            self._fail(opened.fault)
        elif opened.source is None:
            self._change_networks(opened)
        else:
            self._start(opened)

    def _start(self, opened: OpenResult) -> None:
        assert opened.source is not None
        assert opened.models is not None
        assert self._settings is not None
        self._meter, self._arrivals = LatencyMeter(since_s=self._clock()), []
        self._open = OpenStream(
            opened.source,
            opened.models,
            self._settings,
            sending=self.sending,
            on_frame=self._frame_ready.emit,
            on_end=lambda: self._ended.emit(opened.number),
        )
        self._open.start()
        self._set_phase(Phase.RECONNECTING if self._lost else Phase.LIVE)
        if self._target is not None and self._target.mode is not None:
            for note in opened.source.info.notes:  # says if the camera uses another mode
                self.message_posted.emit(note)

    def _change_networks(self, opened: OpenResult) -> None:
        models, settings = opened.models, opened.retrack
        if self._open is not None and models is not None and settings is not None:
            self._split_recording(lambda stream: stream.use(models, settings))
            self.changed.emit()

    def _fail(self, fault: UserText) -> None:
        self.message_posted.emit(fault)
        if self._phase is not Phase.OPENING:  # other networks could not be opened
            return
        if self._open is None:
            self.close()
        else:
            self._set_phase(Phase.STOPPED)

    def _on_frame(self) -> None:
        if self._open is None or (frame := self._open.pictures.take(0)) is None:
            return
        self.frame = frame
        self.frame_changed.emit()
        self.results_changed.emit()

    def _on_status(self, number: int, status: LiveStatus) -> None:
        if number == self._number and status is not LiveStatus.CLOSED:
            self._lost = status is LiveStatus.LOST
            if self.running:
                self._set_phase(Phase.RECONNECTING if self._lost else Phase.LIVE)

    def _on_ended(self, number: int) -> None:
        """Handle a stream that ended, or stopped because of a fault."""
        if self._open is None or number != self._number or not self.running:
            return
        faults = self._open.report.faults
        self._end(FLUSH_S)
        self._set_phase(Phase.STOPPED)
        self.message_posted.emit(join_texts(faults) or UserText("The stream has ended."))

    def _on_recording_ended(self, report: RecorderReport) -> None:
        if self._recording is not None and not self._recording.recorder.report.running:
            self._recording = None  # it ended by itself
            self.changed.emit()
        self.recorded.emit(report)

    def _set_phase(self, phase: Phase) -> None:
        self._phase = phase
        self.changed.emit()
