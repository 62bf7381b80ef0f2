"""Read single frames of a video file, for display and stepping."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.damage_report import clock
from steadymark.engine.sources.frame_conversion import AS_STORED, DecodeSettings
from steadymark.engine.sources.video.decoder import Decoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steadymark.engine.sources.video.decoder import DecodedFrame
    from steadymark.engine.sources.video.video_index import VideoIndex
    from steadymark.models.face.crop import Image


class FrameGrabber:
    """Reads any frame of one file; thread-safe. The file is opened at the first request."""

    def __init__(self, path: Path, index: VideoIndex, decoding: DecodeSettings = AS_STORED) -> None:
        self._decoding = decoding
        self._path = path
        self._index = index
        self._lock = threading.Lock()
        self._decoder: Decoder | None = None
        self._decoded: Iterator[DecodedFrame] = iter(())
        self._last = -1
        self._closed = False

    def image(self, number: int) -> Image:
        """Return the image of exactly this frame.

        Args:
            number: Number of the frame in the file.

        Returns:
            The image, (H, W, 3) uint8 BGR.

        Raises:
            SourceError: The frame is damaged, or the source is closed.
        """
        with self._lock:
            if self._closed:
                raise SourceError("{path} was closed: open it again", path=self._path)
            if self._decoder is None:
                self._decoder = Decoder(self._path, self._index, self._decoding)
            decoder = self._decoder
            if not self._is_ahead(number):
                self._decoded = decoder.frames(number)
            found = next((d for d in self._decoded if d.number >= number), None)
            self._last = found.number if found else len(self._index)
            if found is None or found.number != number:
                raise SourceError(
                    "{path}: frame {number} at {time} is damaged: choose another one",
                    path=self._path,
                    number=number,
                    time=clock(self._index.times_s[number]),
                )
            return decoder.to_image(found)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._closed = True
            self._decoded = iter(())
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None

    def _is_ahead(self, number: int) -> bool:
        """Return whether decoding on from the last frame is less work than seeking."""
        if self._last < 0 or number <= self._last:
            return False
        keys, ticks = self._index.keys[:, 0], self._index.ticks
        key = int(np.searchsorted(keys, ticks[number], "right")) - 1
        return key < 0 or bool(keys[key] <= ticks[self._last]) or number == self._last + 1
