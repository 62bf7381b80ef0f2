"""Decode the frames of a file from any frame on, each with its number in the index."""

from __future__ import annotations

from collections import deque
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from av.error import FFmpegError

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.frame_conversion import (
    AS_STORED,
    DecodeSettings,
    FrameConverter,
    FrameOrientation,
)
from steadymark.engine.sources.video.container import open_container, packets, video_stream
from steadymark.engine.sources.video.deinterlacing import Deinterlacer
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from steadymark.engine.sources.video.video_index import VideoIndex
    from steadymark.models.face.crop import Image


_TRIED = 50  # Frames that are tried before a file counts as damaged.


class _DamagedError(Exception):
    """Raised at the first damaged frame."""


class DecodedFrame(NamedTuple):
    """A decoded frame and its number in the index."""

    number: int
    frame: VideoFrame


class Decoder:
    """An open file and its read position; for one thread at a time.

    Several threads decode until the first damaged frame. After damage, these threads would lose
    intact frames and decode damaged ones in a random way, so a single thread continues.

    Attributes:
        seeks: How often the read position was changed.
        faults: Number of packets that the decoder rejected.
    """

    def __init__(self, path: Path, index: VideoIndex, decoding: DecodeSettings = AS_STORED) -> None:
        self._path = path
        self._index = index
        self._decoding = decoding
        self.seeks = 0
        self.faults = 0
        self._has_read = False
        self._undamaged = True
        self._open()

    def to_image(self, decoded: DecodedFrame) -> Image:
        """Convert a decoded frame to an upright image.

        Args:
            decoded: The frame.

        Returns:
            The image, (H, W, 3) uint8 BGR.

        Raises:
            SourceError: The frame cannot be converted.
        """
        try:
            return self._converter.to_image(decoded.frame)
        except (FFmpegError, ValueError) as error:
            raise SourceError(
                "{path}: frame {number} ({name}) cannot be converted to an image: "
                "convert the file to H.264 in MP4",
                path=self._path,
                number=decoded.number,
                name=decoded.frame.format.name,
            ) from error

    def first_image(self, first: int) -> tuple[DecodedFrame, Image]:
        """Return the first frame from `first` on that can be decoded, with its image.

        Args:
            first: Number of the frame to start from.

        Returns:
            The frame and its image, (H, W, 3) uint8 BGR.

        Raises:
            SourceError: No frame can be decoded.
        """
        error = SourceError(
            "{path}: no frame can be decoded, the file is damaged or truncated: copy it again",
            path=self._path,
        )
        for decoded in islice(self.frames(first), _TRIED):
            try:
                return decoded, self.to_image(decoded)
            except SourceError as fault:
                error = fault
        raise error

    def frames(self, first: int) -> Iterator[DecodedFrame]:
        """Yield the frames from number `first` on, in order and once; damaged ones are left out."""
        try:
            for decoded in self._decode_from(first):
                if self._undamaged and decoded.frame.is_corrupt:
                    raise _DamagedError
                first = decoded.number + 1
                yield decoded
        except _DamagedError:
            self._undamaged = False
            self.close()
            self._open()
            if first < len(self._index):
                yield from self._decode_from(first)

    def _decode_from(self, first: int) -> Iterator[DecodedFrame]:
        # An image of an interlaced video depends on the frame before it.
        needed = max(0, first - self._decoding.deinterlace)
        for key in self._keys_to_try(needed):
            found = self._decode_from_key(key)
            head = next(found, None)
            if key is None or (head is not None and head.number <= needed):
                break
        if head is not None:
            yield from (d for d in chain((head,), found) if d.number >= first)

    def notes(self, decoded: DecodedFrame) -> tuple[UserText, ...]:
        """Return a sentence for each conversion that is applied to the images."""
        notes = []
        if self._decoding.deinterlace:
            notes.append(UserText("the images are deinterlaced, as requested"))
        elif decoded.frame.interlaced_frame:
            notes.append(
                UserText("it is interlaced: --deinterlace avoids combed edges where faces move")
            )
        rotate_deg = self._decoding.rotate_deg
        if rotate_deg is not None:
            notes.append(
                UserText("the images are rotated by {degrees}°, as requested", degrees=rotate_deg)
            )
        elif self._converter.orientation(decoded.frame) != FrameOrientation():
            notes.append(UserText("the frames are rotated upright, as the file says"))
        transfer = self._converter.hdr_transfer(decoded.frame)
        if transfer is not None:
            name = transfer.name
            notes.append(UserText("its high dynamic range ({name}) is mapped to 8 bits", name=name))
        aspect = self._stream.sample_aspect_ratio
        if aspect and aspect != 1:
            shown = f"{aspect.numerator}:{aspect.denominator}"
            notes.append(
                UserText("pixels with the aspect ratio {aspect} are made square", aspect=shown)
            )
        return tuple(notes)

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def _open(self) -> None:
        self._container = open_container(self._path)
        self._stream = video_stream(self._container, self._path)
        self._stream.thread_type = "AUTO" if self._undamaged else "NONE"
        self._has_read = False
        self._converter = FrameConverter(self._stream, rotate_deg=self._decoding.rotate_deg)

    def _keys_to_try(self, first: int) -> Iterator[int | None]:
        """Yield keyframes to start from, further and further back; None is the file's beginning."""
        if not self._index.by_count and first > 0:
            shown_ticks, seek_ticks = self._index.keys.T
            key = int(np.searchsorted(shown_ticks, self._index.ticks[first], "right")) - 1
            steps_back = 1
            while key > 0:
                yield int(seek_ticks[key])
                key, steps_back = key - steps_back, steps_back * 2
        yield None

    def _decode_from_key(self, key: int | None) -> Iterator[DecodedFrame]:
        if key is None:
            if self._has_read:
                self.close()
                self._open()
                self.seeks += 1
        else:
            self.seeks += 1
            try:
                self._container.seek(key, stream=self._stream)
            except FFmpegError:
                return
        self._has_read = True
        numbered = self._numbered(self._decoded(skip_to_key=key is not None))
        yield from self._deinterlaced(numbered) if self._decoding.deinterlace else numbered

    def _deinterlaced(self, frames: Iterator[DecodedFrame]) -> Iterator[DecodedFrame]:
        deinterlacer = Deinterlacer(self._stream)
        numbers: deque[int] = deque()
        for number, frame in frames:
            numbers.append(number)
            for done in deinterlacer.push(frame):
                yield DecodedFrame(numbers.popleft(), done)
        for done in deinterlacer.flush():
            yield DecodedFrame(numbers.popleft(), done)

    def _numbered(self, frames: Iterator[VideoFrame]) -> Iterator[DecodedFrame]:
        """Number the frames in increasing order; a frame whose time runs backwards is left out."""
        last: int | None = None
        for count, frame in enumerate(frames):
            if self._index.by_count:
                number: int | None = count if count < len(self._index) else None
            else:
                number = self._index.number_of(frame.pts, last)
            if number is not None and (last is None or number > last):
                last = number
                yield DecodedFrame(number, frame)

    def _decoded(self, *, skip_to_key: bool) -> Iterator[VideoFrame]:
        for packet in packets(self._container, self._stream, self._count):
            skip_to_key = skip_to_key and not packet.is_keyframe
            if not skip_to_key:
                yield from self._frames_of(packet)
        yield from self._frames_of(None)

    def _frames_of(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        try:
            return self._stream.codec_context.decode(packet)
        except FFmpegError as fault:
            if self._undamaged:
                raise _DamagedError from fault
            self._count(fault)
            return []

    def _count(self, _: FFmpegError) -> None:
        self.faults += 1
