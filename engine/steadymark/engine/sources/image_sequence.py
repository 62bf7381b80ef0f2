"""Image files as a video: a folder, a pattern, or one image."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.core.types import Frame, SourceInfo
from steadymark.engine.sources.damage_report import DamageReport
from steadymark.engine.sources.image_pages import PageReader, pages_of
from steadymark.engine.sources.time_spans import frame_range, mean_fps
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steadymark.models.face.crop import Image

IMAGE_FPS = 25.0


class ImageSequence:
    """A FrameSource over image files in the given order; sizes may differ.

    A file may have several pages (TIFF) or be an animation (WebP, APNG). Each image lasts 1/fps;
    the images of one animation have its own times. The index of a frame is the position of its
    image, so an unreadable image leaves a gap. `info` gives the size of the first readable image.
    Images are turned according to their EXIF data, as OpenCV does; 16-bit images are converted to 8
    bits; transparent images are drawn over black.
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
            raise UsageError("an image sequence needs at least one image")
        if fps is not None and not 0 < fps < 1e6:
            raise UsageError(
                "a frame rate of {fps} is not possible: give frames per second", fps=fps
            )
        self._pages = tuple(page for file in files for page in pages_of(Path(file)))
        self._reader = PageReader()
        durations = [page.duration_s for page in self._pages]
        animated = fps is None and len(files) == 1 and durations[0] is not None
        self._fps = fps or IMAGE_FPS
        shown = path or str(files[0])
        self._times_s = np.arange(len(self._pages)) / self._fps
        if animated:
            self._times_s = np.cumsum([0.0, *(seconds or 0.0 for seconds in durations[:-1])])
            self._fps = mean_fps(self._times_s) or self._fps
        self._first, self._end = frame_range(self._times_s, start_s, end_s, shown)
        self._damage = DamageReport()
        self._closed = threading.Event()
        assumed = UserText(
            "the images have no timestamps: {fps:g} frames per second are assumed", fps=IMAGE_FPS
        )
        first = self._first_image(shown)
        self._info = SourceInfo(
            name=name or Path(shown).name,
            path=shown,
            width=int(first.shape[1]),
            height=int(first.shape[0]),
            fps=self._fps,
            frames=self._end - self._first,
            live=False,
            notes=() if fps or animated or len(self._pages) == 1 else (assumed,),
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
            image = self._reader.read(self._pages[index])
            if image is None:
                name = self._pages[index].file.name
                self._damage.add_sentence(
                    UserText("{name} cannot be read and was skipped", name=name)
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
        if not 0 <= index < len(self._pages):
            raise UsageError(
                "the images have numbers 0 to {last}: there is no image {index}",
                last=len(self._pages) - 1,
                index=index,
            )
        image = self._reader.read(self._pages[index])
        if image is None:
            path = self._pages[index].file
            raise SourceError("{path} cannot be read: choose another one", path=path)
        return self._frame(index, image)

    def close(self) -> None:
        """End the iteration of `frames`."""
        self._closed.set()

    def _frame(self, index: int, image: Image) -> Frame:
        return Frame(image, index, float(self._times_s[index]), time.perf_counter())

    def _first_image(self, shown: str) -> Image:
        for page in self._pages[self._first : self._end]:
            image = self._reader.read(page)
            if image is not None:
                return image
        raise SourceError("{shown}: none of the images can be read: check the files", shown=shown)
