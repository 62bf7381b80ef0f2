"""Image files as a video: a folder, a pattern, or one image."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.core.types import Frame, SourceInfo
from steadymark.engine.sources.damage_report import DamageReport
from steadymark.engine.sources.frame_conversion import over_black
from steadymark.engine.sources.time_spans import part
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steadymark.models.face.crop import Image

IMAGE_FPS = 25.0
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_WITH_ALPHA = (4, 6)


class ImageSequence:
    """A FrameSource over image files in the given order; each lasts 1/fps, and sizes may differ.

    The index of a frame is the position of its file, so an unreadable image leaves a gap. `info`
    gives the size of the first readable image. Images are turned according to their EXIF data, as
    OpenCV does; 16-bit images are converted to 8 bits; transparent PNG files are drawn over black.
    """

    dropped = 0

    def __init__(
        self,
        files: Sequence[str | Path],
        *,
        fps: float | None = None,
        name: str | None = None,
        path: str | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> None:
        if not files:
            raise UsageError("an image sequence needs at least one picture")
        if fps is not None and not 0 < fps < 1e6:
            raise UsageError(
                "a frame rate of {fps} makes no sense: give pictures per second", fps=fps
            )
        self._files = tuple(Path(f) for f in files)
        self._fps = fps or IMAGE_FPS
        shown = path or str(self._files[0])
        times = np.arange(len(self._files)) / self._fps
        self._first, self._end = part(times, start_s, end_s, shown)
        self._damage = DamageReport()
        self._closed = threading.Event()
        assumed = UserText(
            "pictures carry no time stamps: {fps:g} frames per second are assumed", fps=IMAGE_FPS
        )
        first = self._first_picture(shown)
        self._info = SourceInfo(
            name=name or Path(shown).name,
            path=shown,
            width=int(first.shape[1]),
            height=int(first.shape[0]),
            fps=self._fps,
            frames=self._end - self._first,
            live=False,
            notes=() if fps or len(self._files) == 1 else (assumed,),
        )

    @property
    def info(self) -> SourceInfo:
        """Facts of the sequence; `frames` counts all files, readable or not."""
        return self._info

    @property
    def problems(self) -> tuple[UserText, ...]:
        """Images that the last iteration could not read."""
        return self._damage.sentences()

    def frames(self) -> Iterator[Frame]:
        """Yield every readable image once, in order."""
        self._damage = DamageReport()
        for index in range(self._first, self._end):
            if self._closed.is_set():
                return
            image = read_image(self._files[index])
            if image is None:
                self._damage.tell(
                    UserText("{name} cannot be read and was skipped", name=self._files[index].name)
                )
            else:
                yield self._frame(index, image)

    def frame_at(self, index: int) -> Frame:
        """Return the image at a position.

        Args:
            index: Position of the file, from 0.

        Returns:
            The frame.

        Raises:
            UsageError: There is no such position.
            SourceError: The image cannot be read.
        """
        if not 0 <= index < len(self._files):
            raise UsageError(
                "there are pictures 0 to {last}, not {index}",
                last=len(self._files) - 1,
                index=index,
            )
        image = read_image(self._files[index])
        if image is None:
            raise SourceError("{path} cannot be read: choose another one", path=self._files[index])
        return self._frame(index, image)

    def close(self) -> None:
        """End the iteration of `frames`."""
        self._closed.set()

    def _frame(self, index: int, image: Image) -> Frame:
        return Frame(image, index, index / self._fps, time.perf_counter())

    def _first_picture(self, shown: str) -> Image:
        for file in self._files[self._first : self._end]:
            image = read_image(file)
            if image is not None:
                return image
        raise SourceError("{shown}: none of the pictures can be read: check the files", shown=shown)


def read_image(path: Path) -> Image | None:
    """Read an image file; paths with any characters work.

    Args:
        path: The file.

    Returns:
        The upright image, (H, W, 3) uint8 BGR; None if it cannot be read.
    """
    try:
        data = np.fromfile(path, np.uint8)
        if not len(data):
            return None
        if _is_png_with_alpha(data):
            image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            if image is not None and image.ndim == 3 and image.shape[2] == 4:
                return over_black(image)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        return None
    return None if image is None else np.ascontiguousarray(image, np.uint8)


def _is_png_with_alpha(data: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bool:
    return len(data) > 26 and data[:8].tobytes() == _PNG and int(data[25]) in _PNG_WITH_ALPHA
