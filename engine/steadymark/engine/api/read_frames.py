"""Reading of images and video frames, as the command line does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steadymark.engine.api.inputs import Image


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """A frame of a video.

    Attributes:
        image: (H, W, 3) uint8 in BGR order, upright, with square pixels.
        timestamp_s: The presentation time in seconds, as the container gives it.
        index: The frame's number, counted from 0.
    """

    image: Image
    timestamp_s: float
    index: int


def read_frames(
    source: str | Path, *, start_s: float | None = None, end_s: float | None = None
) -> Iterator[VideoFrame]:
    """Read the frames of a video, a folder of images, a camera or a stream.

    The presentation times are exact and equal those of `sm.track_video` and `steadymark track`;
    OpenCV's `VideoCapture` only gives approximate times. Videos are rotated upright.

    Args:
        source: A video file, a folder or pattern of images, `camera:0`, or the address of a
            stream (rtsp://…, http://…).
        start_s: The time in seconds of the first frame; None starts at the beginning.
        end_s: The time in seconds at which reading stops; None continues to the end.

    Yields:
        The frames in order. Frames of a camera that arrive while the caller is busy may be skipped,
        so that the image stays current.

    Raises:
        SourceError: The source cannot be opened, or reading it failed.
        UsageError: A start or an end was given for a camera.

    Example:
        >>> import steadymark as sm
        >>> frames = sm.read_frames(video, end_s=0.1)
        >>> next(frames).image.shape
        (480, 640, 3)
    """
    opened = open_source(str(source), start_s=start_s, end_s=end_s)
    try:
        for frame in opened.frames():
            yield VideoFrame(frame.image, frame.pts_s, frame.index)
    finally:
        opened.close()


def read_image(path: str | Path) -> Image:
    """Read an image file as the command line does: upright, 8 bits, BGR.

    Args:
        path: An image file, for example a PNG or a JPEG.

    Returns:
        (H, W, 3) uint8 in BGR order.

    Raises:
        SourceError: The file does not exist, or is not an image.
    """
    for frame in read_frames(path):
        return frame.image
    raise SourceError("{path} holds no picture", path=path)
