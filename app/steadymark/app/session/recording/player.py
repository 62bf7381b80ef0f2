"""The player of a recording: it shows a requested frame, or plays frames at their times."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from threading import Condition, Thread
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import SteadymarkError
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.recording.media import Media
    from steadymark.engine.core.types import Frame

log = logging.getLogger(__name__)

LATE_S = 0.25  # beyond this delay playing becomes slower instead of skipping more frames


@dataclass(frozen=True, slots=True)
class Playback:
    """The state of playing.

    Attributes:
        begun_s: The clock time at which playing began.
        from_s: The time in the recording at which playing began.
        speed: The factor of the speed.
        loop: The first and last frame of a loop.
    """

    begun_s: float
    from_s: float
    speed: float
    loop: tuple[int, int] | None = None

    def due_s(self, pts_s: float) -> float:
        """Return the clock time at which a frame is due."""
        return self.begun_s + (pts_s - self.from_s) / self.speed

    def at(self, now_s: float) -> float:
        """Return the time in the recording that is due at the clock time `now_s`."""
        return self.from_s + (now_s - self.begun_s) * self.speed


def next_frame(times_s: NDArray[np.float64], shown: int, run: Playback, now_s: float) -> int:
    """Return the frame to show after `shown`: the frame that is due now, or else the next one.

    Frame times may repeat. After the last frame, the last frame is returned.
    """
    due = int(np.searchsorted(times_s, run.at(now_s) + 1e-9, "right")) - 1
    return min(max(due, shown + 1), len(times_s) - 1)


class Player:
    """The player of one recording. It decodes on a thread of its own until `close`.

    The callbacks are called from this thread and must return immediately.

    Args:
        film: The recording.
        on_frame: Receives each frame.
        on_end: Is called when playing has reached the end.
        on_fault: Receives a sentence when a requested frame cannot be shown.
        limit: Returns the last frame that may be played, given the frame that is shown. `nudge`
            reports that it may have grown.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        film: Media,
        *,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[], None] = lambda: None,
        on_fault: Callable[[UserText], None] = lambda _: None,
        limit: Callable[[int], int] = lambda _: 2**31,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._film, self._times = film, film.times_s
        self._on_frame, self._on_end, self._on_fault = on_frame, on_end, on_fault
        self._limit, self._clock = limit, clock
        self._changed = Condition()
        self._wanted: int | None = None
        self._run: Playback | None = None
        self._shown = -1
        self._due_s: float | None = None
        self._closing = False
        self._thread = Thread(target=self._work, name="player", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def show(self, index: int) -> None:
        """Show this frame. The newest of several calls counts, and playing continues from there."""
        with self._changed:
            self._wanted = index
            self._changed.notify_all()

    def play(self, speed: float, loop: tuple[int, int] | None = None) -> None:
        """Play from the displayed frame. Call this again to change the speed or the loop."""
        with self._changed:
            self._run = self._anew(speed, loop)
            self._changed.notify_all()

    def pause(self) -> None:
        with self._changed:
            self._run = None
            self._changed.notify_all()

    def nudge(self) -> None:
        """Report that the limit may have grown."""
        with self._changed:
            if self._run is not None:
                self._changed.notify_all()

    def close(self) -> None:
        """Ask the thread to end. `join` waits for it."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _anew(self, speed: float, loop: tuple[int, int] | None) -> Playback:
        """Return a playback that starts now at the displayed or requested frame."""
        base = self._shown if self._wanted is None else self._wanted
        return Playback(self._clock(), float(self._times[max(0, base)]), speed, loop)

    def _work(self) -> None:
        while True:
            with self._changed:
                index = self._next()
                while index is None and not self._closing:
                    self._changed.wait(self._wait_s())
                    index = self._next()
                if self._closing or index is None:
                    return
                asked, self._wanted = self._wanted is not None, None
            self._show(index, asked=asked)

    def _next(self) -> int | None:
        """Return the frame to show now; None if nothing happens until `_due_s` or until a call."""
        self._due_s = None
        if self._wanted is not None:
            return self._wanted
        run = self._run
        if run is None or self._shown < 0:
            return None
        first, last = run.loop or (0, len(self._times) - 1)
        if self._shown >= last or self._shown < first:
            return self._at_the_end(run, first)
        now = self._clock()
        allowed = min(self._limit(self._shown), last)
        if allowed <= self._shown:  # this frame is not tracked yet: the clock waits for tracking
            self._run = self._anew(run.speed, run.loop)
            return None
        due_s = run.due_s(float(self._times[self._shown + 1]))
        if now < due_s:
            self._due_s = due_s
            return None
        index = min(next_frame(self._times, self._shown, run, now), allowed)
        if now - run.due_s(float(self._times[index])) > LATE_S:
            self._run = Playback(now, float(self._times[index]), run.speed, run.loop)
        return index

    def _at_the_end(self, run: Playback, first: int) -> int | None:
        if run.loop is not None:
            self._run = Playback(self._clock(), float(self._times[first]), run.speed, run.loop)
            return first
        self._run = None
        self._on_end()
        return None

    def _wait_s(self) -> float | None:
        """Return the time until the next frame is due; None means to wait for a call."""
        return None if self._due_s is None else max(0.0, self._due_s - self._clock())

    def _show(self, index: int, *, asked: bool) -> None:
        try:
            frame = self._film.frame_at(index)
        except SteadymarkError as error:
            if asked:
                self._on_fault(error.sentence)
        except Exception as error:
            log.exception("showing frame %d", index)
            named = f"{type(error).__name__}: {error}"
            self._on_fault(
                UserText("frame {index} cannot be shown ({fault})", index=index, fault=named)
            )
        else:
            self._on_frame(frame)
        with self._changed:
            self._shown = index
            if asked and self._run is not None:
                self._run = Playback(
                    self._clock(), float(self._times[index]), self._run.speed, self._run.loop
                )
