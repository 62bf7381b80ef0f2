"""A recording that can be looked at anywhere, while a part of it is being tracked."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.sources import open_source
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.resolve_input import is_live
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from steadymark.engine.core.types import Frame, SourceInfo
    from steadymark.models.user_text import UserText


class Media:
    """A video file or an image sequence, opened once for looking and tracking. Any thread.

    Raises:
        SourceError: it cannot be opened. UsageError: it is live, or several videos.
    """

    def __init__(self, text: str) -> None:
        if is_live(text):
            raise UsageError("{text} is live: track it with 'steadymark track {text}'", text=text)
        source = open_source(text)
        if not isinstance(source, VideoFile | ImageSequence):
            source.close()
            raise UsageError(
                "{text} is no recording: open a video file or a folder of pictures", text=text
            )
        self._source = source
        self._reading = threading.Lock()  # seeking while another piece is read would move that

    @property
    def info(self) -> SourceInfo:
        return self._source.info

    @property
    def problems(self) -> tuple[UserText, ...]:
        """What the last reading passed over."""
        return self._source.problems

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(frames,) when each is shown."""
        if isinstance(self._source, VideoFile):
            return self._source.times_s
        return np.arange(self.info.frames or 0) / (self.info.fps or 1.0)

    def frame_at(self, index: int) -> Frame:
        """Raises SourceError where the frame is damaged, or the film closed."""
        return self._source.frame_at(index)

    def piece(self, frames: range) -> MediaSegment:
        """These frames, for one tracking of them; a second piece waits for the first to end."""
        return MediaSegment(self._source, frames, self._reading)

    def close(self) -> None:
        """End every piece; may be called more than once."""
        self._source.close()


class MediaSegment:
    """A FrameSource over a run of frames of an opened film, which it leaves open; can be held.

    ended: all frames that can be had were given.
    """

    dropped = 0

    def __init__(
        self, source: VideoFile | ImageSequence, frames: range, reading: threading.Lock
    ) -> None:
        self._source, self._frames, self._reading = source, frames, reading
        self._closed, self._open = threading.Event(), threading.Event()
        self._open.set()
        self.ended = False

    @property
    def info(self) -> SourceInfo:
        return replace(self._source.info, frames=len(self._frames))

    @property
    def problems(self) -> tuple[UserText, ...]:
        return self._source.problems

    def hold(self) -> None:
        """Give no more frames until `go_on`."""
        if not self._closed.is_set():
            self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    def frames(self) -> Iterator[Frame]:
        with self._reading:
            for frame in self._given():
                self._open.wait()
                if self._closed.is_set():
                    return
                if frame.index >= self._frames.stop:
                    break
                yield frame
            self.ended = not self._closed.is_set()

    def close(self) -> None:
        """End `frames`."""
        self._closed.set()
        self._open.set()

    def _given(self) -> Iterator[Frame]:
        if isinstance(self._source, VideoFile):
            self._source.seek(self._frames.start)
            yield from self._source.frames()
            return
        for index in self._frames:
            try:
                yield self._source.frame_at(index)
            except SourceError:
                continue  # its frame stays without a result, which is shown
