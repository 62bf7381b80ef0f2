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
        start_clock_s: The clock time at which playing began.
        start_time_s: The time in the recording at which playing began.
        speed: The factor of the speed.
        loop: The first and last frame of a loop.
    """

    start_clock_s: float
    start_time_s: float
    speed: float
    loop: tuple[int, int] | None = None

    def due_s(self, pts_s: float) -> float:
        """Return the clock time at which a frame is due."""
        return self.start_clock_s + (pts_s - self.start_time_s) / self.speed

    def time_at(self, now_s: float) -> float:
        """Return the time in the recording that is due at the clock time `now_s`."""
        return self.start_time_s + (now_s - self.start_clock_s) * self.speed


def next_frame(times_s: NDArray[np.float64], shown: int, playback: Playback, now_s: float) -> int:
    """Return the frame to show after `shown`: the frame that is due now, or else the next one.

    Frame times may repeat. After the last frame, the last frame is returned.
    """
    due = int(np.searchsorted(times_s, playback.time_at(now_s) + 1e-9, "right")) - 1
    return min(max(due, shown + 1), len(times_s) - 1)


class Player:
    """The player of one recording. It decodes on a thread of its own until `close`.

    The callbacks are called from this thread and must return immediately.

    Args:
        media: The recording.
        on_frame: Receives each frame.
        on_end: Is called when playing has reached the end.
        on_fault: Receives a sentence when a requested frame cannot be shown.
        limit: Returns the last frame that may be played, given the frame that is shown.
            `limit_changed` reports that it may have grown.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        media: Media,
        *,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[], None] = lambda: None,
        on_fault: Callable[[UserText], None] = lambda _: None,
        limit: Callable[[int], int] = lambda _: 2**31,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._media, self._times = media, media.times_s
        self._on_frame, self._on_end, self._on_fault = on_frame, on_end, on_fault
        self._limit, self._clock = limit, clock
        self._changed = Condition()
        self._requested_frame: int | None = None
        self._playback: Playback | None = None
        self._shown = -1
        self._due_s: float | None = None
        self._closing = False
        self._thread = Thread(target=self._run_thread, name="player", daemon=True)

    def start(self) -> None:
        """Start the thread that decodes frames."""
        self._thread.start()

    def show(self, index: int) -> None:
        """Show this frame. The newest of several calls counts, and playing continues from there."""
        with self._changed:
            self._requested_frame = index
            self._changed.notify_all()

    def play(self, speed: float, loop: tuple[int, int] | None = None) -> None:
        """Play from the displayed frame. Call this again to change the speed or the loop."""
        with self._changed:
            self._playback = self._playback_from_here(speed, loop)
            self._changed.notify_all()

    def pause(self) -> None:
        """Stop playing. The displayed frame stays."""
        with self._changed:
            self._playback = None
            self._changed.notify_all()

    def limit_changed(self) -> None:
        """Report that the limit may have grown."""
        with self._changed:
            if self._playback is not None:
                self._changed.notify_all()

    def close(self) -> None:
        """Ask the thread to end. `join` waits for it."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread after `close`. Returns whether it ended in time."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _playback_from_here(self, speed: float, loop: tuple[int, int] | None) -> Playback:
        """Return a playback that starts now at the displayed or requested frame."""
        base = self._shown if self._requested_frame is None else self._requested_frame
        return Playback(self._clock(), float(self._times[max(0, base)]), speed, loop)

    def _run_thread(self) -> None:
        while True:
            with self._changed:
                index = self._next_frame()
                while index is None and not self._closing:
                    self._changed.wait(self._wait_s())
                    index = self._next_frame()
                if self._closing or index is None:
                    return
                requested, self._requested_frame = self._requested_frame is not None, None
            self._show(index, requested=requested)

    def _next_frame(self) -> int | None:
        """Return the frame to show now; None if nothing happens until `_due_s` or until a call."""
        self._due_s = None
        if self._requested_frame is not None:
            return self._requested_frame
        playback = self._playback
        if playback is None or self._shown < 0:
            return None
        first, last = playback.loop or (0, len(self._times) - 1)
        if self._shown >= last or self._shown < first:
            return self._on_last_frame(playback, first)
        now = self._clock()
        allowed = min(self._limit(self._shown), last)
        if allowed <= self._shown:  # this frame is not tracked yet: the clock waits for tracking
            self._playback = self._playback_from_here(playback.speed, playback.loop)
            return None
        due_s = playback.due_s(float(self._times[self._shown + 1]))
        if now < due_s:
            self._due_s = due_s
            return None
        index = min(next_frame(self._times, self._shown, playback, now), allowed)
        if now - playback.due_s(float(self._times[index])) > LATE_S:
            self._playback = Playback(now, float(self._times[index]), playback.speed, playback.loop)
        return index

    def _on_last_frame(self, playback: Playback, first: int) -> int | None:
        if playback.loop is not None:
            self._playback = Playback(
                self._clock(), float(self._times[first]), playback.speed, playback.loop
            )
            return first
        self._playback = None
        self._on_end()
        return None

    def _wait_s(self) -> float | None:
        """Return the time until the next frame is due; None means to wait for a call."""
        return None if self._due_s is None else max(0.0, self._due_s - self._clock())

    def _show(self, index: int, *, requested: bool) -> None:
        try:
            frame = self._media.frame_at(index)
        except SteadymarkError as error:
            if requested:
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
            if requested and self._playback is not None:
                self._playback = Playback(
                    self._clock(),
                    float(self._times[index]),
                    self._playback.speed,
                    self._playback.loop,
                )
