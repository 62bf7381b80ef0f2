"""Where the picture of a labelled face comes from; each can be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image

SUFFIXES = (".jpg", ".png")


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture on disk."""

    path: Path

    def __call__(self) -> Image:
        """Decode it.

        Raises:
            DataError: it is missing or no picture.
        """
        picture = _decoded(self.path)
        if picture is None:
            what = "is no readable picture" if _there(self.path) else "is missing"
            raise DataError(f"{self.path} {what}")
        return picture


@dataclass(frozen=True, slots=True)
class ImageBesideLabel:
    """The picture of a label file of the same name: .jpg, or where that is none, .png."""

    label: Path

    def __call__(self) -> Image:
        return self.found()[1]

    def found(self) -> tuple[Path, Image]:
        """Its file and content.

        Raises:
            DataError: there is none.
        """
        for suffix in SUFFIXES:
            file = self.label.with_suffix(suffix)
            picture = _decoded(file)
            if picture is not None:
                return file, picture
        raise DataError(f"{self.label} has no readable picture (.jpg or .png) beside it")


@dataclass(frozen=True, slots=True, eq=False)
class ImageInMemory:
    """A picture in memory."""

    image: Image

    def __call__(self) -> Image:
        return self.image


def _decoded(path: Path) -> Image | None:
    # not imread: it takes no non-ASCII names on Windows
    content = np.fromfile(path, np.uint8) if _there(path) else np.zeros(0, np.uint8)
    try:
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    except cv2.error:  # it says that it is larger than any picture
        return None
    return None if picture is None else picture.astype(np.uint8, copy=False)


def _there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no file can have such a name
        return False
