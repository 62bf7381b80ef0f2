"""Reads single pictures of short parts of a recording with little work, for thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image


class PictureReader:
    """Reads a picture of a range of frames; for one thread.

    Args:
        read: Returns the image of a frame, (H, W, 3) uint8 BGR. It raises SourceError.
        close: Releases the file.
        easy: Sorted numbers of the frames that can be read without others, such as keyframes.
    """

    def __init__(
        self, read: Callable[[int], Image], close: Callable[[], None], easy: NDArray[np.int64]
    ) -> None:
        self._read, self._close, self._easy = read, close, easy

    def picture(self, frames: range) -> Image:
        """Return the picture of one of these frames: an easy one, or else the middle one.

        Args:
            frames: One or more consecutive frames.

        Returns:
            The image, (H, W, 3) uint8 BGR.

        Raises:
            SourceError: The frame is damaged, or the reader is closed.
        """
        middle = frames[len(frames) // 2]
        first, end = np.searchsorted(self._easy, (frames.start, frames.stop))
        inside = self._easy[first:end]
        if len(inside):
            middle = int(inside[np.argmin(np.abs(inside - middle))])
        return self._read(middle)

    def close(self) -> None:
        """Release the file."""
        self._close()
