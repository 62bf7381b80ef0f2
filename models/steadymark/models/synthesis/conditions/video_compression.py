"""Video and JPEG compression of synthetic frames."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, Literal

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steadymark.models.face.crop import Image

Codec = Literal["libx264", "mpeg4", "ffv1"]
# Settings of live encoders. With look-ahead, x264 occasionally encodes the same frames differently.
_LIVE = {"x264-params": "bframes=0:mbtree=0:rc-lookahead=0:threads=1"}


def encode(
    file: BinaryIO | str,
    images: Iterable[Image],
    fps: int,
    codec: Codec,
    pix_fmt: str,
    options: dict[str, str] | None = None,
    *,
    places: Iterable[int] | None = None,
) -> None:
    """Write images as a Matroska video.

    Args:
        file: Path or binary file to write to.
        images: Images (H, W, 3) uint8 BGR of one size.
        fps: Frames per second.
        codec: FFmpeg's name of the encoder.
        pix_fmt: FFmpeg's name of the pixel format.
        options: Options of the encoder.
        places: Frame number of each image if some frames were dropped; by default 0, 1, 2, …
    """
    frames = list(images)
    height, width = frames[0].shape[:2]
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height = width, height
        stream.pix_fmt, stream.time_base = pix_fmt, Fraction(1, fps)
        for number, image in zip(places or range(len(frames)), frames, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = int(number), Fraction(1, fps)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def compressed(images: list[Image], fps: int, codec: str) -> list[Image]:
    """Encode and decode images, and return what the compression leaves of them.

    Args:
        images: Images (H, W, 3) uint8 BGR of one size.
        fps: Frames per second.
        codec: `none`, `h264-CRF`, `mpeg4-QSCALE` or `jpeg-QUALITY` (which webcams use).

    Raises:
        ValueError: The codec is unknown.
        RuntimeError: The decoder returns another number of frames.
    """
    kind, _, rate = codec.partition("-")
    if kind == "none":
        return images
    if kind == "jpeg":
        return [_jpeg(image, int(rate)) for image in images]
    if kind == "h264":
        return _recoded(images, fps, "libx264", {"crf": rate, **_LIVE})
    if kind == "mpeg4":
        return _recoded(images, fps, "mpeg4", {"qmin": rate, "qmax": rate, "threads": "1"})
    raise ValueError(f"unknown codec '{codec}'")


def _jpeg(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _recoded(images: list[Image], fps: int, codec: Codec, options: dict[str, str]) -> list[Image]:
    file = io.BytesIO()
    encode(file, images, fps, codec, "yuv420p", options)
    file.seek(0)
    with av.open(file, "r") as source:
        # Shared by all frames, because each reformatter computes its tables once.
        to_bgr = VideoReformatter()
        decoded = [
            to_bgr.reformat(frame, format="bgr24", threads=1).to_ndarray()
            for frame in source.decode(video=0)
        ]
    if len(decoded) != len(images):
        raise RuntimeError(f"{codec} gave back {len(decoded)} of {len(images)} frames")
    return [np.asarray(image, np.uint8) for image in decoded]
