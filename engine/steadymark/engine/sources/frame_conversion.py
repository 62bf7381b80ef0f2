"""Convert a decoded frame to the image that is tracked: upright, square pixels, 8-bit BGR."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.reformatter import VideoReformatter

from steadymark.engine.core.errors import UsageError
from steadymark.engine.sources.tone_mapping import HdrTransfer, tone_mapped

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from steadymark.models.face.crop import Image

CLOCKWISE_DEG = (0, 90, 180, 270)
_ALPHA_COMPONENTS = (2, 4)  # Grey with alpha, and colour with alpha.
_WIDEST_PIXEL = 8


class FrameOrientation(NamedTuple):
    """How to turn an image upright: first swap x and y, then mirror left-right, then up-down."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False


_TURNS = (  # for each of CLOCKWISE_DEG
    FrameOrientation(),
    FrameOrientation(True, True, False),
    FrameOrientation(False, True, True),
    FrameOrientation(True, False, True),
)


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """What the user asks for when a video file is decoded.

    Attributes:
        deinterlace: Whether the two fields of each frame are joined to one image.
        rotate_deg: Clockwise rotation of the coded images, instead of that of the file: 0, 90, 180
            or 270; None for that of the file.

    Raises:
        UsageError: The rotation is not one of these.
    """

    deinterlace: bool = False
    rotate_deg: int | None = None

    def __post_init__(self) -> None:
        if self.rotate_deg not in (None, *CLOCKWISE_DEG):
            raise UsageError(
                "a video is rotated by 0, 90, 180 or 270 degrees, not by {given}",
                given=self.rotate_deg,
            )

    @property
    def told(self) -> dict[str, object]:
        """The settings that differ from the default, by name."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None and value is not False
        }


AS_STORED = DecodeSettings()


def orientation_of(frame: VideoFrame, stream: VideoStream) -> FrameOrientation:
    """Return how a decoded frame must be turned to be upright.

    It follows from the display matrix (a b; c d) with x' = a x + c y and y' = b x + d y, rounded to
    the nearest right angle. Without a matrix, it follows from the older `rotate` tag, in degrees
    clockwise.

    Args:
        frame: The decoded frame.
        stream: The stream of the frame.

    Returns:
        The orientation.
    """
    # frame.side_data would put the frame, and megabytes of the decoder, into a reference cycle
    # that only the garbage collector frees.
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
    return _TURNS[quarters]


def square_size(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Return the size of an image with square pixels; one side grows, so no detail is lost.

    Args:
        width: Coded width, in pixels.
        height: Coded height, in pixels.
        pixel_aspect: Width of a pixel divided by its height; None means square. Implausible values
            are ignored.

    Returns:
        Width and height, in pixels.
    """
    aspect = pixel_aspect or Fraction(1)
    if not Fraction(1, _WIDEST_PIXEL) <= aspect <= _WIDEST_PIXEL:  # The value is implausible.
        return width, height
    if aspect >= 1:
        return max(1, round(width * aspect)), height
    return width, max(1, round(height / aspect))


class FrameConverter:
    """Converts the frames of one stream to images; reuses the converter's tables.

    Transparent frames are drawn over black. Frames with a high dynamic range are tone-mapped.

    Args:
        stream: The stream of the frames.
        rotate_deg: Clockwise rotation instead of that of the file; None for that of the file.
    """

    def __init__(self, stream: VideoStream, *, rotate_deg: int | None = None) -> None:
        self._stream = stream
        self._asked = None if rotate_deg is None else _TURNS[CLOCKWISE_DEG.index(rotate_deg)]
        self._reformatter = VideoReformatter()
        self._orientations: dict[tuple[int, int], FrameOrientation] = {}

    def to_image(self, frame: VideoFrame) -> Image:
        """Convert a decoded frame to an upright image with square pixels.

        Args:
            frame: The decoded frame.

        Returns:
            The image, (H, W, 3) uint8 BGR, which owns its memory.
        """
        width, height = square_size(frame.width, frame.height, self._stream.sample_aspect_ratio)
        transfer = self.hdr_transfer(frame)
        if transfer is not None:
            wide = self._reformatter.reformat(frame, width, height, "rgb48le", threads=1)
            return _upright(
                tone_mapped(np.asarray(wide.to_ndarray(), np.uint16), transfer),
                self.orientation(frame),
            )
        has_alpha = len(frame.format.components) in _ALPHA_COMPONENTS or frame.format.has_palette
        converted = self._reformatter.reformat(
            frame, width, height, "bgra" if has_alpha else "bgr24", threads=1
        ).to_ndarray()
        image: Image = over_black(converted) if has_alpha else np.array(converted, np.uint8)
        return _upright(image, self.orientation(frame))

    def hdr_transfer(self, frame: VideoFrame) -> HdrTransfer | None:
        """Return the transfer characteristics if the frame has a high dynamic range."""
        context = self._stream.codec_context
        for transfer in (frame.color_trc, context.color_trc if context else None):
            if transfer in tuple(HdrTransfer):
                return HdrTransfer(int(transfer))
        return None

    def orientation(self, frame: VideoFrame) -> FrameOrientation:
        """Return the orientation of frames of this size, which the first of them defines."""
        if self._asked is not None:
            return self._asked
        size = (frame.width, frame.height)
        if size not in self._orientations:
            self._orientations[size] = orientation_of(frame, self._stream)
        return self._orientations[size]


def over_black(image: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Image:
    """Draw an image with straight alpha over black.

    Args:
        image: Image, (H, W, 4) uint8 or uint16.

    Returns:
        Image, (H, W, 3) uint8, that owns its memory.
    """
    full = 65535 if image.dtype == np.uint16 else 255
    colour, alpha = np.asarray(image[..., :3], np.uint32), np.asarray(image[..., 3:], np.uint32)
    if full == 65535:
        colour, alpha = colour // 257, alpha // 257
    return ((colour * alpha + 127) // 255).astype(np.uint8)


def _upright(image: Image, orientation: FrameOrientation) -> Image:
    if orientation.transpose:
        image = np.asarray(cv2.transpose(image), np.uint8)
    if orientation.mirror_x or orientation.mirror_y:
        image = np.asarray(
            cv2.flip(image, _FLIP[orientation.mirror_x, orientation.mirror_y]), np.uint8
        )
    return image


_FLIP = {(True, False): 1, (False, True): 0, (True, True): -1}
