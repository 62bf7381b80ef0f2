"""Image files and their pages: TIFF stacks, animated WebP and APNG files, single images."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.sources.frame_conversion import over_black
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image

Bytes = NDArray[np.uint8]

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_WITH_ALPHA = (4, 6)
_STACKS = frozenset((".tif", ".tiff"))
_ANIMATED = {".png": b"acTL", ".apng": b"acTL", ".webp": b"ANIM"}  # marks near the start of a file
_BY_FFMPEG = frozenset((".heic", ".heif", ".avif"))
_HEAD_BYTES = 4096
_ORIENTATION_TAG = 0x0112
# How to turn an image upright for each EXIF orientation: whether to transpose it, and then the
# code of cv2.flip; None means no flip.
_UPRIGHT: dict[int, tuple[bool, int | None]] = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}


class ImagePage(NamedTuple):
    """One image of a file.

    Attributes:
        file: The file.
        page: Number of the image in the file, from 0.
        duration_s: How long an animation shows the image, in seconds; None if it is no animation.
    """

    file: Path
    page: int = 0
    duration_s: float | None = None


class PageReader:
    """Reads pages; it keeps the images of the last animation, which is decoded as a whole."""

    def __init__(self) -> None:
        self._animation: tuple[Path, list[Image]] | None = None

    def read(self, page: ImagePage) -> Image | None:
        """Read one image.

        Args:
            page: The page of a file.

        Returns:
            The upright image, (H, W, 3) uint8 BGR; None if it cannot be read.
        """
        if page.duration_s is not None:
            if self._animation is None or self._animation[0] != page.file:
                self._animation = (page.file, [image for image, _ in _animation(page.file)])
            images = self._animation[1]
            return images[page.page].copy() if page.page < len(images) else None
        if page.page:
            return _stack_page(page.file, page.page)
        return read_image(page.file)


def pages_of(file: Path) -> list[ImagePage]:
    """Return the pages of an image file; an unreadable file counts as one page."""
    suffix = file.suffix.lower()
    if suffix in _STACKS:
        try:
            return [ImagePage(file, number) for number in range(max(1, cv2.imcount(str(file))))]
        except cv2.error:
            return [ImagePage(file)]
    if suffix in _ANIMATED and _ANIMATED[suffix] in _head(file):
        shown = [ImagePage(file, i, seconds) for i, (_, seconds) in enumerate(_animation(file))]
        return shown if len(shown) > 1 else [ImagePage(file)]
    return [ImagePage(file)]


def read_image(path: Path) -> Image | None:
    """Read the first image of a file; paths with any characters work.

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
            return _without_alpha(data)
        image = _decoded(data)
    except (OSError, cv2.error):
        return None
    if image is None and path.suffix.lower() in _BY_FFMPEG:
        return _first_frame(path)
    return image


def _decoded(data: Bytes) -> Image | None:
    """Decode an image file; floating-point values from 0 to 1 become 0 to 255."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # no lines of OpenCV
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if image is not None:
            return np.ascontiguousarray(image, np.uint8)
        values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if values is None or values.dtype.kind != "f" or values.ndim not in (2, 3):
        return None
    return _opaque(np.asarray(np.clip(np.nan_to_num(values), 0, 1) * 255 + 0.5, np.uint8))


def holds_video(path: Path) -> bool:
    """Return whether FFmpeg finds several frames in a file."""
    try:
        film = VideoFile(path)
    except SteadymarkError:
        return False
    try:
        return (film.info.frames or 0) > 1
    finally:
        film.close()


def _first_frame(path: Path) -> Image | None:
    """Read an image format that only FFmpeg knows."""
    try:
        film = VideoFile(path)
        try:
            return film.frame_at(0).image
        finally:
            film.close()
    except SteadymarkError:
        return None


def _without_alpha(data: Bytes) -> Image | None:
    """Draw a transparent PNG over black, and turn it upright; OpenCV does not turn such images."""
    image, kinds, contents = cv2.imdecodeWithMetadata(data, cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        plain = cv2.imdecode(data, cv2.IMREAD_COLOR)
        return None if plain is None else np.ascontiguousarray(plain, np.uint8)
    opaque = over_black(image)
    for kind, content in zip(kinds, contents, strict=True):
        if kind == cv2.IMAGE_METADATA_EXIF:
            return _upright(opaque, _orientation(bytes(content)))
    return opaque


def _orientation(exif: bytes) -> int:
    """Return the orientation in EXIF data, 1 to 8; 1 if it states none."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (place,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, place)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, place + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG:
                return int(value)
    except struct.error:  # The data are truncated.
        pass
    return 1


def _upright(image: Image, orientation: int) -> Image:
    transposed, flip = _UPRIGHT.get(orientation, (False, None))
    turned = cv2.transpose(image) if transposed else image
    turned = turned if flip is None else cv2.flip(turned, flip)
    return np.ascontiguousarray(turned, np.uint8)


def _stack_page(file: Path, number: int) -> Image | None:
    try:
        found, images = cv2.imreadmulti(str(file), number, 1, flags=cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return np.ascontiguousarray(images[0], np.uint8) if found and images else None


def _animation(file: Path) -> list[tuple[Image, float]]:
    """Return the images of an animation and their durations in seconds; empty if unreadable."""
    try:
        found, animation = cv2.imdecodeanimation(np.fromfile(file, np.uint8))
    except (OSError, cv2.error):
        return []
    if not found:
        return []
    return [
        (_opaque(np.asarray(image)), max(float(milliseconds), 1.0) / 1000)
        for image, milliseconds in zip(animation.frames, animation.durations, strict=True)
    ]


def _opaque(image: NDArray[np.uint8]) -> Image:
    if image.ndim == 2:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    return over_black(image) if image.shape[2] == 4 else np.ascontiguousarray(image, np.uint8)


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD_BYTES)
    except OSError:
        return b""


def _is_png_with_alpha(data: Bytes) -> bool:
    return len(data) > 26 and data[:8].tobytes() == _PNG and int(data[25]) in _PNG_WITH_ALPHA
