"""Open a video file with PyAV, and explain in one sentence why it cannot be opened."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import av
from av.error import FFmpegError
from av.stream import Disposition

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.input_paths import check_link, check_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_FAULTS_IN_A_ROW = 50
MOST_PIXELS = 1 << 27  # 16384 x 8192; a larger size is damage and would exhaust the memory.
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"v=0\r", b"v=0\n")
_ISO_STARTS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def open_container(path: Path) -> InputContainer:
    """Open a file for reading.

    Args:
        path: The file.

    Returns:
        The open container.

    Raises:
        SourceError: The file cannot be opened; the message says what is wrong and what to do.
    """
    size = _size_of(path)
    if size == 0:
        raise SourceError("{path} is empty (0 bytes): copy or record it again", path=path)
    if _head(path, 16).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_PLAYLISTS):
        raise SourceError(
            "{path} is a list that names other files: open the video itself", path=path
        )
    # The prefix keeps a name such as "10:30.mp4" from being read as a protocol.
    try:
        return av.open(f"file:{path}", metadata_errors="replace")
    except UnicodeEncodeError as error:
        raise SourceError(
            "{path!r} has a name that is not valid text: rename the file", path=path
        ) from error
    except PermissionError as error:
        raise SourceError(
            "{path} cannot be read: ask for permission or copy it", path=path
        ) from error
    except (FFmpegError, OSError, ValueError) as error:
        raise _unreadable(path) from error


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the video stream that players would show; cover art does not count.

    Args:
        container: The open container.
        path: Its file, for error messages.

    Returns:
        The stream.

    Raises:
        SourceError: There is no video stream or no decoder for it, or its images are too large.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        if container.streams.audio:
            raise SourceError(
                "{path} contains sound but no images: choose a file with a video track", path=path
            )
        raise SourceError("{path} contains no images: choose a file with a video track", path=path)
    best = container.streams.best("video")
    stream = next((s for s in streams if best is not None and s.index == best.index), streams[0])
    if stream.codec_context is None:
        raise SourceError(
            "{path} has a codec that cannot be decoded: convert it to H.264 in MP4",
            path=path,
        )
    if stream.width * stream.height > MOST_PIXELS:
        raise SourceError(
            "{path} says that its frames are {width}x{height}, more than "
            "{millions} million pixels: convert it to smaller ones",
            path=path,
            width=stream.width,
            height=stream.height,
            millions=MOST_PIXELS // 10**6,
        )
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    return stream


def packets(
    container: InputContainer, stream: VideoStream, on_fault: Callable[[FFmpegError], None]
) -> Iterator[Packet[VideoStream]]:
    """Yield the packets of a stream in file order; give up after 50 errors in a row.

    Args:
        container: The open container.
        stream: The stream.
        on_fault: Called with each error.

    Yields:
        The packets.
    """
    faults = 0
    while faults < _FAULTS_IN_A_ROW:
        try:
            for packet in container.demux(stream):
                faults = 0
                if packet.size:  # An empty packet would flush the decoder.
                    yield packet
        except FFmpegError as fault:
            faults += 1
            on_fault(fault)
        except IndexError:  # PyAV met a stream that appeared after the file was opened.
            continue
        else:
            return


def _size_of(path: Path) -> int:
    try:
        facts = path.stat()
    except FileNotFoundError as error:
        check_link(path)
        raise SourceError(
            "{path} does not exist: check the name and the folder", path=path
        ) from error
    except PermissionError as error:
        raise SourceError(
            "{path} cannot be read: ask for permission or copy it", path=path
        ) from error
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ELOOP:
            check_link(path)
        if getattr(error, "errno", None) == errno.ENAMETOOLONG:
            raise SourceError(
                "the name {start}… is too long ({count} bytes): a file name may have 255 bytes",
                start=path.name[:40],
                count=len(os.fsencode(path.name)),
            ) from error
        raise SourceError(
            "{path!r} cannot be opened: {error}", path=str(path), error=error
        ) from error
    if path.is_dir():
        raise SourceError("{path} is a folder: give a video file in it", path=path)
    check_regular(path)
    return facts.st_size


def _head(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise SourceError(
            "{path} cannot be read ({reason}): ask for permission or copy it",
            path=path,
            reason=error.strerror,
        ) from error


def _unreadable(path: Path) -> SourceError:
    if _head(path, 12)[4:8] in _ISO_STARTS:
        return SourceError(
            "{path} is incomplete: its index (moov) is missing, for example "
            "because a recording or a copy was interrupted; copy it again or "
            "repair it",
            path=path,
        )
    return SourceError(
        "{path} is not a video that can be read: check that it plays, or convert it to MP4",
        path=path,
    )
