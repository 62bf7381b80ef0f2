"""From a decoded frame to the picture that is tracked: upright, square pixels, 8-bit BGR."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.reformatter import VideoReformatter

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from steadymark.models.face.crop import Image

_ALPHA_COMPONENTS = (2, 4)  # grey + alpha, colour + alpha
_WIDEST_PIXEL = 8


class FrameOrientation(NamedTuple):
    """Swap x and y, then mirror left-right, then up-down."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False


def orientation_of(frame: VideoFrame, stream: VideoStream) -> FrameOrientation:
    """How the decoded frame must be turned to stand upright.

    From the display matrix (a b; c d): x' = a x + c y, y' = b x + d y; angles between the right
    ones go to the nearest. Else from the old `rotate` tag, degrees clockwise.
    """
    # not frame.side_data: it ties the frame, and a decoder's megabytes, into a cycle that waits
    # for the garbage collector
    data = SideDataContainer(frame).get(Type.DISPLAYMATRIX)  # type: ignore[call-arg]
    if data is not None:
        a, b, _, c, d = (int(v) for v in np.frombuffer(bytes(data), np.int32)[:5])
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return FrameOrientation(False, a < 0, d < 0)
        return FrameOrientation(True, c < 0, b < 0)
    try:
        quarters = round(float(stream.metadata.get("rotate", "0")) / 90) % 4
    except ValueError:
        quarters = 0
    return (
        FrameOrientation(),
        FrameOrientation(True, True, False),
        FrameOrientation(False, True, True),
        FrameOrientation(True, False, True),
    )[quarters]


def square_size(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Size with square pixels; the side whose pixels are too short grows, so nothing is lost."""
    aspect = pixel_aspect or Fraction(1)
    if not Fraction(1, _WIDEST_PIXEL) <= aspect <= _WIDEST_PIXEL:  # nonsense in the file
        return width, height
    if aspect >= 1:
        return max(1, round(width * aspect)), height
    return width, max(1, round(height / aspect))


class FrameConverter:
    """Converts the frames of one stream; keeps the converter's tables from frame to frame.

    Transparent pictures are laid over black.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._reformatter = VideoReformatter()
        self._turns: dict[tuple[int, int], FrameOrientation] = {}

    def picture(self, frame: VideoFrame) -> Image:
        """(H, W, 3) uint8 BGR that owns its memory."""
        width, height = square_size(frame.width, frame.height, self._stream.sample_aspect_ratio)
        has_alpha = len(frame.format.components) in _ALPHA_COMPONENTS or frame.format.has_palette
        converted = self._reformatter.reformat(
            frame, width, height, "bgra" if has_alpha else "bgr24", threads=1
        ).to_ndarray()
        image: Image = over_black(converted) if has_alpha else np.array(converted, np.uint8)
        return _turned(image, self.turn(frame))

    def turn(self, frame: VideoFrame) -> FrameOrientation:
        """How frames of this size are turned: the first of them tells."""
        size = (frame.width, frame.height)
        if size not in self._turns:
            self._turns[size] = orientation_of(frame, self._stream)
        return self._turns[size]


def over_black(image: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Image:
    """(H, W, 4) uint8 or uint16 with straight alpha → (H, W, 3) uint8 that owns its memory."""
    full = 65535 if image.dtype == np.uint16 else 255
    colour, alpha = np.asarray(image[..., :3], np.uint32), np.asarray(image[..., 3:], np.uint32)
    if full == 65535:
        colour, alpha = colour // 257, alpha // 257
    return ((colour * alpha + 127) // 255).astype(np.uint8)


def _turned(image: Image, turn: FrameOrientation) -> Image:
    if turn.transpose:
        image = np.asarray(cv2.transpose(image), np.uint8)
    if turn.mirror_x or turn.mirror_y:
        image = np.asarray(cv2.flip(image, _FLIP[turn.mirror_x, turn.mirror_y]), np.uint8)
    return image


_FLIP = {(True, False): 1, (False, True): 0, (True, True): -1}
