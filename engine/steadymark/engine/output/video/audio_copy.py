"""Copying a source's sound into another file."""

from __future__ import annotations

import errno
import logging
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.video.container import open_container
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

    Piece = Packet[AudioStream] | av.AudioFrame

_log = logging.getLogger(__name__)

# codecs that MP4 players support; others (PCM, Vorbis, …) are converted to AAC
COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac"})
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
_DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
_PIECE = 1024  # samples; PCM packets may last a second, which is too coarse for trimming


class AudioCopy:
    """Writes the source's sound up to the time of the picture, so that both are interleaved.

    Times of a source are counted from the container's start, as those of its frames are. If the
    sound cannot be read or written further, it ends there; the video is still written.

    Args:
        source: The opened source.
        output: The file to write to.
        start_s: Time in the source that becomes 0; earlier sound is left out. None keeps all
            sound at its original time.

    Attributes:
        fault: Why the sound ended early; None if it did not.
    """

    def __init__(
        self, source: InputContainer, output: OutputContainer, start_s: float | None
    ) -> None:
        self._source = source
        self._output = output
        self._start_s = start_s
        self._origin_s = (source.start_time or 0) / av.time_base
        self.fault: UserText | None = None
        self._in: AudioStream = source.streams.audio[0]
        self._copied = _can_be_copied(self._in)
        self._out: AudioStream = (
            output.add_stream_from_template(self._in) if self._copied else _aac(output, self._in)
        )
        self._pieces: Iterator[Piece] = self._packets() if self._copied else self._frames()
        self._next: Piece | None = None
        self._last_s = float("-inf")
        self._done = False

    @classmethod
    def open(cls, path: str, output: OutputContainer, start_s: float | None) -> Self | None:
        """Add a sound stream to `output`.

        Args:
            path: The source.
            output: The file to write to.
            start_s: See the class.

        Returns:
            The copy, or None if the source has no sound.
        """
        try:
            source = open_container(Path(path))
        except SourceError as error:
            _log.info("no sound from %s: %s", path, error)
            return None
        if not source.streams.audio:
            source.close()
            return None
        return cls(source, output, start_s)

    def advance(self, until_s: float) -> None:
        """Write all sound that starts before `until_s`, a time of the source in seconds."""
        while not self._done:
            try:
                piece = self._next or next(self._pieces, None)
                self._next = piece
                if piece is None:
                    self._done = True
                elif self._time_s(piece) >= until_s:
                    return
                else:
                    self._next = None
                    self._write(piece)
            except (OSError, ValueError, av.FFmpegError) as error:
                self._end(error)

    def close(self) -> None:
        """Flush the encoder if there is one, and close the source."""
        try:
            if not self._done and self._next and self._last_s == float("-inf"):
                self._write(self._next)  # MP4 cannot describe an AC-3 stream without a packet
            if not self._copied:
                self._output.mux(self._out.encode())
        except (OSError, ValueError, av.FFmpegError) as error:
            self._end(error)
        finally:
            self._source.close()

    def _end(self, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno in _DISK_FAULTS:
            raise error
        _log.warning("the sound of %s ends early: %s", self._source.name, error)
        self._done, self._next = True, None
        self.fault = UserText(
            "the sound of {name} could not be copied to its end ({reason})",
            name=Path(self._source.name).name,
            reason=str(error),
        )

    def _time_s(self, piece: Piece) -> float:
        """Return a piece's time in the source, in seconds from the container's start."""
        return float((piece.pts or 0) * (piece.time_base or 0)) - self._origin_s

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        if self._start_s is not None:
            self._source.seek(int((self._start_s + self._origin_s) * av.time_base))
        for packet in self._source.demux(self._in):
            if packet.pts is not None and packet.dts is not None:
                yield packet

    def _frames(self) -> Iterator[av.AudioFrame]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                _log.warning("a piece of the sound of %s is broken: %s", self._source.name, error)
                continue
            for frame in frames:
                yield from _split(frame)

    def _write(self, piece: Piece) -> None:
        time_s = self._time_s(piece)
        if time_s <= self._last_s:  # in damaged files; the muxer rejects such times
            return
        start_s = self._start_s or 0.0
        if self._start_s is not None and time_s < start_s:
            return
        self._last_s = time_s
        _shift(piece, start_s + self._origin_s)
        if isinstance(piece, av.AudioFrame):
            self._output.mux(self._out.encode(piece))
        else:
            piece.stream = self._out
            self._output.mux(piece)


def _can_be_copied(stream: AudioStream) -> bool:
    """Return whether MP4 takes the packets as they are; AAC of MPEG-TS lacks the codec's data."""
    context = stream.codec_context
    return context.name in COPIED and not (context.name == "aac" and not context.extradata)


def _shift(piece: Piece, by_s: float) -> None:
    """Move a packet or audio frame to an earlier time."""
    ticks = round(by_s / piece.time_base) if piece.time_base else 0
    piece.pts = (piece.pts or 0) - ticks
    if piece.dts is not None and not isinstance(piece, av.AudioFrame):
        piece.dts -= ticks


def _split(frame: av.AudioFrame) -> Iterator[av.AudioFrame]:
    """Yield the samples in frames of at most `_PIECE` samples, each with its time."""
    if frame.pts is None or frame.time_base is None:
        return
    first = round(frame.pts * frame.time_base * frame.sample_rate)
    samples = frame.to_ndarray()
    wide = 1 if frame.format.is_planar else len(frame.layout.channels)
    for start in range(0, frame.samples, _PIECE):
        # Any, because PyAV declares each sample type separately
        part: Any = np.ascontiguousarray(samples[:, start * wide : (start + _PIECE) * wide])
        piece = av.AudioFrame.from_ndarray(part, format=frame.format.name, layout=frame.layout.name)
        piece.sample_rate = frame.sample_rate
        piece.pts, piece.time_base = first + start, Fraction(1, frame.sample_rate)
        yield piece


def _aac(output: OutputContainer, like: AudioStream) -> AudioStream:
    rate = like.rate if like.rate in _AAC_RATES else 48000
    return output.add_stream("aac", rate=rate, layout="mono" if like.channels == 1 else "stereo")
