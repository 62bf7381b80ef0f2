"""Common part of cameras and network streams: reading thread, loss of images and reconnection."""

from __future__ import annotations

import logging
import threading
import time
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from steadymark.engine.core.errors import SourceError
from steadymark.engine.core.types import Frame
from steadymark.engine.pipeline.latest_value import LatestValue
from steadymark.engine.sources.damage_report import DamageReport, clock
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.models.face.crop import Image

_log = logging.getLogger(__name__)
_JOIN_S = 0.3


class LiveStatus(StrEnum):
    """Whether images arrive."""

    RUNNING = "running"
    LOST = "lost"
    CLOSED = "closed"


class FeedEnded(Exception):  # noqa: N818 - an event, not a fault
    """The feed came to its regular end, as a video that is sent over a network does."""


class Feed(Protocol):
    """An open device, used by one thread at a time.

    `read` blocks until the next image arrives and returns None when the device is gone. It raises
    FeedEnded at a regular end.
    """

    def read(self) -> Image | None: ...
    def close(self) -> None: ...


class OpenAttempt:
    """An attempt to open a live source; another thread may cancel it, and it then fails at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._callbacks: list[Callable[[], object]] = []

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Call `callback` when the attempt is cancelled, or now if it is cancelled already."""
        with self._lock:
            if not self._cancelled:
                self._callbacks.append(callback)
                return
        callback()


class _TimedImage(NamedTuple):
    image: Image
    captured_s: float  # In time.perf_counter() seconds.


class LiveSource:
    """A FrameSource of a feed, which is reconnected whenever it breaks.

    Only the newest image is kept. Frame indices count the delivered images. `pts_s` is the
    monotonic time since the first image, in seconds; it continues through a loss. The source owns
    the connected feed that it is given.

    Args:
        feed: The connected feed.
        connect: Connects again.
        silence_s: The device counts as lost after so many seconds without an image.
        first_s: How long to wait for the first image, in seconds.
        retry_s: Times between attempts to reconnect, in seconds; the last one repeats.
        on_status: Called when images stop and come again.
        opening: Allows another thread to cancel opening.
    """

    def __init__(
        self,
        feed: Feed,
        connect: Callable[[], Feed],
        *,
        silence_s: float,
        first_s: float,
        retry_s: tuple[float, ...] = (1.0,),
        on_status: Callable[[LiveStatus], None] | None = None,
        opening: OpenAttempt | None = None,
    ) -> None:
        self._connect = connect
        self._silence_s = silence_s
        self._retry_s = retry_s
        self._on_status = on_status
        self._damage = DamageReport()
        self._closed = threading.Event()
        self._images: LatestValue[_TimedImage] = LatestValue()
        if opening is not None:
            opening.on_cancel(self._images.close)
        self._status = LiveStatus.RUNNING
        self._status_lock = threading.Lock()
        self._delivered = 0
        self._start_s = time.perf_counter()
        self._reader = _Reader(self, feed)
        self._first = self._images.take(first_s)
        if self._first is None:
            self.close()

    @property
    def first_image(self) -> Image | None:
        """The image that proved that the device works; None if none came."""
        return None if self._first is None else self._first.image

    @property
    def problems(self) -> tuple[UserText, ...]:
        """Sentences that say when the device was lost and when it came back."""
        return self._damage.sentences()

    @property
    def dropped(self) -> int:
        """Number of images that were replaced by newer ones before they were taken."""
        return self._images.dropped

    @property
    def status(self) -> LiveStatus:
        """Whether images arrive at the moment; any thread may ask."""
        with self._status_lock:
            return self._status

    def frames(self) -> Iterator[Frame]:
        """Yield the newest image each time until `close`; block while the device is lost."""
        if self._first is not None and not self._closed.is_set():
            first, self._first = self._images.take(0) or self._first, None
            self._start_s = first.captured_s
            yield self._frame(first)
        while not self._closed.is_set():
            timed_image = self._images.take(self._silence_s)
            if self._closed.is_set():
                return
            if timed_image is not None:
                yield self._frame(timed_image)
            elif self._images.closed:
                return
            else:
                self._set_status(LiveStatus.LOST)
                self._reader = self._reader.replacement_if_stuck()

    def close(self) -> None:
        """End `frames` at once, and wait a moment for the device to be released."""
        self._closed.set()
        self._images.close()
        self._set_status(LiveStatus.CLOSED)
        self._reader.join(_JOIN_S)

    def join(self, timeout_s: float) -> bool:
        """Wait for the reading thread after `close`; return whether it has ended in time."""
        return self._reader.join(timeout_s)

    def _frame(self, timed_image: _TimedImage) -> Frame:
        index, self._delivered = self._delivered, self._delivered + 1
        return Frame(
            timed_image.image,
            index,
            max(0.0, timed_image.captured_s - self._start_s),
            timed_image.captured_s,
        )

    def _set_status(self, status: LiveStatus) -> None:
        with self._status_lock:
            if self._status in (status, LiveStatus.CLOSED):
                return
            self._status = status
        if status is not LiveStatus.CLOSED:
            now = clock(max(0.0, time.perf_counter() - self._start_s))
            self._damage.add_sentence(
                UserText("the camera delivered no more frames at {time}", time=now)
                if status is LiveStatus.LOST
                else UserText("the camera delivers frames again at {time}", time=now)
            )
        if self._on_status is not None:
            self._on_status(status)


class _Reader:
    """The reading thread; if a read hangs, the thread cannot be stopped and is abandoned."""

    def __init__(self, source: LiveSource, feed: Feed | None) -> None:
        self._source = source
        self._abandoned = threading.Event()
        self._reading = feed is not None
        self._thread = threading.Thread(target=self._run, args=(feed,), name="feed", daemon=True)
        self._thread.start()

    def replacement_if_stuck(self) -> _Reader:
        """Return a new reader if this one hangs in a read; else this one, which retries."""
        if not self._reading:
            return self
        self._abandoned.set()
        return _Reader(self._source, None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread, unless it is the current one; return whether it has ended."""
        if self._thread is threading.current_thread():
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self, feed: Feed | None) -> None:
        tries = 0
        while self._is_needed():
            if feed is None:
                waits = self._source._retry_s
                if self._source._closed.wait(waits[min(tries, len(waits) - 1)]):
                    break
                tries += 1
                feed = self._connected()
            if feed is not None and self._read_all(feed):
                tries = 0
            feed = None

    def _connected(self) -> Feed | None:
        try:
            return self._source._connect()
        except SourceError as error:
            _log.info("still lost: %s", error)
        except Exception:  # noqa: BLE001 - a thread's edge
            _log.exception("the device cannot be connected; trying again")
        return None

    def _read_all(self, feed: Feed) -> bool:
        """Pass on images until the feed breaks; return whether there were any."""
        any_read = False
        try:
            self._reading = True
            while self._is_needed():
                image = feed.read()
                if image is None or self._abandoned.is_set():
                    break
                if not any_read:
                    self._source._set_status(LiveStatus.RUNNING)
                any_read = True
                self._source._images.put(_TimedImage(image, time.perf_counter()))
        except FeedEnded:
            self._source._images.close()
            self._abandoned.set()
        except Exception:  # noqa: BLE001 - a thread's edge
            _log.exception("reading failed; connecting again")
        finally:
            self._reading = False
            feed.close()
        if self._is_needed():
            self._source._set_status(LiveStatus.LOST)
        return any_read

    def _is_needed(self) -> bool:
        return not (self._abandoned.is_set() or self._source._closed.is_set())
