"""Sources of a soak test: an endlessly looped video file, and a network camera on the loopback."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steadymark.engine.core.types import Frame
    from steadymark.models.face.crop import Image
    from steadymark.models.user_text import UserText

_BITS, _BLOCK_PX = 7, 8
PICTURES = 1 << _BITS  # Images that the camera sends in turn; each carries its number.


class LoopedVideo:
    """A FrameSource that opens and decodes one file again and again until it is closed.

    Frame numbers and times increase through all rounds. Each round starts one median frame interval
    of the file after the last frame.
    """

    dropped = 0

    def __init__(self, path: str | Path) -> None:
        self._path, self._closed = Path(path), threading.Event()
        self._video = VideoFile(self._path)
        self.info = replace(self._video.info, frames=None)
        self._times_s = self._video.times_s - self._video.times_s[0]
        gap_s = float(np.median(np.diff(self._times_s))) if len(self._times_s) > 1 else 1.0
        self._round_s = float(self._times_s[-1]) + gap_s
        self._video.close()
        self.rounds = 0

    @property
    def problems(self) -> tuple[UserText, ...]:
        return self._video.problems

    def due_s(self, index: int) -> float:
        """Return the PTS that the frame with this index must have, in seconds."""
        rounds, place = divmod(index, len(self._times_s))
        return rounds * self._round_s + float(self._times_s[place])

    def frames(self) -> Iterator[Frame]:
        """Yield frames until `close` is called.

        Raises:
            SourceError: A round yields no frames.
        """
        index = -1
        while not self._closed.is_set():
            with contextlib.closing(VideoFile(self._path)) as self._video:
                begin, first = self.rounds * len(self._times_s), index
                for frame in self._video.frames():
                    index, shift_s = begin + frame.index, self.rounds * self._round_s
                    if self._closed.is_set():
                        return
                    start_s = float(self._video.times_s[0])
                    yield replace(frame, index=index, pts_s=frame.pts_s - start_s + shift_s)
            if index == first:
                raise SourceError(f"{self._path} gives no frames any more")
            self.rounds += 1

    def close(self) -> None:
        """End `frames` after the current frame."""
        self._closed.set()


class LoopbackCamera(ThreadingHTTPServer):
    """An HTTP server that sends numbered images in turn as MJPEG, `fps` per second."""

    daemon_threads = True

    def __init__(self, jpegs: Sequence[bytes], fps: float) -> None:
        super().__init__(("127.0.0.1", 0), _Sending)
        self._jpegs = jpegs
        self._fps, self._ended = fps, threading.Event()
        self._sent_s = np.full(PICTURES, np.nan)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/video"

    def sent_s(self, image: Image) -> float:
        """Return when this image was last sent, in `time.perf_counter()` seconds.

        Args:
            image: An image that carries its number; see `stamped`.
        """
        return float(self._sent_s[stamp_of(image)])

    def end(self) -> None:
        """Stop the server and close the connection."""
        self._ended.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error: the reader has closed the connection, which is expected."""

    def send_all(self, file: Any) -> None:
        """Send one image after the other, each at its due time."""
        start_s, number = time.perf_counter(), 0
        while not self._ended.wait(max(0.0, start_s + number / self._fps - time.perf_counter())):
            jpeg = self._jpegs[number % PICTURES]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self._sent_s[number % PICTURES] = time.perf_counter()
            file.write(head.encode() + jpeg + b"\r\n")
            number += 1


class _Sending(BaseHTTPRequestHandler):
    server: LoopbackCamera

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with contextlib.suppress(OSError):  # The reader closed the connection.
            self.server.send_all(self.wfile)


def stamped(image: Image, number: int) -> Image:
    """Return a copy of the image with a number in its top left corner as black and white blocks."""
    out = image.copy()
    for bit in range(_BITS):
        left = bit * _BLOCK_PX
        out[:_BLOCK_PX, left : left + _BLOCK_PX] = 255 if number >> bit & 1 else 0
    return out


def stamp_of(image: Image) -> int:
    """Return the number that `stamped` wrote into an image."""
    strip = image[:_BLOCK_PX, : _BITS * _BLOCK_PX].reshape(_BLOCK_PX, _BITS, -1)
    bits = strip.mean((0, 2)) > 127
    return int(bits @ (1 << np.arange(_BITS)))


def camera_jpegs(path: str | Path) -> list[bytes]:
    """Encode the first frames of a video as numbered JPEGs for LoopbackCamera.

    A video that is too short is repeated.

    Raises:
        SourceError: The video cannot be read, or it is too narrow for the number.
    """
    video = LoopedVideo(path)
    if video.info.width < _BITS * _BLOCK_PX:
        raise SourceError(f"{path} is narrower than {_BITS * _BLOCK_PX} pixels: take another video")
    frames = zip(video.frames(), range(PICTURES), strict=False)
    return [_jpeg(stamped(frame.image, number)) for frame, number in frames]


def _jpeg(image: Image) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()
