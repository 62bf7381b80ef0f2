"""Images over HTTP: the parts of an MJPEG stream, or an image for each request.

FFmpeg refuses MJPEG streams whose parts are called `image/jpg`, and ends after one snapshot.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    HTTPSHandler,
    ProxyHandler,
    build_opener,
)

import cv2
import numpy as np

from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector

    from steadymark.models.face.crop import Image

SNAPSHOT_S = 0.1  # Least time between two requests.
_FAULTS_IN_A_ROW = 50  # Images that cannot be decoded before the connection counts as broken.
_LARGEST_BYTES = 1 << 26  # Of an image.
_CHUNK_BYTES = 1 << 16
_MULTIPART = "multipart/x-mixed-replace"
_LENGTH = re.compile(rb"^content-length:\s*(\d+)\s*$", re.IGNORECASE | re.MULTILINE)


def open_http_images(url: str, timeout_s: float) -> HttpImages | None:
    """Connect to a camera that sends images over HTTP.

    Args:
        url: Address, which may contain a user and password.
        timeout_s: How long to wait for data, in seconds.

    Returns:
        The connection; None if the server sends no images.
    """
    try:
        images = HttpImages(url, timeout_s)
    except (OSError, HTTPException, ValueError, EOFError):
        return None
    if images.sends_images:
        return images
    images.close()
    return None


class HttpImages:
    """A connection that gives images: the parts of one response, or a response for each image.

    Args:
        url: Address of the camera.
        timeout_s: How long to wait for data, in seconds.

    Raises:
        OSError: The server does not answer.
        HTTPException: The server sends no valid answer.
    """

    fps = None

    def __init__(self, url: str, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._opener, self._url = _opener_for(url)
        self._closed = threading.Event()
        self._buffer = b""
        self._asked_s = 0.0
        self._response: HTTPResponse | None = self._request()
        headers = self._response.headers
        kind = headers.get_content_type()
        self._boundary = _boundary_of(headers.get_param("boundary"))
        self._is_stream = kind == _MULTIPART
        self.sends_images = self._is_stream or kind.startswith("image/")

    @property
    def notes(self) -> tuple[UserText, ...]:
        """What the user should know about the images."""
        if self._is_stream:
            return ()
        rate = 1 / SNAPSHOT_S
        return (UserText("it sends single images: {rate:g} are asked for per second", rate=rate),)

    def read(self) -> Image | None:
        """Return the next image, (H, W, 3) uint8 BGR; None when the connection broke."""
        for _ in range(_FAULTS_IN_A_ROW):
            try:
                content = self._next_part() if self._is_stream else self._snapshot()
            except (OSError, HTTPException, ValueError, EOFError):
                return None
            with suppress(cv2.error):
                image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
                if image is not None:
                    return np.asarray(image, np.uint8)
        return None

    def close(self) -> None:
        """Close the connection."""
        self._closed.set()
        if self._response is not None:
            self._response.close()

    def _request(self) -> HTTPResponse:
        self._asked_s = time.perf_counter()
        response: HTTPResponse = self._opener.open(self._url, timeout=self._timeout_s)
        return response

    def _snapshot(self) -> bytes:
        """Return one image; the first one is that of the request that opened the connection."""
        if self._response is None:
            self._closed.wait(self._asked_s + SNAPSHOT_S - time.perf_counter())
            self._response = self._request()
        with self._response as response:
            content = response.read(_LARGEST_BYTES)
        self._response = None
        return content

    def _next_part(self) -> bytes:
        """Return the content of the next part that is not empty."""
        content = b""
        while not content.strip():
            self._upto(self._boundary)
            head = self._upto(b"\n\r\n", b"\n\n")
            length = _LENGTH.search(head)
            # The end of a part without a length is known when the next part begins.
            content = self._take(int(length[1])) if length else self._before(self._boundary)
        return content

    def _upto(self, *ends: bytes) -> bytes:
        """Return everything up to and including the first of these marks."""
        while True:
            found = [(self._buffer.find(end), len(end)) for end in ends if end in self._buffer]
            if found:
                place, length = min(found)
                return self._take(place + length)
            self._receive()

    def _before(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._receive()
        return self._take(self._buffer.find(end))

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._receive()
        content, self._buffer = self._buffer[:count], self._buffer[count:]
        return content

    def _receive(self) -> None:
        chunk = b"" if self._response is None else self._response.read1(_CHUNK_BYTES)
        if not chunk or len(self._buffer) > _LARGEST_BYTES:
            raise EOFError("the stream ended")
        self._buffer += chunk


def _boundary_of(told: object) -> bytes:
    """Return the mark between parts; some cameras tell it with its two hyphens."""
    name = str(told or "").strip('"')
    return b"--" + name.removeprefix("--").encode("latin-1", "replace")


def _opener_for(url: str) -> tuple[OpenerDirector, str]:
    """Return an opener with the user and password of an address, and the address without them."""
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    passwords = HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
        passwords.add_password(None, address, user, password)
    context = ssl.create_default_context()
    context.check_hostname = False  # Cameras sign their certificates themselves.
    context.verify_mode = ssl.CERT_NONE
    opener = build_opener(
        ProxyHandler({}),
        HTTPSHandler(context=context),
        HTTPBasicAuthHandler(passwords),
        HTTPDigestAuthHandler(passwords),
    )
    return opener, address
