"""Network cameras: RTSP, RTMP, and MJPEG or snapshots over HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import av
from av import error as fault

from steadymark.engine.core.errors import SourceError
from steadymark.engine.core.types import SourceInfo
from steadymark.engine.sources.frame_conversion import FrameConverter
from steadymark.engine.sources.live.live_source import FeedEnded, LiveSource
from steadymark.engine.sources.live.reachability import is_reachable
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from steadymark.engine.sources.live.http_images import HttpImages
    from steadymark.engine.sources.live.live_source import LiveStatus, OpenAttempt
    from steadymark.models.face.crop import Image

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 5.0
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0)
_FAULTS_IN_A_ROW = 50
_RECORDINGS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "hls", "flv", "asf", "mpegts")
_IMAGES = ("_pipe", "image2", "mpjpeg")  # FFmpeg's demuxers of images
_SILENT = UserText("does not answer in time: check the address and the network")
_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "rtp", "srt", "tcp")


def is_network(text: str) -> bool:
    """Return whether a text is the address of a network stream."""
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://", text) is not None


class NetworkCamera(LiveSource):
    """A FrameSource of a network stream, which reconnects when the stream breaks.

    A recording is refused, because frames would be dropped and have times of arrival. Time stamps
    are times of arrival, because the senders' clocks jump when they restart.

    Args:
        url: Address of the stream.
        open_timeout_s: How long opening may take, in seconds.
        read_timeout_s: How long to wait for data, in seconds.
        retry_s: Times between attempts to reconnect, in seconds.
        on_status: Called in the reading thread when images stop and come again.
        opening: Allows another thread to cancel opening.

    Raises:
        SourceError: The stream cannot be opened, sends no images, or is a recording.
    """

    def __init__(
        self,
        url: str,
        *,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
        retry_s: tuple[float, ...] = BACK_OFF_S,
        on_status: Callable[[LiveStatus], None] | None = None,
        opening: OpenAttempt | None = None,
    ) -> None:
        timeouts = (open_timeout_s, read_timeout_s)
        if opening is not None and not is_reachable(url, open_timeout_s, opening):
            raise SourceError("{url}: {why}", url=without_password(url), why=_SILENT)
        feed = _connected(url, timeouts)
        super().__init__(
            feed,
            lambda: _connected(url, timeouts),
            silence_s=1.5 * read_timeout_s,  # The reader's own timeout comes first.
            first_s=1.5 * read_timeout_s,
            retry_s=retry_s,
            on_status=on_status,
            opening=opening,
        )
        first = self.first_image
        shown = without_password(url)
        if first is None:
            raise SourceError("{shown} answers but sends no frames: check the camera", shown=shown)
        self._info = SourceInfo(
            name=urlsplit(url).hostname or shown,
            path=shown,
            width=int(first.shape[1]),
            height=int(first.shape[0]),
            fps=feed.fps,
            frames=None,
            live=True,
            notes=(UserText("the timestamps are times of arrival"), *feed.notes),
        )

    @property
    def info(self) -> SourceInfo:
        """Facts of the stream; the path has no password, and fps is as declared."""
        return self._info


def without_password(url: str) -> str:
    """Return an address without its password, for display and reports."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1@", url)


def _connected(url: str, timeouts_s: tuple[float, float]) -> _NetworkFeed | HttpImages:
    """Connect through FFmpeg, or without it if the camera sends single images over HTTP."""
    feed = _NetworkFeed(url, timeouts_s)
    if not feed.sends_images:
        return feed
    feed.close()  # Some cameras allow one connection only.
    from steadymark.engine.sources.live.http_images import open_http_images  # imports much

    return open_http_images(url, timeouts_s[1]) or _NetworkFeed(url, timeouts_s)


class _NetworkFeed:
    """One connection to a network stream through FFmpeg."""

    notes: tuple[UserText, ...] = ()

    def __init__(self, url: str, timeouts_s: tuple[float, float]) -> None:
        self._url = without_password(url)
        scheme = urlsplit(url).scheme.lower()
        if scheme not in _SCHEMES:
            raise SourceError(
                "{url}: {scheme}:// is not supported: use rtsp://, rtmp:// or http://",
                url=self._url,
                scheme=scheme,
            )
        self._container = self._opened(url, scheme, timeouts_s)
        try:
            self._stream = self._pictures_of(self._container)
        except SourceError:
            self._container.close()
            raise
        self._stream.thread_type = "SLICE"  # Frame threads would delay images.
        rate = self._stream.average_rate or self._stream.guessed_rate
        tells_rate = self._container.format.name not in ("mpjpeg", "mjpeg")  # else 25, always
        self.fps = float(rate) if rate and tells_rate else None
        is_http = scheme in ("http", "https")
        self.sends_images = is_http and self._container.format.name.endswith(_IMAGES)
        self._converter = FrameConverter(self._stream)
        self._frames = self._decoded()

    def read(self) -> Image | None:
        """Return the next image, (H, W, 3) uint8 BGR; None when the connection broke.

        Raises:
            FeedEnded: A video of known length is over.
        """
        try:
            frame = next(self._frames, None)
            if frame is not None:
                return self._converter.to_image(frame)
            if self._container.duration:
                raise FeedEnded
        except (fault.FFmpegError, OSError, ValueError):
            pass
        return None

    def close(self) -> None:
        """Close the connection."""
        self._frames.close()
        self._container.close()

    def _opened(self, url: str, scheme: str, timeouts_s: tuple[float, float]) -> InputContainer:
        options: dict[str, str] = {"analyzeduration": "1000000", "fflags": "nobuffer"}
        if scheme.startswith("rtsp"):
            options |= {"rtsp_transport": "tcp", "timeout": str(int(timeouts_s[1] * 1e6))}
        try:
            return av.open(url, options=options, timeout=timeouts_s, metadata_errors="replace")
        except (fault.FFmpegError, OSError, ValueError) as error:
            raise SourceError("{url}: {why}", url=self._url, why=_why(error)) from error

    def _pictures_of(self, container: InputContainer) -> VideoStream:
        known = [stream for stream in container.streams.video if stream.codec_context is not None]
        if not known:
            raise SourceError("{url} sends no frames: check the address", url=self._url)
        if container.duration and container.format.name in _RECORDINGS:
            raise SourceError(
                "{url} is a recording and no live stream: download it, for example by "
                "'ffmpeg -i ADDRESS -c copy FILE.mp4', and track the file",
                url=self._url,
            )
        return max(known, key=lambda stream: stream.width * stream.height)  # the best HLS variant

    def _decoded(self) -> Any:
        """Yield frames until the end; damaged packets are skipped, and a lost connection raises."""
        faults = 0
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
                faults = 0
            except fault.InvalidDataError:
                faults += 1
                if faults > _FAULTS_IN_A_ROW:
                    raise
                continue
            yield from frames


def _why(error: Exception) -> UserText:
    """Return what is wrong with the connection and what the user can do."""
    reasons: tuple[tuple[type[Exception], UserText], ...] = (
        (
            fault.ConnectionRefusedError,
            UserText("the connection was refused: check the port, and that the camera is running"),
        ),
        (fault.ExitError, _SILENT),
        (fault.TimeoutError, _SILENT),
        (
            fault.HTTPUnauthorizedError,
            UserText("it requires a user and a password: http://user:password@host/…"),
        ),
        (fault.HTTPForbiddenError, UserText("access denied: check user and password")),
        (
            fault.HTTPNotFoundError,
            UserText("there is nothing at this address: check the part after the host"),
        ),
        (fault.InvalidDataError, UserText("it sends no video: check the address")),
        (
            fault.ProtocolNotFoundError,
            UserText("uses a protocol that the installed FFmpeg lacks: use rtsp:// or http://"),
        ),
    )
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    return UserText(
        "cannot be opened ({reason}): check the address and the network",
        reason=getattr(error, "strerror", error),
    )
