"""A camera that tests control, and a network camera on the loopback interface."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import cv2

from support.videos.video_corpus import bars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.models.face.crop import Image


class FakeDevice:
    """The hardware. plugged: whether it responds.

    A read waits until the test calls `give`; `opened` counts the successful openings.
    """

    def __init__(self, image: Image | None = None) -> None:
        self.plugged = True
        self.opened = 0
        self.released = 0
        self.reads = 0
        self.settings: dict[int, float] = {}
        self.refused: set[int] = set()
        self._image = bars(0) if image is None else image
        self._available_reads = threading.Semaphore(0)
        self.changed = threading.Condition()

    def __call__(self, device: int | str) -> FakeCapture:
        return FakeCapture(self)

    def give(self, count: int = 1) -> None:
        """Let that many reads return."""
        self._available_reads.release(count)

    def wait_for(self, *, opened: int = 0, released: int = 0, reads: int = 0) -> bool:
        """Wait until each counter reaches its value; False after 5 s."""
        with self.changed:
            return self.changed.wait_for(
                lambda: self.opened >= opened and self.released >= released and self.reads >= reads,
                5,
            )

    def read(self) -> tuple[bool, Any]:
        """The result of a read of the capture."""
        self.note(reads=1)
        if not self._available_reads.acquire(timeout=20) or not self.plugged:
            return False, None
        return True, self._image.copy()

    def note(self, *, opened: int = 0, released: int = 0, reads: int = 0) -> None:
        """Add to the counters."""
        with self.changed:
            self.opened += opened
            self.released += released
            self.reads += reads
            self.changed.notify_all()


class FakeCapture:
    """One opening of the device."""

    def __init__(self, device: FakeDevice) -> None:
        self._device = device
        self._open = device.plugged
        device.note(opened=self._open)

    def isOpened(self) -> bool:
        return self._open

    def read(self) -> tuple[bool, Any]:
        return self._device.read()

    def get(self, prop: int, /) -> float:
        return self._device.settings.get(prop, 0.0)

    def set(self, prop: int, value: float, /) -> bool:
        if prop in self._device.refused:
            return False
        self._device.settings[prop] = value
        return True

    def release(self) -> None:
        self._device.note(released=self._open)
        self._open = False


class MjpegServer(ThreadingHTTPServer):
    """Sends `pictures` images, then waits (`stalls`) or closes; closes at once while `cut`.

    `/snapshot` sends one image for each request. part_type: Content-Type of the images of the
    stream. tells_length: whether the images have a Content-Length.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pictures = 10_000
        self.stalls = False
        self.part_type = "image/jpeg"
        self.tells_length = True
        self.cut = threading.Event()
        self.connections = 0
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/video"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The reader closed the connection, as expected."""


class _Handler(BaseHTTPRequestHandler):
    server: MjpegServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self.server.connections += 1
        if self.path == "/snapshot":
            self._send_snapshot()
            return
        if self.path != "/video":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(self.server.pictures):
            jpeg = cv2.imencode(".jpg", bars(number % 64))[1].tobytes()
            length = f"Content-Length: {len(jpeg)}\r\n" if self.server.tells_length else ""
            head = f"--frame\r\nContent-Type: {self.server.part_type}\r\n{length}\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            self.wfile.flush()
            if self.server.ended.wait(0.005) or self.server.cut.is_set():
                return
        if self.server.stalls:
            self.server.ended.wait(30)

    def _send_snapshot(self) -> None:
        jpeg = cv2.imencode(".jpg", bars(self.server.connections % 64))[1].tobytes()
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(jpeg)))
        self.end_headers()
        self.wfile.write(jpeg)


@contextmanager
def mjpeg_server() -> Iterator[MjpegServer]:
    """A running server."""
    server = MjpegServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
