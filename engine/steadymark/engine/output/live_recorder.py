"""Recording of live results, without delaying the thread that delivers them."""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError, SteadymarkError
from steadymark.engine.pipeline.bounded_queue import BoundedQueue, QueueClosed
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import SourceInfo, TrackResult

log = logging.getLogger(__name__)

QUEUE_BYTES = 128 << 20
LEAST_QUEUE, MOST_QUEUE = 4, 60
LEAST_FREE = 200 << 20
CHECK_SPACE_EVERY = 30  # frames between two checks of the disk's free space
TICKS = 90_000  # per second, of the video


@dataclass(frozen=True, slots=True)
class RecorderReport:
    """A snapshot of a recording.

    Attributes:
        running: Whether the recording is running.
        frames: Number of frames written.
        dropped: Number of frames that could not be written in time.
        duration_s: Time of the last written frame in seconds.
        paths: Paths of the outputs.
        fault: A sentence for the user if the recording failed. What was written before is kept.
    """

    running: bool = True
    frames: int = 0
    dropped: int = 0
    duration_s: float = 0.0
    paths: tuple[str, ...] = ()
    fault: UserText = NOTHING


class Recorder:
    """Writes live results to sinks on a thread of its own; a recorder runs once.

    Every sink receives the same frames, with indices and times that start at 0. Times are multiples
    of 1/90000 s, so that they are equal in the table and the video. A result that does not fit into
    the queue is dropped for all sinks and counted.

    Args:
        sinks: The sinks.
        info: The source.
        on_end: Called from the recorder's thread after all sinks are closed.
        capacity: Length of the queue; None derives it from the size of the frames.
        free: Returns the number of free bytes of the disk that holds a folder.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        info: SourceInfo,
        *,
        on_end: Callable[[RecorderReport], None] = lambda _: None,
        capacity: int | None = None,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._sinks, self._info, self._on_end, self._free = tuple(sinks), info, on_end, free
        room = QUEUE_BYTES // max(1, info.width * info.height * 3)
        self._queue: BoundedQueue[TrackResult] = BoundedQueue(
            capacity or min(max(room, LEAST_QUEUE), MOST_QUEUE)
        )
        self._lock = Lock()
        self._report = RecorderReport(paths=tuple(sink.path for sink in self._sinks))
        self._first_s: float | None = None
        self._size = (0, 0)
        self._last_tick = -1
        self._sinks_agree = True  # True between two frames, when all sinks hold the same frames
        self._deadline_s: float | None = None
        self._thread = Thread(target=self._run, name="recording", daemon=True)

    @property
    def report(self) -> RecorderReport:
        """A snapshot of the recording."""
        with self._lock:
            return self._report

    def start(self) -> None:
        """Start the thread. It opens the sinks; errors are returned in the report."""
        self._thread.start()

    def offer(self, result: TrackResult) -> None:
        """Queue a result without waiting; call it from one thread only."""
        if not self._queue.offer(result):
            with self._lock:
                if self._report.running:
                    self._report = replace(self._report, dropped=self._report.dropped + 1)

    def finish(self, *, within_s: float) -> None:
        """End the recording without waiting for the end; `join` waits.

        The recorder's thread writes queued results, drops those that it reaches too late, and then
        closes the sinks.

        Args:
            within_s: Time in seconds after which queued results are dropped.
        """
        self._deadline_s = time.monotonic() + within_s
        self._queue.end()

    def join(self, timeout_s: float) -> bool:
        """Wait at most `timeout_s` seconds, and return whether all sinks are closed."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        opened: list[Sink] = []
        fault = NOTHING
        try:
            for sink in self._sinks:
                sink.open(self._info)
                opened.append(sink)
            self._write_all()
        except SteadymarkError as error:
            fault = error.sentence
        except Exception as error:
            log.exception("recording")
            fault = UserText(
                "the recording ended ({kind}: {error})", kind=type(error).__name__, error=error
            )
        self._queue.close()
        for sink in opened:
            fault = _closed(sink, complete=self._sinks_agree) or fault
        with self._lock:
            paths = tuple(sink.path for sink in self._sinks)
            self._report = replace(self._report, running=False, paths=paths, fault=fault)
            report = self._report
        self._on_end(report)

    def _write_all(self) -> None:
        while True:
            try:
                result = self._queue.take()
            except QueueClosed:
                return
            if self._deadline_s is not None and time.monotonic() > self._deadline_s:
                with self._lock:
                    self._report = replace(self._report, dropped=self._report.dropped + 1)
                continue
            self._write(result)

    def _write(self, result: TrackResult) -> None:
        index = self.report.frames
        if index % CHECK_SPACE_EVERY == 0:
            self._check_free_space()
        size = (result.frame_with_image.width, result.frame_with_image.height)
        if self._first_s is None:
            self._first_s, self._size = result.frame.pts_s, size
        if size != self._size:
            raise SinkError(
                "the recording ended because the frames are now {width}x{height} "
                "instead of {width_before}x{height_before}: record again",
                width=size[0],
                height=size[1],
                width_before=self._size[0],
                height_before=self._size[1],
            )
        tick = max(round((result.frame.pts_s - self._first_s) * TICKS), self._last_tick + 1)
        self._last_tick = tick
        frame = replace(result.frame, index=index, pts_s=tick / TICKS)
        numbered = replace(result, frame=frame)
        self._sinks_agree = False
        for sink in self._sinks:
            sink.write(numbered)
        self._sinks_agree = True
        with self._lock:
            self._report = replace(self._report, frames=index + 1, duration_s=frame.pts_s)

    def _check_free_space(self) -> None:
        for folder in {Path(sink.path).parent for sink in self._sinks}:
            try:
                free_bytes = self._free(folder)
            except OSError:
                continue  # an error will show when the file is written
            if free_bytes < LEAST_FREE:
                raise SinkError(
                    "the recording ended because less than {least_mb} MB are left in "
                    "{folder}: free some space and record again",
                    least_mb=LEAST_FREE >> 20,
                    folder=folder,
                )


def _closed(sink: Sink, *, complete: bool) -> UserText:
    """Close a sink, and return the error, or `NOTHING`."""
    try:
        sink.close(complete=complete)
    except SteadymarkError as error:
        return error.sentence
    except Exception as error:
        log.exception("closing %s", sink.path)
        return UserText("closing {path} failed: {error}", path=sink.path, error=error)
    return NOTHING
