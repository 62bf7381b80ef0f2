"""Unusual videos, generated from recipes, some with their packets rearranged."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import av
import numpy as np

from support.videos.video_corpus import Recipe, bars, make, number_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from av.packet import Packet
    from av.video.stream import VideoStream

    Coded = Packet[VideoStream]
    Change = Callable[[int, Coded], Iterable[Coded]]


@dataclass(frozen=True)
class OddVideo:
    """name: of the file. make: writes the file into a folder and returns its path.

    ticks: presentation times in 1/25 s, where those of FFmpeg are missing or contradictory.
    quarters: number of 90° rotations counterclockwise that its images need.
    """

    name: str
    make: Callable[[Path], Path]
    ticks: Sequence[int] | None = None
    quarters: int = 0


def encoded(recipe: Recipe, **muxer: str) -> OddVideo:
    """The video of a recipe. muxer: options of the container."""
    return OddVideo(recipe.name, partial(_encode, recipe=recipe, muxer=muxer))


def repacked(
    name: str, recipe: Recipe, change: Change = lambda _, packet: (packet,), **muxer: str
) -> OddVideo:
    """The packets of a recipe, each changed, left out or doubled, in the container of `name`."""
    return OddVideo(name, partial(_repack, name=name, recipe=recipe, change=change, muxer=muxer))


def joined(name: str, *recipes: Recipe) -> OddVideo:
    """The concatenated files, as `cat` writes them."""

    def write(folder: Path) -> Path:
        parts = [make(folder, r).read_bytes() for r in recipes]
        (folder / name).write_bytes(b"".join(parts))
        return folder / name

    return OddVideo(name, write)


def edited(name: str, recipe: Recipe, edits: Sequence[tuple[int, int]]) -> OddVideo:
    """An MP4 with this edit list: (duration, start in the track or -1), in 1/25 s."""

    def write(folder: Path) -> Path:
        path = make(folder, replace(recipe, name=name))
        path.write_bytes(_with_edits(path.read_bytes(), edits))
        return path

    return OddVideo(name, write)


def _encode(folder: Path, *, recipe: Recipe, muxer: dict[str, str]) -> Path:
    path = make(folder, recipe)
    return _remuxed(path, path.with_name(f"m_{path.name}"), muxer=muxer) if muxer else path


def _repack(
    folder: Path, *, name: str, recipe: Recipe, change: Change, muxer: dict[str, str]
) -> Path:
    path = make(folder, replace(recipe, name=f"from_{recipe.name}"))
    return _remuxed(path, folder / name, change, muxer)


def _remuxed(
    path: Path,
    out: Path,
    change: Change = lambda _, packet: (packet,),
    muxer: dict[str, str] | None = None,
) -> Path:
    with av.open(path) as read, av.open(out, "w", options=muxer or {}) as write:
        copy = write.add_stream_from_template(read.streams.video[0])
        number = 0
        for packet in read.demux(read.streams.video[0]):
            if packet.size:
                for changed in change(number, packet):
                    changed.stream = copy
                    write.mux(changed)
                number += 1
    return out


def timed(ticks: Sequence[int | None], unit_s: Fraction = Fraction(1, 25)) -> Change:
    """Give the packets these presentation times; decoding times increase and lie before them."""

    def change(number: int, packet: Coded) -> tuple[Coded]:
        tick = ticks[number]
        packet.time_base = unit_s / 40
        packet.pts = None if tick is None else tick * 40
        packet.dts = (number - len(ticks)) * 40
        return (packet,)

    return change


def shifted(by_s: Fraction) -> Change:
    """Shift all times by `by_s`."""

    def change(_: int, packet: Coded) -> tuple[Coded]:
        by = round(by_s / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + by
        packet.dts = None if packet.dts is None else packet.dts + by
        return (packet,)

    return change


def without(lost: Iterable[int]) -> Change:
    """Leave out these packets."""
    numbers = frozenset(lost)
    return lambda number, packet: () if number in numbers else (packet,)


def _boxes(content: bytes, begin: int, end: int) -> dict[bytes, tuple[int, int]]:
    """Type → begin and end of the boxes in this range."""
    found: dict[bytes, tuple[int, int]] = {}
    while begin + 8 <= end:
        size, kind = struct.unpack_from(">I4s", content, begin)
        found.setdefault(kind, (begin, begin + size))
        begin += max(8, size)
    return found


def _with_edits(content: bytes, edits: Sequence[tuple[int, int]]) -> bytes:
    """Replace the edit list; the index (moov) must be at the end of the file."""
    ranges = [_boxes(content, 0, len(content))[b"moov"]]
    for kind in (b"trak", b"edts", b"elst"):
        begin, end = ranges[-1]
        ranges.append(_boxes(content, begin + 8, end)[kind])
    moov, trak, _, old_range = ranges
    movie = _scale(content, _boxes(content, moov[0] + 8, moov[1])[b"mvhd"])
    media = _boxes(content, trak[0] + 8, trak[1])[b"mdia"]
    track = _scale(content, _boxes(content, media[0] + 8, media[1])[b"mdhd"])
    rows = b"".join(
        struct.pack(">IiI", span * movie // 25, -1 if start < 0 else start * track // 25, 1 << 16)
        for span, start in edits
    )
    new_list = struct.pack(">I4sII", 16 + len(rows), b"elst", 0, len(edits)) + rows
    grown = bytearray(content[: old_range[0]] + new_list + content[old_range[1] :])
    for begin, end in ranges[:-1]:
        struct.pack_into(
            ">I", grown, begin, end - begin + len(new_list) - (old_range[1] - old_range[0])
        )
    return bytes(grown)


def _scale(content: bytes, box: tuple[int, int]) -> int:
    """Time scale of an mvhd or mdhd box of version 0."""
    return int(struct.unpack_from(">I", content, box[0] + 20)[0])


def two_tracks(folder: Path) -> Path:
    """A large and a small video track in one file."""
    path = folder / "two_tracks.mkv"
    with av.open(path, "w") as container:
        streams = [_track(container, size) for size in ((48, 32), (96, 64))]
        for number in range(20):
            for stream in streams:
                image = bars(number, stream.width, stream.height)
                frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())
    return path


def _track(container: av.container.OutputContainer, size: tuple[int, int]) -> VideoStream:
    stream = container.add_stream("mpeg4", rate=25)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    return stream


def no_frames(folder: Path, name: str) -> Path:
    """A file with a video track without frames."""
    with av.open(folder / name, "w") as container:
        _track(container, (96, 64))
        container.start_encoding()
    return folder / name


_H264 = Recipe("h264.mp4", b_frames=2)
_X265 = "log-level=none:"

ODD_VIDEOS = (
    # codecs and profiles that are not in INTACT_VIDEOS
    encoded(Recipe("altref.webm", "libvpx-vp9", frames=40, extra={
        "auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "good", "cpu-used": "5"})),
    encoded(Recipe("hidden_av1.mkv", "libsvtav1", frames=24, gop=12)),
    encoded(Recipe("hidden_av1.webm", "libsvtav1", frames=24, gop=12)),
    encoded(Recipe("ten_bit_av1.mp4", "libsvtav1", "yuv420p10le", frames=12)),
    encoded(Recipe("full_vp9.webm", "libvpx-vp9", "yuv444p")),
    encoded(Recipe("open_hevc.mp4", "libx265", b_frames=3, gop=6, frames=30, extra={
        "x265-params": _X265 + "open-gop=1:keyint=6:min-keyint=6"})),
    encoded(Recipe("open_hevc.ts", "libx265", b_frames=3, gop=6, frames=30, extra={
        "x265-params": _X265 + "open-gop=1:keyint=6:min-keyint=6"})),
    encoded(Recipe("ten_hevc.mkv", "libx265", "yuv420p10le", b_frames=2)),
    encoded(Recipe("full_hevc.mkv", "libx265", "yuv444p", b_frames=2)),
    encoded(Recipe("high422.mkv", pixels="yuv422p10le", b_frames=2)),
    encoded(Recipe("lossless.mkv", pixels="yuv444p", extra={"qp": "0"})),
    encoded(Recipe("rgb.mkv", "libx264rgb", "bgr24", b_frames=2)),
    encoded(Recipe("pyramid.mp4", b_frames=7, gop=20, frames=40, extra={"b-pyramid": "normal"})),
    encoded(Recipe("open_gop.ts", b_frames=3, gop=6, frames=30, extra={
        "x264-params": "open-gop=1:log-level=0"})),
    encoded(Recipe("open_gop.mkv", b_frames=3, gop=6, frames=30, extra={
        "x264-params": "open-gop=1:log-level=0"})),
    encoded(Recipe("refresh.mkv", gop=8, frames=40, extra={"intra-refresh": "1"})),
    encoded(Recipe("refresh.mp4", gop=8, frames=40, extra={"intra-refresh": "1"})),
    encoded(Recipe("mbaff.ts", b_frames=2, extra={"flags": "+ildct+ilme"})),
    encoded(Recipe("mbaff.mp4", b_frames=2, extra={"flags": "+ildct+ilme"})),
    encoded(Recipe("mpeg4_b.mp4", "mpeg4", b_frames=2)),
    encoded(Recipe("mpeg4_b.mkv", "mpeg4", b_frames=2)),
    encoded(Recipe("interlaced.mp4", "mpeg4", b_frames=2, extra={"flags": "+ildct+ilme"})),
    encoded(Recipe("wmv.asf", "wmv2")),
    encoded(Recipe("small.3gp", "h263", width=176, height=144)),
    encoded(Recipe("mpeg1.mpg", "mpeg1video", b_frames=2)),
    encoded(Recipe("mjpeg.mov", "mjpeg", "yuvj420p", width=97, height=65)),
    encoded(Recipe("hq.mov", "prores_ks", "yuva444p10le", extra={"profile": "4444"})),
    encoded(Recipe("anim.apng", "apng", "rgb24")),
    encoded(Recipe("moved.nut", "ffv1", "bgr0")),
    # odd sizes
    encoded(Recipe("odd_h264.mp4", width=98, height=66, b_frames=2)),
    encoded(Recipe("odd_hevc.mkv", "libx265", "yuv444p", 97, 65, b_frames=2)),
    encoded(Recipe("odd_vp9.webm", "libvpx-vp9", width=97, height=65)),
    encoded(Recipe("odd_av1.mkv", "libsvtav1", width=98, height=66, frames=12)),
    # no times, no index
    replace(encoded(Recipe("raw.hevc", "libx265", b_frames=2)), ticks=range(20)),
    encoded(Recipe("raw.m4v", "mpeg4")),
    encoded(Recipe("raw.m2v", "mpeg2video", b_frames=2)),
    encoded(Recipe("raw.mjpeg", "mjpeg", "yuvj420p")),
    encoded(Recipe("raw.ivf", "libvpx-vp9")),
    encoded(Recipe("raw.obu", "libsvtav1", frames=12)),
    encoded(replace(_H264, name="fragments.mp4"), movflags="frag_keyframe+empty_moov"),
    encoded(replace(_H264, name="faststart.mov"), movflags="faststart"),
    encoded(replace(_H264, name="live.mkv"), live="1"),
    encoded(replace(_H264, name="negative_offsets.mp4"), movflags="negative_cts_offsets"),
    # times
    encoded(Recipe("uneven_b.mkv", ticks=[0, 1, 2, 3, 7, 8, 9, 30, 31, 33], unit=4, b_frames=2)),
    encoded(Recipe("uneven_vp9.webm", "libvpx-vp9", ticks=[0, 1, 5, 6, 7, 20, 21, 40], unit=4)),
    encoded(Recipe("uneven_av1.mp4", "libsvtav1", ticks=[0, 1, 5, 6, 7, 20, 21, 40], unit=4)),
    encoded(Recipe("uneven.gif", "gif", "gray", ticks=[0, 1, 2, 10, 12, 50], unit=1)),
    encoded(Recipe("gap.mkv", ticks=[*range(10), *range(50_000, 50_010)], b_frames=2)),
    encoded(Recipe("slow.mp4", rate=1, frames=6)),
    encoded(Recipe("fast.mkv", rate=1000, frames=30, b_frames=2)),
    encoded(Recipe("far.mkv", ticks=range(2_000_000, 2_000_012), b_frames=2)),
    repacked("wrap.ts", replace(_H264, name="a.ts"), shifted(Fraction(2**33 - 40_000, 90_000))),
    repacked("below_zero.mov", Recipe("a.mkv", "mjpeg", "yuvj420p", frames=12),
             timed(range(-5, 7)), avoid_negative_ts="disabled"),
    repacked("cut.mp4", _H264, shifted(Fraction(-13, 25)), avoid_negative_ts="disabled"),
    replace(repacked("cut.mkv", _H264, shifted(Fraction(-13, 25)), avoid_negative_ts="disabled"),
            ticks=range(20)),
    repacked("same.mov", Recipe("a.mkv", "mjpeg", "yuvj420p", frames=8),
             timed([0, 1, 2, 2, 2, 5, 6, 7])),
    replace(repacked("same_b.mkv", Recipe("a.mkv", b_frames=2, frames=9),
                     timed([0, 3, 1, 1, 6, 4, 5, 8, 7])), ticks=range(9)),
    repacked("all_same.mkv", Recipe("a.mkv", "mjpeg", "yuvj420p", frames=8), timed([0] * 8)),
    replace(repacked("back.mkv", Recipe("a.mkv", "mjpeg", "yuvj420p", frames=8),
                     timed([0, 1, 2, 7, 4, 5, 8, 9])), ticks=(0, 1, 2, 7, 7, 7, 8, 9)),
    replace(repacked("back_b.mkv", Recipe("a.mkv", b_frames=2, frames=9),
                     timed([20, 23, 21, 22, 6, 4, 5, 8, 7])),
            ticks=(0, 1, 2, 3, 4, 16, 17, 18, 19)),
    replace(repacked("begins_anew.mkv", Recipe("a.mkv", "mjpeg", "yuvj420p", frames=40),
                     timed([*range(20), *range(20)])), ticks=range(40)),
    repacked("missing.avi", Recipe("a.mkv", "mpeg4", frames=12), timed([None] * 12)),
    replace(joined("restart.ts", replace(_H264, name="a.ts"), replace(_H264, name="b.ts")),
            ticks=range(40)),
    # edit lists
    edited("trimmed.mp4", Recipe("a.mp4"), [(9, 7)]),
    edited("trimmed_b.mp4", _H264, [(9, 7)]),
    edited("delayed.mp4", _H264, [(10, -1), (20, 2)]),
    edited("swapped.mp4", Recipe("a.mp4"), [(8, 8), (8, 0)]),
    edited("twice.mp4", Recipe("a.mp4"), [(8, 0), (8, 0)]),
    edited("twice_b.mp4", _H264, [(8, 2), (8, 2)]),
    edited("pause.mp4", _H264, [(8, 2), (10, -1), (8, 10)]),
    # shape of the image
    *(replace(encoded(Recipe(f"turned_{90 * q}.mp4", rotation=90 * q, b_frames=2)), quarters=q)
      for q in (1, 2, 3)),
    replace(encoded(Recipe("turned_wide.mov", rotation=90, aspect=Fraction(16, 15), b_frames=2)),
            quarters=1),
    encoded(Recipe("anamorphic.mkv", aspect=Fraction(64, 45), b_frames=2)),
    replace(joined("grows.ts", Recipe("a.ts", b_frames=2), Recipe(
        "b.ts", width=192, height=128, b_frames=2, ticks=range(20, 40))), ticks=range(40)),
    joined("grows.mjpeg", Recipe("a.mjpeg", "mjpeg", "yuvj420p", frames=6),
           Recipe("b.mjpeg", "mjpeg", "yuvj420p", 192, 128, frames=6)),
    replace(joined("grows.h264", Recipe("a.h264", b_frames=2),
                   Recipe("b.h264", width=192, height=128, b_frames=2)), ticks=range(40)),
    # lost packets
    repacked("no_key.ts", replace(_H264, name="a.ts"), without(range(5))),
    repacked("no_key.mkv", replace(_H264, name="a.mkv"), without(range(5))),
    repacked("lost.mkv", replace(_H264, name="a.mkv"), without((9, 10))),
    repacked("lost_key.mp4", Recipe("a.mp4"), without((8,))),
    # few frames
    *(encoded(Recipe(f"one.{suffix}", codec, frames=1)) for suffix, codec in (
        ("webm", "libvpx-vp9"), ("avi", "mpeg4"), ("ts", "libx264"), ("mkv", "libsvtav1"),
        ("flv", "flv"))),
    encoded(Recipe("one.gif", "gif", "gray", frames=1)),
    encoded(Recipe("one.mov", "prores_ks", "yuv422p10le", frames=1)),
    replace(encoded(Recipe("one.hevc", "libx265", frames=1)), ticks=(0,)),
    encoded(Recipe("two.mp4", frames=2, b_frames=2)),
    OddVideo("two_tracks.mkv", two_tracks),
)  # fmt: skip

EMPTY = tuple(
    OddVideo(name, partial(no_frames, name=name))
    for name in ("none.mp4", "none.mkv", "none.avi", "none.mov", "none.ts")
)


def plain_decode(path: Path) -> tuple[list[float | None], list[int]]:
    """Decoded by FFmpeg: the time of each frame from the beginning of the file, and its number."""
    times: list[float | None] = []
    numbers = []
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        assert isinstance(stream, av.VideoStream)
        begin = (container.start_time or 0) / 1_000_000
        for frame in container.decode(stream):
            time_s = frame.time
            times.append(None if time_s is None else time_s - begin)
            numbers.append(number_in(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)))
    return times, numbers
