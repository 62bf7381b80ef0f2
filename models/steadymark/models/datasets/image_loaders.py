"""Loaders of a labelled face's image; they can be pickled and sent to another process."""

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
    """Loader of an image file."""

    path: Path

    def __call__(self) -> Image:
        """Decode the file to (H, W, 3) uint8 BGR.

        Raises:
            DataError: The file is missing or is not an image.
        """
        image = _decode(self.path)
        if image is None:
            fault = "is no readable picture" if _is_file(self.path) else "is missing"
            raise DataError(f"{self.path} {fault}")
        return image


@dataclass(frozen=True, slots=True)
class ImageBesideLabel:
    """Loader of the .jpg with a label file's name, or of the .png if no .jpg is readable."""

    label: Path

    def __call__(self) -> Image:
        return self.found()[1]

    def found(self) -> tuple[Path, Image]:
        """Find and decode the image.

        Returns:
            The image's file, and the image (H, W, 3) uint8 BGR.

        Raises:
            DataError: There is no readable image.
        """
        for suffix in SUFFIXES:
            file = self.label.with_suffix(suffix)
            image = _decode(file)
            if image is not None:
                return file, image
        raise DataError(f"{self.label} has no readable picture (.jpg or .png) beside it")


@dataclass(frozen=True, slots=True, eq=False)
class ImageInMemory:
    """An image that is already decoded."""

    image: Image

    def __call__(self) -> Image:
        return self.image


def _decode(path: Path) -> Image | None:
    # cv2.imread cannot open non-ASCII names on Windows
    content = np.fromfile(path, np.uint8) if _is_file(path) else np.zeros(0, np.uint8)
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    except cv2.error:  # its header claims a size above OpenCV's limit
        return None
    return None if image is None else image.astype(np.uint8, copy=False)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is not valid on this system
        return False
