"""The pipeline from source through tracker to sinks; each stage runs on its own thread.

Tracking has two stages: `FrameTracker.follow`, on which the next frame depends, and `finish`.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.pipeline.bounded_queue import BoundedQueue, QueueClosed
from steadymark.engine.pipeline.latest_value import LatestValue
from steadymark.engine.pipeline.pipeline_report import PipelineState, Stats
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from steadymark.engine.core.protocols import FrameSource, FrameTracker, Sink
    from steadymark.engine.core.types import Frame, TrackResult
    from steadymark.engine.pipeline.pipeline_report import PipelineReport

T = TypeVar("T")
R = TypeVar("R")
log = logging.getLogger(__name__)

FILE_QUEUE = 4  # frames, each up to 100 MB at 8K
FOLLOWED_QUEUE = 2  # followed frames
SINK_QUEUE = 8
STOP_S = 2.0
_LAST_FRAME_S = 2.0  # time that reading and tracking may take for the frame that they are at


class Pipeline:
    """Tracks one source from its start to its end; a pipeline runs once.

    For live sources, a newer frame replaces an older one that was not tracked yet. For files, every
    frame is tracked exactly once, in order.
    """

    def __init__(
        self,
        source: FrameSource,
        tracker: FrameTracker[Any],
        sinks: Sequence[Sink] = (),
        *,
        on_result: Callable[[TrackResult], None] = lambda _: None,
    ) -> None:
        self._source, self._tracker, self._on_result = source, tracker, on_result
        self._newest: LatestValue[Frame] | None = LatestValue() if source.info.live else None
        self._frames: BoundedQueue[Frame] = BoundedQueue(FILE_QUEUE)
        self._followed: BoundedQueue[_Followed] = BoundedQueue(FOLLOWED_QUEUE)
        self._stats = Stats()
        self._sink_threads = [_SinkThread(sink, self._stats) for sink in sinks]
        self._done, self._stopping = Event(), Event()
        self._threads = [
            Thread(target=self._read, name="source", daemon=True),
            Thread(target=self._follow, name="tracking", daemon=True),
            Thread(target=self._finish, name="results", daemon=True),
        ]

    @property
    def report(self) -> PipelineReport:
        """A snapshot of the progress and the errors."""
        return replace(
            self._stats.report,
            dropped=self._source.dropped + (self._newest.dropped if self._newest else 0),
            problems=self._source.problems,
        )

    @property
    def waiting(self) -> tuple[int, ...]:
        """Number of items in each queue: frames, followed frames, then results for each sink."""
        frames = self._frames if self._newest is None else self._newest
        sinks = (sink_thread.waiting for sink_thread in self._sink_threads)
        return (frames.waiting, self._followed.waiting, *sinks)

    def start(self) -> None:
        """Open the sinks and start the threads.

        Raises:
            SinkError: An output cannot be created; no thread is started then.
        """
        try:
            for sink_thread in self._sink_threads:
                sink_thread.sink.open(self._source.info)
        except SteadymarkError:
            for sink_thread in self._sink_threads:
                sink_thread.sink.close(complete=False)
            self._source.close()
            raise
        self._stats.set_state(PipelineState.RUNNING)
        for thread in (*(sink_thread.thread for sink_thread in self._sink_threads), *self._threads):
            thread.start()

    def stop(self) -> PipelineReport:
        """Stop early; results so far are written and marked as partial. It returns within 2 s."""
        self._stopping.set()
        self._source.close()
        self._frames.close()
        if self._newest is not None:
            self._newest.close()
        self.wait(STOP_S)
        return self.report

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all results are written.

        Args:
            timeout_s: The longest wait in seconds; None waits without limit.

        Returns:
            False if the time ran out.
        """
        return self._done.wait(timeout_s)

    def _read(self) -> None:
        try:
            for frame in self._source.frames():
                if self._newest is None:
                    self._frames.put(frame)
                else:
                    self._newest.put(frame)
        except QueueClosed:
            pass
        except SteadymarkError as error:
            self._stats.fault(error.sentence)
        except Exception as error:
            log.exception("source %s", self._source.info.name)
            name = self._source.info.name
            self._stats.fault(UserText("reading {name} failed: {error}", name=name, error=error))
        finally:
            self._frames.end()
            if self._newest is not None:
                self._newest.close()

    def _next(self) -> Frame:
        """Return the next frame; raise `QueueClosed` when no more frames will come."""
        if self._newest is None:
            return self._frames.take()
        frame = self._newest.take()
        if frame is None:
            raise QueueClosed
        return frame

    def _follow(self) -> None:
        with self._reported_errors():
            while not self._stopping.is_set():
                frame = self._next()
                followed, spent_ms = self._timed(self._tracker.follow, frame, frame)
                self._followed.put(_Followed(frame, followed, spent_ms))
        self._followed.end()

    def _finish(self) -> None:
        with self._reported_errors():
            while True:
                frame, followed, spent_ms = self._followed.take()
                result, rest_ms = self._timed(self._tracker.finish, followed, frame)
                self._stats.count(result, spent_ms + rest_ms)
                self._hand_on(result)
        self._followed.close()  # the other thread may wait to put a frame into it
        self._end()

    @contextlib.contextmanager
    def _reported_errors(self) -> Iterator[None]:
        """Catch the errors of a tracking thread and put them into the report."""
        try:
            yield
        except QueueClosed:
            pass
        except SteadymarkError as error:
            self._stats.fault(error.sentence)
        except Exception as error:
            log.exception("tracking")
            self._stats.fault(
                UserText.counted(
                    "tracking stopped after 1 frame: {error}",
                    "tracking stopped after {count} frames: {error}",
                    count=self.report.frames,
                    error=error,
                )
            )

    def _timed(self, step: Callable[[T], R], argument: T, frame: Frame) -> tuple[R, float]:
        """Return what a step of the tracker returns for a frame, and the milliseconds it took."""
        started = time.perf_counter()
        try:
            value = step(argument)
        except SteadymarkError:
            raise
        except Exception as error:
            log.exception("frame %d", frame.index)
            raise SteadymarkError(
                "frame {index} at {pts_s:.3f} s could not be tracked ({kind}: "
                "{error}); earlier results are kept",
                index=frame.index,
                pts_s=frame.pts_s,
                kind=type(error).__name__,
                error=error,
            ) from error
        return value, (time.perf_counter() - started) * 1e3

    def _hand_on(self, result: TrackResult) -> None:
        for sink_thread in self._sink_threads:
            sink_thread.put(result)
        if self._sink_threads and all(sink_thread.failed for sink_thread in self._sink_threads):
            raise SteadymarkError("tracking stopped: no output can be written any more")
        self._on_result(result)

    def _end(self) -> None:
        """Close the source and the sinks after the last result; then `wait` returns."""
        stopping = self._stopping.is_set()
        try:
            self._frames.close()
            self._source.close()
            complete = not self.report.faults and (self._source.info.live or not stopping)
            for sink_thread in self._sink_threads:
                sink_thread.finish(complete=complete)
            for sink_thread in self._sink_threads:
                sink_thread.thread.join(STOP_S - 0.5 if stopping else None)
                if sink_thread.thread.is_alive():
                    self._stats.fault(
                        UserText(
                            "{path} could not be completed in time", path=sink_thread.sink.path
                        )
                    )
        except Exception as error:
            log.exception("finishing")
            name = self._source.info.name
            self._stats.fault(
                UserText("ending the tracking of {name} failed: {error}", name=name, error=error)
            )
        finally:
            # A thread that is still inside a network or a decoder would abort the program if it
            # ended now; both end after the frame that they are at.
            for thread in self._threads[:2]:
                thread.join(_LAST_FRAME_S / 10 if stopping else _LAST_FRAME_S)
            state = PipelineState.STOPPED if stopping else PipelineState.FINISHED
            self._stats.set_state(PipelineState.FAILED if self._stats.report.faults else state)
            self._done.set()


class _Followed(NamedTuple):
    """A frame, what `FrameTracker.follow` returned for it, and the milliseconds it took."""

    frame: Frame
    followed: Any
    spent_ms: float


class _SinkThread:
    """A sink with its queue and thread.

    A sink that fails is closed as partial and receives no more results.
    """

    def __init__(self, sink: Sink, stats: Stats) -> None:
        self.sink, self._stats = sink, stats
        self._queue: BoundedQueue[TrackResult] = BoundedQueue(SINK_QUEUE)
        self._complete = False
        self.failed = False
        self.thread = Thread(target=self._run, name=f"sink {sink.path}", daemon=True)

    @property
    def waiting(self) -> int:
        return self._queue.waiting

    def put(self, result: TrackResult) -> None:
        """Queue a result; wait while the queue is full, so that no result is lost."""
        if not self.failed:
            with contextlib.suppress(QueueClosed):
                self._queue.put(result)

    def finish(self, *, complete: bool) -> None:
        """Let the thread write the queued results and then close the sink."""
        self._complete = complete
        self._queue.end()

    def _run(self) -> None:
        try:
            while True:
                self.sink.write(self._queue.take())
        except QueueClosed:
            self._close(complete=self._complete)
        except SteadymarkError as error:
            self._fail(error.sentence)
        except Exception as error:
            log.exception("sink %s", self.sink.path)
            self._fail(UserText("writing {path} failed: {error}", path=self.sink.path, error=error))

    def _fail(self, text: UserText) -> None:
        self.failed = True
        self._stats.fault(text)
        self._queue.close()
        self._close(complete=False)

    def _close(self, *, complete: bool) -> None:
        try:
            self.sink.close(complete=complete)
        except SteadymarkError as error:
            self.failed = True
            self._stats.fault(error.sentence)
        except Exception as error:
            log.exception("sink %s", self.sink.path)
            self.failed = True
            self._stats.fault(
                UserText("closing {path} failed: {error}", path=self.sink.path, error=error)
            )
