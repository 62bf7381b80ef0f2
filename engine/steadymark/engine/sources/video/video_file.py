"""Video files with exact time stamps, every frame exactly once, and exact seeks."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.core.types import Frame, SourceInfo
from steadymark.engine.sources.damage_report import DamageKind, DamageReport, clock
from steadymark.engine.sources.frame_conversion import AS_STORED, DecodeSettings
from steadymark.engine.sources.picture_reader import PictureReader
from steadymark.engine.sources.time_spans import frame_range, mean_fps
from steadymark.engine.sources.video.container import open_container, video_stream
from steadymark.engine.sources.video.decoder import Decoder
from steadymark.engine.sources.video.frame_grabber import FrameGrabber
from steadymark.engine.sources.video.video_index import read_index
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.engine.sources.time_spans import Seconds
    from steadymark.engine.sources.video.decoder import DecodedFrame
    from steadymark.engine.sources.video.video_index import VideoIndex
    from steadymark.models.face.crop import Image


class VideoFile:
    """A FrameSource of one file, or of its part in [start_s, end_s).

    The index of a frame is its number in the whole file, in presentation order. A damaged frame
    leaves a gap and never shifts later frames, and `frame_at(frame.index)` returns the same frame
    again. `pts_s` is the container's presentation time minus the container's start, in seconds.

    Args:
        path: The file.
        start_s: Start of the part, in seconds; None for the beginning.
        end_s: End of the part, in seconds; None for the end.
        decoding: Deinterlacing and rotation.

    Raises:
        SourceError: The file cannot be opened or decoded.
        UsageError: The part is invalid or holds no frames.
    """

    dropped = 0

    def __init__(
        self,
        path: str | Path,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        decoding: DecodeSettings = AS_STORED,
    ) -> None:
        self._path = Path(path)
        self._decoding = decoding
        self._index, declared_fps = _indexed(self._path)
        self._first, self._end = frame_range(self._index.times_s, start_s, end_s, str(path))
        self._damage = DamageReport()
        self._closed = threading.Event()
        self._seek_target: int | None = None
        self._seek_lock = threading.Lock()
        self._grabber = FrameGrabber(self._path, self._index, decoding)
        self._info = self._read_info(declared_fps)

    @property
    def info(self) -> SourceInfo:
        """Facts of the part that was requested; `fps` is measured."""
        return self._info

    @property
    def problems(self) -> tuple[UserText, ...]:
        """Frames that the last iteration skipped, and other problems."""
        return self._damage.sentences()

    @property
    def times_s(self) -> Seconds:
        """pts_s of every frame of the file by frame index, (N,) float64, in seconds."""
        return self._index.times_s

    @property
    def span(self) -> range:
        """Indices of the frames that were requested."""
        return range(self._first, self._end)

    def frames(self) -> Iterator[Frame]:
        """Yield every frame of the part once, or from the index that `seek` sets."""
        decoder = Decoder(self._path, self._index, self._decoding)
        self._damage = DamageReport()
        target = self._take_seek_target()
        place: int | None = self._first if target is None else target
        try:
            while place is not None and not self._closed.is_set():
                yield from self._frames_from(decoder, place)
                place = self._take_seek_target()
        finally:
            decoder.close()

    def seek(self, index: int) -> None:
        """Make `index` the next frame that `frames` yields.

        Any thread may call this; the last call counts.

        Args:
            index: Number of the frame in the whole file.

        Raises:
            UsageError: There is no such frame.
        """
        self._check(index)
        with self._seek_lock:
            self._seek_target = index

    def frame_at(self, index: int) -> Frame:
        """Return exactly this frame; any thread may call this.

        Short forward steps continue decoding, other steps seek.

        Args:
            index: Number of the frame in the whole file.

        Returns:
            The frame.

        Raises:
            SourceError: The frame is damaged, or the source is closed.
            UsageError: There is no such frame.
        """
        self._check(index)
        image = self._grabber.image(index)
        return Frame(image, index, self._time_s(index), time.perf_counter())

    def picture_reader(self) -> PictureReader:
        """Return a reader of single pictures, with a decoder of its own."""
        grabber = FrameGrabber(self._path, self._index, self._decoding)
        easy = np.searchsorted(self._index.ticks, self._index.keys[:, 0]).astype(np.int64)
        return PictureReader(grabber.image, grabber.close, easy[easy < len(self._index)])

    def close(self) -> None:
        """End the iteration of `frames` and release the file."""
        self._closed.set()
        self._grabber.close()

    def _frames_from(self, decoder: Decoder, first: int) -> Iterator[Frame]:
        """Yield frames from `first` on until the end, a seek or `close`."""
        last, faults, size = first - 1, decoder.faults, (0, 0)
        for decoded in decoder.frames(first):
            if self._interrupted():
                return
            self._note_gap(last + 1, min(decoded.number, self._end))
            if decoded.number >= self._end:
                return
            if self._index.by_count and decoder.faults > faults:
                self._damage.add(DamageKind.SKIPPED, self._time_s(last), decoder.faults - faults)
                faults = decoder.faults
            last = decoded.number
            try:
                frame = self._frame(decoded, decoder.to_image(decoded))
            except SourceError:
                self._damage.add(DamageKind.SKIPPED, self._time_s(last))
                continue
            size = self._note_size(size, frame)
            if decoded.frame.is_corrupt:
                self._damage.add(DamageKind.KEPT, frame.pts_s)
            yield frame
            if self._interrupted():
                return
        self._note_gap(last + 1, self._end)

    def _frame(self, decoded: DecodedFrame, image: Image) -> Frame:
        return Frame(
            image=image,
            index=decoded.number,
            pts_s=self._time_s(decoded.number),
            captured_s=time.perf_counter(),
        )

    def _interrupted(self) -> bool:
        return self._closed.is_set() or self._seek_target is not None

    def _take_seek_target(self) -> int | None:
        with self._seek_lock:
            target, self._seek_target = self._seek_target, None
        return target

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self._index):
            raise UsageError(
                "{path} has frames 0 to {last}, not {index}",
                path=self._path,
                last=len(self._index) - 1,
                index=index,
            )

    def _time_s(self, number: int) -> float:
        return float(self._index.times_s[max(0, number)])

    def _note_gap(self, begin: int, end: int) -> None:
        # Counted frames have no gaps, and packets of old formats may hold no image.
        if end > begin and not self._index.by_count:
            self._damage.add(DamageKind.SKIPPED, self._time_s(begin), end - begin)

    def _note_size(self, size: tuple[int, int], frame: Frame) -> tuple[int, int]:
        new = (frame.width, frame.height)
        if size not in ((0, 0), new):
            self._damage.add_sentence(
                UserText(
                    "the frame size changes from {before} to {size} at {time}",
                    before=f"{size[0]}x{size[1]}",
                    size=f"{new[0]}x{new[1]}",
                    time=clock(frame.pts_s),
                )
            )
        return new

    def _read_info(self, declared_fps: float | None) -> SourceInfo:
        """Decode one frame to learn the image size and to check that the file can be decoded."""
        decoder = Decoder(self._path, self._index, self._decoding)
        try:
            first, image = decoder.first_image(self._first)
            frame = self._frame(first, image)
            notes = (*self._index.notes, *decoder.notes(first))
        finally:
            decoder.close()
        return SourceInfo(
            name=self._path.name,
            path=str(self._path),
            width=frame.width,
            height=frame.height,
            fps=mean_fps(self._index.times_s[self._first : self._end]) or declared_fps,
            frames=self._end - self._first,
            live=False,
            notes=notes,
            cut_off=self._index.cut_off if self._end == len(self._index) else None,
        )


def _indexed(path: Path) -> tuple[VideoIndex, float | None]:
    """Return the file's index and the frame rate that the file declares."""
    container = open_container(path)
    try:
        stream = video_stream(container, path)
        index = read_index(path, container, stream)
        rate = stream.average_rate or stream.guessed_rate
    finally:
        container.close()
    if not len(index):
        raise SourceError(
            "{path} contains no frames, it is truncated or empty: copy it again", path=path
        )
    return index, float(rate) if rate else None
