"""Videos generated from recipes; each image shows its number as bars."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from av.video.stream import VideoStream

    from steadymark.models.face.crop import Image

BITS = 6


@dataclass(frozen=True)
class Recipe:
    """How a video is made. ticks: presentation times in units of 1/(rate*unit)."""

    name: str
    codec: str = "libx264"
    pixels: str = "yuv420p"
    width: int = 96
    height: int = 64
    frames: int = 20
    rate: int = 25
    ticks: Sequence[int] | None = None
    unit: int = 1
    gop: int = 8
    b_frames: int = 0
    rotation: float | None = None  # degrees counterclockwise that the player must turn
    aspect: Fraction | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def times(self) -> list[int]:
        return list(self.ticks if self.ticks is not None else range(self.frames))


INTACT_VIDEOS = (
    Recipe("h264_b.mp4", b_frames=2),
    Recipe("h264_b.mkv", b_frames=2),
    Recipe("h264_b.ts", b_frames=2),
    Recipe("h264_b.flv", b_frames=2),
    Recipe("h264_b.avi", b_frames=2),
    Recipe("raw.h264", b_frames=2),
    Recipe("hevc_b.mp4", codec="libx265", b_frames=2),
    Recipe("mpeg4_b.avi", codec="mpeg4", b_frames=2),
    Recipe("mpeg2.mpg", codec="mpeg2video", b_frames=2),
    Recipe("vp8.webm", codec="libvpx"),
    Recipe("vp9.webm", codec="libvpx-vp9"),
    Recipe("av1.mp4", codec="libsvtav1", frames=12),
    Recipe("mjpeg.avi", codec="mjpeg", pixels="yuvj420p"),
    Recipe("prores.mov", codec="prores_ks", pixels="yuv422p10le"),
    Recipe("animated.gif", codec="gif", pixels="gray"),
    Recipe("ten_bit.mkv", pixels="yuv420p10le", b_frames=2),
    Recipe("full_chroma.mkv", pixels="yuv444p"),
    Recipe("grey16.mkv", codec="ffv1", pixels="gray16le"),
    Recipe("odd.mkv", pixels="yuv444p", width=97, height=65),
    Recipe("odd_subsampled.mkv", codec="ffv1", width=97, height=65),
    Recipe("uneven.mp4", ticks=[0, 1, 2, 3, 7, 8, 9, 30, 31, 33, 34, 35, 50, 51], unit=4),
    Recipe("late_begin.mkv", ticks=range(50, 62)),
    Recipe("alone.mp4", frames=1),
    Recipe("open_gop.mp4", b_frames=3, gop=6, extra={"x264-params": "open-gop=1:log-level=0"}),
    Recipe("hidden.webm", codec="libvpx", extra={"auto-alt-ref": "1", "lag-in-frames": "16"}),
    Recipe("interlaced.ts", "mpeg2video", b_frames=3, extra={"flags": "+ildct+ilme"}),
)


def bars(number: int, width: int = 96, height: int = 64) -> Image:
    """An image of vertical bars, one for each bit, white for 1, on dark grey."""
    image = np.full((height, width, 3), 40, np.uint8)
    for bit in range(BITS):
        left, right = (width * bit // BITS, width * (bit + 1) // BITS)
        image[:, left:right] = 235 if number >> bit & 1 else 16
    return image


def number_in(image: Image) -> int:
    """The number that the bars in an image encode."""
    height, width = image.shape[:2]
    row = image[height // 2].mean(-1)
    return sum(int(row[int((bit + 0.5) * width / BITS)] > 127) << bit for bit in range(BITS))


@contextmanager
def _same_scheduling() -> Iterator[None]:
    """Undo what SVT-AV1 does to root: it makes the thread that encodes a real-time one (FIFO 99).

    The tests after it would take a core from everything else on the computer.
    """
    if not hasattr(os, "sched_getscheduler"):  # only Linux has it
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def make(folder: Path, recipe: Recipe, pictures: Sequence[Image] | None = None) -> Path:
    """Encode the video of a recipe, with bars unless `pictures` are given."""
    path = folder / recipe.name
    base = Fraction(1, recipe.rate * recipe.unit)
    with _same_scheduling(), av.open(path, "w") as container:
        stream = cast("VideoStream", container.add_stream(recipe.codec, rate=recipe.rate))
        stream.width, stream.height = recipe.width, recipe.height
        stream.pix_fmt = recipe.pixels
        stream.gop_size = recipe.gop
        stream.codec_context.time_base = base
        stream.codec_context.max_b_frames = recipe.b_frames
        stream.codec_context.options = _options(recipe.codec) | dict(recipe.extra)
        if recipe.rotation is not None:
            stream.set_display_rotation(recipe.rotation)
        if recipe.aspect is not None:
            stream.codec_context.sample_aspect_ratio = recipe.aspect
        for number, tick in enumerate(recipe.times):
            image = pictures[number] if pictures else bars(number, recipe.width, recipe.height)
            frame = av.VideoFrame.from_ndarray(image, "bgra" if image.shape[2] == 4 else "bgr24")
            frame = frame.reformat(format=recipe.pixels)
            frame.pts, frame.time_base = tick, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def make_sound(path: Path) -> Path:
    """A file that contains only sound."""
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for number in range(5):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 44100, number * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def packet_ticks(path: Path) -> list[int]:
    """Presentation times of the video packets, sorted, as stored in the container."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        return sorted(p.pts for p in container.demux(stream) if p.pts is not None and p.size)


def remuxed(path: Path, out: Path, ticks: Sequence[int]) -> Path:
    """The same packets with these presentation times, in 1/25 s."""
    with av.open(path) as read, av.open(out, "w") as write:
        copy = write.add_stream_from_template(read.streams.video[0])
        packets = (p for p in read.demux(read.streams.video[0]) if p.size)
        for number, (packet, tick) in enumerate(zip(packets, ticks, strict=True)):
            packet.pts, packet.dts = tick * 40, (number - 10) * 40
            packet.time_base, packet.stream = Fraction(1, 1000), copy
            write.mux(packet)
    return out


def _options(codec: str) -> dict[str, str]:
    options = {
        "libx264": {"preset": "ultrafast", "b_strategy": "0"},
        "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
        "libsvtav1": {"preset": "10", "svtav1-params": "lp=1"},
        "libvpx": {"deadline": "realtime", "cpu-used": "8"},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    }
    return options.get(codec, {})
