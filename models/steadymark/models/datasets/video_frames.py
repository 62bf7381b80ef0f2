"""Random access to the frames of a video; it decodes sequentially where it can.

At most one decoded frame is kept in memory.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from steadymark.models.face.crop import Image

SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".webm", ".m4v", ".wmv", ".mpg")
_MAX_FORWARD = 48  # decoding up to this many frames is faster than seeking
_SEEK_MARGINS = (0, 16, 64)  # frames before the wanted one at which to seek, tried in turn


class Video:
    """A video file whose frames are numbered from 0 in display order. It is thread-safe.

    Args:
        path: The video file.
        as_shown: Rotate frames upright and make pixels square, as in tracking; otherwise frames are
            as stored.
    """

    def __init__(self, path: Path, *, as_shown: bool = True) -> None:
        """Count the frames and decode the first.

        Raises:
            DataError: The file is not a readable video.
        """
        self.path = path
        self._as_shown = as_shown
        self._lock = threading.Lock()
        self._decoder: Generator[tuple[int, VideoFrame]] | None = None
        self._last_frame: tuple[int, Image] | None = None
        self._aspect = Fraction(1)
        self._quarter_turns: int | None = None
        self._ticks, self.count = _scan(path)
        self.height, self.width = self.read_frame(0).shape[:2]
        self.close()

    def __reduce__(self) -> tuple[Callable[..., Video], tuple[object, ...]]:
        return _reopen, (self.path, self._as_shown)

    def read_frame(self, number: int) -> Image:
        """Return frame `number` as (H, W, 3) uint8 BGR.

        It decodes forwards to a frame that is slightly ahead, and seeks to any other.

        Raises:
            DataError: There is no such frame, or it is damaged.
        """
        if not 0 <= number < self.count:
            raise DataError(f"{self.path} has frames 0 to {self.count - 1}, not {number}")
        with self._lock:
            if self._last_frame is None or self._last_frame[0] != number:
                self._last_frame = (number, self._decode(number))
            return self._last_frame[1].copy()  # faces of one frame must not share the array

    def close(self) -> None:
        """Release the file; `read_frame` opens it again."""
        with self._lock:
            self._close_decoder()

    def _decode(self, number: int) -> Image:
        av_error = _av_error()
        last_number = -1 if self._last_frame is None else self._last_frame[0]
        try:
            if self._decoder is not None and last_number < number <= last_number + _MAX_FORWARD:
                frame = self._forward(self._decoder, number)
            else:
                frame = self._seek(number)
            if frame is not None:
                return self._image(frame)
        except av_error as error:
            self._close_decoder()
            raise DataError(f"{self.path}: frame {number} cannot be decoded ({error})") from error
        self._close_decoder()
        raise DataError(f"{self.path}: frame {number} is damaged: convert the file")

    def _seek(self, number: int) -> VideoFrame | None:
        seek_points = (
            [] if self._ticks is None else [max(0, number - back) for back in _SEEK_MARGINS]
        )
        for start in (*(point for point in seek_points if point), 0):
            self._close_decoder()
            self._decoder = self._frames(start)
            frame = self._forward(self._decoder, number)
            if frame is not None:
                return frame
        return None

    @staticmethod
    def _forward(frames: Generator[tuple[int, VideoFrame]], number: int) -> VideoFrame | None:
        for place, frame in frames:
            if place >= number:
                return frame if place == number else None
        return None

    def _frames(self, start: int) -> Generator[tuple[int, VideoFrame]]:
        """Yield frames and their numbers from the keyframe before `start` on."""
        with _opened(self.path) as container:
            stream = _stream(container, self.path)
            self._aspect = stream.sample_aspect_ratio or Fraction(1)
            if start and self._ticks is not None:
                container.seek(self._ticks[start], stream=stream)
            for place, frame in enumerate(container.decode(stream)):
                if self._ticks is None:
                    yield place, frame
                elif frame.pts is not None:
                    yield bisect_left(self._ticks, frame.pts), frame

    def _close_decoder(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
        self._decoder = self._last_frame = None

    def _image(self, frame: VideoFrame) -> Image:
        if not self._as_shown:
            return frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
        # non-square pixels enlarge one side, so no detail is lost
        width = round(frame.width * max(self._aspect, Fraction(1)))
        height = round(frame.height / min(self._aspect, Fraction(1)))
        image = frame.to_ndarray(format="bgr24", width=width, height=height)
        if self._quarter_turns is None:
            self._quarter_turns = round(frame.rotation / 90) % 4
        upright = np.rot90(image, self._quarter_turns)
        return np.ascontiguousarray(upright, np.uint8)


@dataclass(frozen=True, slots=True)
class VideoFrameImage:
    """Loader of one frame of a video as a face's image."""

    video: Video
    number: int

    def __call__(self) -> Image:
        return self.video.read_frame(self.number)


def _reopen(path: Path, as_shown: bool) -> Video:
    return Video(path, as_shown=as_shown)


def _scan(path: Path) -> tuple[list[int] | None, int]:
    """Return the sorted timestamps of all frames, and the number of frames.

    The timestamps are None if some are missing or occur twice.
    """
    ticks: list[int | None] = []
    with _opened(path) as container:
        stream = _stream(container, path)
        try:
            ticks = [p.pts for p in container.demux(stream) if p.size and not p.is_discard]
        except _av_error() as error:
            raise DataError(f"{path} is damaged ({error}): copy it again") from error
    if not ticks:
        raise DataError(f"{path} holds no frames: copy it again")
    known = sorted(tick for tick in ticks if tick is not None)
    return (known if len(set(known)) == len(ticks) else None), len(ticks)


def _opened(path: Path) -> InputContainer:
    import av

    try:
        # without the prefix, a name such as "10:30.mp4" is taken for a protocol
        return av.open(f"file:{path}", metadata_errors="replace")
    except (_av_error(), OSError, ValueError) as error:
        raise DataError(f"{path} is no video that can be read: check that it plays") from error


def _stream(container: InputContainer, path: Path) -> VideoStream:
    if not container.streams.video:
        raise DataError(f"{path} holds no pictures: name a file with a video track")
    return container.streams.video[0]


def _av_error() -> type[Exception]:
    from av.error import FFmpegError

    return FFmpegError
