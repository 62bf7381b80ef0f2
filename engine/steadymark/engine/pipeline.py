"""source → tracking → sinks, each on its own thread."""

from __future__ import annotations

import contextlib
import logging
import statistics
import time
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from steadymark.engine.channel import Channel, Closed
from steadymark.engine.errors import SteadymarkError
from steadymark.engine.latest import Latest
from steadymark.engine.types import FaceState
from steadymark.models.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.engine.ports import FrameSource, Sink, TracksFrames
    from steadymark.engine.types import Frame, TrackResult

log = logging.getLogger(__name__)

FILE_QUEUE = 4  # frames, each up to 100 MB at 8K
SINK_QUEUE = 8
TIMED = 2000  # frames whose times the median is of
STOP_S = 2.0


class PipelineState(StrEnum):
    """`finished`: the source ended; `stopped`: told to; `failed`: see the report's faults."""

    READY = "ready"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """What has happened so far. Spans are counted over frames in which no face was tracked.

    frames: tracked so far. dropped: frames of a live source that were passed over. with_face:
    frames with at least one face. median_ms: of the tracking of one frame, over the
    last 2000. faults: a sentence for
    each thing that went wrong; problems: what the source passed over.
    """

    state: PipelineState = PipelineState.READY
    frames: int = 0
    dropped: int = 0
    with_face: int = 0
    lost_spans: int = 0
    median_ms: float = 0.0
    last_pts_s: float = 0.0
    faults: tuple[Sentence, ...] = ()
    problems: tuple[Sentence, ...] = ()


class Pipeline:
    """Runs once. Live sources: the newest frame wins; files: every frame exactly once, in order."""

    def __init__(
        self,
        source: FrameSource,
        tracker: TracksFrames,
        sinks: Sequence[Sink] = (),
        *,
        on_result: Callable[[TrackResult], None] = lambda _: None,
    ) -> None:
        self._source, self._tracker, self._on_result = source, tracker, on_result
        self._newest: Latest[Frame] | None = Latest() if source.info.live else None
        self._frames: Channel[Frame] = Channel(FILE_QUEUE)
        self._outlets = [_Outlet(sink, self._fault) for sink in sinks]
        self._lock, self._done, self._stopping = Lock(), Event(), Event()
        self._report = PipelineReport()
        self._times_ms: deque[float] = deque(maxlen=TIMED)
        self._was_lost = False
        self._threads = [
            Thread(target=self._read, name="source", daemon=True),
            Thread(target=self._track, name="tracking", daemon=True),
        ]

    @property
    def report(self) -> PipelineReport:
        """A snapshot."""
        with self._lock:
            report = self._report
            times = list(self._times_ms)
        return replace(
            report,
            dropped=self._source.dropped + (self._newest.dropped if self._newest else 0),
            median_ms=statistics.median(times) if times else 0.0,
            problems=self._source.problems,
        )

    @property
    def waiting(self) -> tuple[int, ...]:
        """What lies in each hand-over now: frames for the tracker, then results for each sink."""
        frames = self._frames if self._newest is None else self._newest
        return (frames.waiting, *(outlet.waiting for outlet in self._outlets))

    def start(self) -> None:
        """Open the sinks, then begin.

        Raises:
            SinkError: an output cannot be made; nothing runs then.
        """
        try:
            for outlet in self._outlets:
                outlet.sink.open(self._source.info)
        except SteadymarkError:
            for outlet in self._outlets:
                outlet.sink.close(complete=False)
            self._source.close()
            raise
        self._update(state=PipelineState.RUNNING)
        for thread in (*(outlet.thread for outlet in self._outlets), *self._threads):
            thread.start()

    def stop(self) -> PipelineReport:
        """End early: what is tracked is written and marked partial. Returns within 2 s."""
        self._stopping.set()
        self._source.close()
        self._frames.close()
        if self._newest is not None:
            self._newest.close()
        self.wait(STOP_S)
        return self.report

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until everything is written; False when the time ran out."""
        return self._done.wait(timeout_s)

    def _read(self) -> None:
        try:
            for frame in self._source.frames():
                if self._newest is None:
                    self._frames.put(frame)
                else:
                    self._newest.put(frame)
        except Closed:
            pass
        except SteadymarkError as error:
            self._fault(error.sentence)
        except Exception as error:
            log.exception("source %s", self._source.info.name)
            name = self._source.info.name
            self._fault(Sentence("reading {name} failed: {error}", name=name, error=error))
        finally:
            self._frames.end()
            if self._newest is not None:
                self._newest.close()

    def _next(self) -> Frame:
        """Raises Closed when no frame will come any more."""
        if self._newest is None:
            return self._frames.take()
        frame = self._newest.take()
        if frame is None:
            raise Closed
        return frame

    def _track(self) -> None:
        try:
            while not self._stopping.is_set():
                self._one(self._next())
        except Closed:
            pass
        except SteadymarkError as error:
            self._fault(error.sentence)
        except Exception as error:
            log.exception("tracking")
            self._fault(
                Sentence(
                    "tracking stopped after {count} frames: {error}",
                    count=self.report.frames,
                    error=error,
                )
            )
        finally:
            self._finish()

    def _one(self, frame: Frame) -> None:
        started = time.perf_counter()
        try:
            result = self._tracker.track(frame)
        except SteadymarkError:
            raise
        except Exception as error:
            log.exception("frame %d", frame.index)
            raise SteadymarkError(
                "frame {index} at {pts_s:.3f} s could not be tracked ({kind}: {error}); what "
                "came before it is kept",
                index=frame.index,
                pts_s=frame.pts_s,
                kind=type(error).__name__,
                error=error,
            ) from error
        self._count(result, (time.perf_counter() - started) * 1e3)
        for outlet in self._outlets:
            outlet.put(result)
        if self._outlets and all(outlet.failed for outlet in self._outlets):
            raise SteadymarkError("tracking stopped: no output can be written any more")
        self._on_result(result)

    def _count(self, result: TrackResult, spent_ms: float) -> None:
        seen = any(face.state is not FaceState.LOST for face in result.faces)
        with self._lock:
            self._times_ms.append(spent_ms)
            report = self._report
            self._report = replace(
                report,
                frames=report.frames + 1,
                with_face=report.with_face + seen,
                lost_spans=report.lost_spans + (not seen and not self._was_lost),
                last_pts_s=result.frame.pts_s,
            )
        self._was_lost = not seen

    def _finish(self) -> None:
        """Runs at the end of the tracking thread, whatever ended it; `wait` returns after it."""
        stopping = self._stopping.is_set()
        try:
            self._frames.close()
            self._source.close()
            complete = not self.report.faults and (self._source.info.live or not stopping)
            for outlet in self._outlets:
                outlet.finish(complete=complete)
            for outlet in self._outlets:
                outlet.thread.join(STOP_S - 0.5 if stopping else None)
                if outlet.thread.is_alive():
                    self._fault(
                        Sentence("{path} could not be written out in time", path=outlet.sink.path)
                    )
        except Exception as error:
            log.exception("finishing")
            name = self._source.info.name
            self._fault(
                Sentence("ending the tracking of {name} failed: {error}", name=name, error=error)
            )
        finally:
            state = PipelineState.STOPPED if stopping else PipelineState.FINISHED
            self._update(state=PipelineState.FAILED if self.report.faults else state)
            self._done.set()

    def _fault(self, text: Sentence) -> None:
        with self._lock:
            if text not in self._report.faults:
                self._report = replace(self._report, faults=(*self._report.faults, text))

    def _update(self, *, state: PipelineState) -> None:
        with self._lock:
            self._report = replace(self._report, state=state)


class _Outlet:
    """A sink with its queue and thread; one that fails is closed as partial and takes no more."""

    def __init__(self, sink: Sink, fault: Callable[[Sentence], None]) -> None:
        self.sink, self._fault = sink, fault
        self._queue: Channel[TrackResult] = Channel(SINK_QUEUE)
        self._complete = False
        self.failed = False
        self.thread = Thread(target=self._run, name=f"sink {sink.path}", daemon=True)

    @property
    def waiting(self) -> int:
        return self._queue.waiting

    def put(self, result: TrackResult) -> None:
        """Waits while the sink's queue is full: nothing is lost."""
        if not self.failed:
            with contextlib.suppress(Closed):
                self._queue.put(result)

    def finish(self, *, complete: bool) -> None:
        """Write what is queued, then close."""
        self._complete = complete
        self._queue.end()

    def _run(self) -> None:
        try:
            while True:
                self.sink.write(self._queue.take())
        except Closed:
            self._close(complete=self._complete)
        except SteadymarkError as error:
            self._fail(error.sentence)
        except Exception as error:
            log.exception("sink %s", self.sink.path)
            self._fail(Sentence("writing {path} failed: {error}", path=self.sink.path, error=error))

    def _fail(self, text: Sentence) -> None:
        self.failed = True
        self._fault(text)
        self._queue.close()
        self._close(complete=False)

    def _close(self, *, complete: bool) -> None:
        try:
            self.sink.close(complete=complete)
        except SteadymarkError as error:
            self.failed = True
            self._fault(error.sentence)
        except Exception as error:
            log.exception("sink %s", self.sink.path)
            self.failed = True
            self._fault(
                Sentence("closing {path} failed: {error}", path=self.sink.path, error=error)
            )
