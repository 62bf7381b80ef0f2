"""An open recording that can be viewed at any frame while a part of it is tracked."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.sources import open_source
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.input_paths import image_files
from steadymark.engine.sources.resolve_input import absolute, is_live
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Frame, SourceInfo
    from steadymark.engine.sources.picture_reader import PictureReader
    from steadymark.models.user_text import UserText


class Media:
    """A video file or an image sequence, opened once for viewing and tracking, from any thread.

    `state` identifies the content of its files, see `source_state`.

    Raises:
        SourceError: It cannot be opened.
        UsageError: It is live, or it consists of several videos.
    """

    def __init__(self, text: str) -> None:
        if is_live(text):
            raise UsageError("{text} is live: track it with 'steadymark track {text}'", text=text)
        self.state = source_state(text)  # before the file is read
        source = open_source(text)
        if not isinstance(source, VideoFile | ImageSequence):
            source.close()
            raise UsageError(
                "{text} is not a recording: open a video file or a folder of images", text=text
            )
        self._source = source
        # a seek would disturb another segment that is being read
        self._read_lock = threading.Lock()

    @property
    def info(self) -> SourceInfo:
        """The properties of the recording."""
        return self._source.info

    @property
    def problems(self) -> tuple[UserText, ...]:
        """The problems that the last reading skipped."""
        return self._source.problems

    @property
    def times_s(self) -> NDArray[np.float64]:
        """The presentation time of each frame in seconds, (frames,)."""
        return self._source.times_s

    def frame_at(self, index: int) -> Frame:
        """Return a frame. Raises SourceError if it is damaged or the recording is closed."""
        return self._source.frame_at(index)

    def picture_reader(self) -> PictureReader:
        """Return a reader of single pictures, which disturbs neither viewing nor tracking."""
        return self._source.picture_reader()

    def segment(self, frames: range) -> MediaSegment:
        """Return these frames for one tracking run.

        A second segment waits until the first one ends.
        """
        return MediaSegment(self._source, frames, self._read_lock)

    def close(self) -> None:
        """End every segment. This may be called more than once."""
        self._source.close()


class MediaSegment:
    """A FrameSource over a range of frames of an open recording. It can be paused.

    Closing it leaves the recording open.

    ended: whether all readable frames have been delivered.
    """

    dropped = 0

    def __init__(
        self, source: VideoFile | ImageSequence, frames: range, read_lock: threading.Lock
    ) -> None:
        self._source, self._frames, self._read_lock = source, frames, read_lock
        self._closed, self._running = threading.Event(), threading.Event()
        self._running.set()
        self.ended = False

    @property
    def info(self) -> SourceInfo:
        """The properties of the recording, with the number of frames of this segment."""
        return replace(self._source.info, frames=len(self._frames))

    @property
    def problems(self) -> tuple[UserText, ...]:
        """The problems that the last reading skipped."""
        return self._source.problems

    def pause(self) -> None:
        """Deliver no more frames until `resume` is called."""
        if not self._closed.is_set():
            self._running.clear()

    def resume(self) -> None:
        """Continue to deliver frames after `pause`."""
        self._running.set()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order. The call waits while another segment is being read."""
        with self._read_lock:
            for frame in self._read_frames():
                self._running.wait()
                if self._closed.is_set():
                    return
                if frame.index >= self._frames.stop:
                    break
                yield frame
            self.ended = not self._closed.is_set()

    def close(self) -> None:
        """End the iteration of `frames`."""
        self._closed.set()
        self._running.set()

    def _read_frames(self) -> Iterator[Frame]:
        if isinstance(self._source, VideoFile):
            self._source.seek(self._frames.start)
            yield from self._source.frames()
            return
        for index in self._frames:
            try:
                yield self._source.frame_at(index)
            except SourceError:
                continue  # the frame gets no result, and the window shows that


def source_state(path: str) -> str:
    """Return a text that changes when a recording is changed, replaced or moved.

    It consists of the path, the size and the time of the last change of each file. It is empty if
    there is no such file.
    """
    try:
        files = [Path(path)] if Path(path).is_file() else image_files(path)
        states = [(str(file), file.stat()) for file in files]
    except OSError:
        return ""
    lines = [f"{name} {state.st_size} {state.st_mtime_ns}" for name, state in states]
    text = "\n".join([absolute(path), *lines])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if lines else ""
