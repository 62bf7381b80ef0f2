"""Image files as a video: a folder, a pattern, or one image."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.core.image_order import ImageOrder
from steadymark.engine.core.types import Frame, SourceInfo
from steadymark.engine.sources.damage_report import DamageReport
from steadymark.engine.sources.image_arrangement import ImageArrangement, arrange, image_names
from steadymark.engine.sources.image_pages import PageReader, holds_video, pages_of
from steadymark.engine.sources.picture_reader import PictureReader
from steadymark.engine.sources.time_spans import frame_range, mean_fps
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steadymark.engine.sources.image_pages import ImagePage
    from steadymark.engine.sources.time_spans import Seconds
    from steadymark.models.face.crop import Image

IMAGE_FPS = 25.0


class ImageSequence:
    """A FrameSource over image files in the given order; sizes may differ.

    A file may have several pages (TIFF) or be an animation (WebP, APNG). Each image lasts 1/fps;
    the images of one animation have its own times. The index of a frame is its number in the file
    name, counted from the first one, or else the position of its image. An unreadable image and a
    missing number leave a gap. `info` gives the size of the first readable image.
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
        order: ImageOrder | None = None,
    ) -> None:
        if not files:
            raise UsageError("an image sequence needs at least one image")
        if fps is not None and not 0 < fps < 1e6:
            raise UsageError(
                "a frame rate of {fps} is not possible: give frames per second", fps=fps
            )
        paths = tuple(map(Path, files))
        arrangement = arrange(paths, order)
        self._pages, self._image_names = _placed(paths, arrangement)
        self._independent = arrangement.order is ImageOrder.INDEPENDENT
        self._reader = PageReader()
        durations = [page.duration_s for page in self._pages if page is not None]
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
        timeless = not fps and not animated and len(self._pages) > 1 and not self._independent
        first = self._first_image(name or shown)
        self._info = SourceInfo(
            name=name or Path(shown).name,
            path=shown,
            width=int(first.shape[1]),
            height=int(first.shape[0]),
            fps=self._fps,
            frames=self._end - self._first,
            live=False,
            notes=self._notes(arrangement.note, timeless=timeless),
            image_names=self._image_names,
            image_order=arrangement.order,
        )

    @property
    def info(self) -> SourceInfo:
        """Facts of the sequence; `frames` counts all frame indices, also those of gaps."""
        return self._info

    @property
    def times_s(self) -> Seconds:
        """The time of each frame index in seconds, (N,)."""
        return self._times_s

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
            page = self._pages[index]
            if page is None:
                continue
            image = self._reader.read(page)
            if image is None:
                name = self._image_names[index]
                self._damage.add_sentence(
                    UserText("{name} cannot be read and was skipped", name=name)
                )
            else:
                yield self._frame(index, image)

    def picture_reader(self) -> PictureReader:
        """Return a reader of single pictures."""
        none = np.zeros(0, np.int64)  # each picture is as easy as the others
        return PictureReader(lambda index: self.frame_at(index).image, lambda: None, none)

    def frame_at(self, index: int) -> Frame:
        """Return the image at a position.

        Args:
            index: Frame index, from 0.

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
        page = self._pages[index]
        if page is None:
            raise SourceError("there is no image for frame {index}", index=index)
        image = self._reader.read(page)
        if image is None:
            raise SourceError("{path} cannot be read: choose another one", path=page.file)
        return self._frame(index, image)

    def close(self) -> None:
        """End the iteration of `frames`."""
        self._closed.set()

    def _frame(self, index: int, image: Image) -> Frame:
        time_s = float(self._times_s[index])
        return Frame(image, index, time_s, time.perf_counter(), independent=self._independent)

    def _notes(self, decision: UserText | None, *, timeless: bool) -> tuple[UserText, ...]:
        notes = [] if decision is None else [decision]
        if timeless:
            notes.append(
                UserText(
                    "the images have no timestamps: they are taken as one sequence with {fps:g} "
                    "frames per second; if they show different people, track them with "
                    "'steadymark track --independent'",
                    fps=IMAGE_FPS,
                )
            )
        if missing := [index for index, page in enumerate(self._pages) if page is None]:
            notes.append(
                UserText(
                    "{missing} of {count} image numbers are missing after {name}: frame numbers "
                    "and times have gaps there",
                    missing=len(missing),
                    count=len(self._pages),
                    name=self._image_names[missing[0] - 1],
                )
            )
        return tuple(notes)

    def _first_image(self, shown: str) -> Image:
        for page in self._pages[self._first : self._end]:
            image = None if page is None else self._reader.read(page)
            if image is not None:
                return image
        files = list(dict.fromkeys(page.file for page in self._pages if page is not None))
        if len(files) == 1 and files[0].is_file() and not files[0].stat().st_size:
            raise SourceError("{path} is empty (0 bytes): copy or record it again", path=files[0])
        if len(files) == 1 and holds_video(files[0]):
            raise SourceError(
                "{path} is a video with the name of an image: rename it, for example to .mp4",
                path=files[0],
            )
        raise SourceError("{shown}: none of the images can be read: check the files", shown=shown)


def _placed(
    files: Sequence[Path], arrangement: ImageArrangement
) -> tuple[tuple[ImagePage | None, ...], tuple[str, ...]]:
    """Return the page of each frame index, None where there is none, and the name of its file.

    The pages of stacks and animations are counted instead of the numbers in the file names.
    """
    pages = [pages_of(file) for file in files]
    names = image_names(files)
    if any(len(of_file) > 1 for of_file in pages):
        by_file = [(page, name) for of, name in zip(pages, names, strict=True) for page in of]
        return tuple(page for page, _ in by_file), tuple(name for _, name in by_file)
    placed: list[ImagePage | None] = [None] * (arrangement.frames[-1] + 1)
    placed_names = [""] * len(placed)
    for frame, of_file, name in zip(arrangement.frames, pages, names, strict=True):
        placed[frame], placed_names[frame] = of_file[0], name
    return tuple(placed), tuple(placed_names)
