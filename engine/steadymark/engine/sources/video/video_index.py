"""Index of a video file: its frames and their presentation times, read from the packets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.sources.damage_report import clock
from steadymark.engine.sources.time_spans import Seconds, uneven_share
from steadymark.engine.sources.video.container import packets
from steadymark.engine.sources.video.h264_fields import FieldReader
from steadymark.engine.sources.video.truncation import declared_end_s, find_cut_off
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from steadymark.engine.core.types import CutOff

Ticks = NDArray[np.int64]

FALLBACK_FPS = 25.0
_EVEN_TOLERANCE = 0.05
_LEAST_EVEN_SHARE = 0.8
# Bytes. In packed MPEG-4 (Xvid, DivX), a packet holds two frames and a later one is a placeholder;
# the frames' own times are wrong then, so frames are counted (as FFmpeg's mpeg4_unpack_bframes).
_LARGEST_PLACEHOLDER = 19
_MOST_REORDERED = 16  # Frames; H.264 and HEVC allow no more.


@dataclass(frozen=True, slots=True, eq=False)
class VideoIndex:
    """Index with one entry per frame, in presentation order.

    Attributes:
        ticks: Sorted presentation times, (N,) int64, in units of the stream's time base.
        times_s: Non-decreasing presentation times, (N,) float64, in seconds; 0 is the container's
            start.
        keys: Sorted presentation ticks of the keyframes and the tick to seek to for each, (K, 2)
            int64.
        keyframes: Number of keyframes.
        by_count: Whether frames are counted from the beginning of the file, because the time stamps
            do not identify them.
        has_times: Whether every packet has a presentation time.
        broken: Number of packets that are marked as damaged or were lost while reading.
        notes: Problems of the time stamps, as sentences.
        cut_off: How much is there if the file was cut off; None if it is whole.

    Raises:
        ValueError: The shapes of the arrays do not match.
    """

    ticks: Ticks
    times_s: Seconds
    keys: Ticks
    keyframes: int = 0
    by_count: bool = False
    has_times: bool = True
    broken: int = 0
    notes: tuple[UserText, ...] = ()
    cut_off: CutOff | None = None

    def __post_init__(self) -> None:
        if self.ticks.shape != self.times_s.shape or self.keys.shape[1:] != (2,):
            raise ValueError(f"{self.ticks.shape}, {self.times_s.shape}, {self.keys.shape}")

    def __len__(self) -> int:
        return len(self.times_s)

    def number_of(self, tick: int | None, after: int | None) -> int | None:
        """Return the number of the frame that is shown at a tick.

        Args:
            tick: Presentation tick; None if the decoder gives none.
            after: Number of the frame that was decoded before; None for the first one.

        Returns:
            The number; None if it is not a frame of the index, or was returned before.
        """
        if tick is not None:
            first = int(np.searchsorted(self.ticks, tick, "left"))
            last = int(np.searchsorted(self.ticks, tick, "right")) - 1
            if first <= last:
                number = first if after is None else max(first, after + 1)
                return number if number <= last else None
        follows = None if after is None else after + 1
        return follows if follows is not None and follows < len(self) else None


@dataclass(frozen=True, slots=True)
class _Entry:
    pts: int | None
    dts: int | None
    is_key: bool


def read_index(path: Path, container: InputContainer, stream: VideoStream) -> VideoIndex:
    """Read all packets of a file and build its index; the container is then at its end.

    Args:
        path: The file.
        container: Its open container.
        stream: Its video stream.

    Returns:
        The index.
    """
    index = _index_of(container, stream)
    if not len(index):
        return index
    cut_off = find_cut_off(path, container, stream, index.times_s)
    notes = (cut_off.sentence,) if cut_off else _early_end(index, container)
    return replace(index, cut_off=cut_off, notes=(*index.notes, *notes))


def _index_of(container: InputContainer, stream: VideoStream) -> VideoIndex:
    broken = 0

    def count(_: Exception) -> None:
        nonlocal broken
        broken += 1

    entries: list[_Entry] = []
    codec = stream.codec_context.name
    fields = FieldReader(stream.codec_context.extradata) if codec == "h264" else None
    packed = False
    for packet in packets(container, stream, count):
        broken += packet.is_corrupt
        packed = packed or (codec == "mpeg4" and packet.size <= _LARGEST_PLACEHOLDER)
        if packet.is_discard or _is_hidden(packet):
            continue
        if fields and fields.may_have_fields and fields.is_second_field(memoryview(packet)):
            continue
        entries.append(_Entry(packet.pts, packet.dts, packet.is_keyframe))
    if not entries:
        return VideoIndex(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 2), np.int64))
    known = [e.pts for e in entries if e.pts is not None]
    if len(known) < len(entries):
        return _without_times(entries, stream, broken)
    index = _with_times(np.array(known, np.int64), entries, container, stream, broken)
    return replace(index, by_count=True) if packed else index


def _with_times(
    ticks: Ticks, entries: list[_Entry], container: InputContainer, stream: VideoStream, broken: int
) -> VideoIndex:
    """Build the index of a file in which every packet has a presentation time."""
    notes = [_damaged_packets(broken)] if broken else []
    reorders = stream.codec_context.codec.reorder
    decreases = int(np.sum(ticks[1:] < ticks[:-1]))  # A difference could overflow int64.
    even_ticks = _even_ticks(ticks, entries, stream)
    in_order = np.sort(ticks)
    repeated = int(np.sum(in_order[1:] == in_order[:-1]))  # np.unique would import numpy.ma
    # AVI stores no presentation times; with these codecs PyAV gives decoding times instead.
    by_count = container.format.name == "avi" and stream.codec_context.name in ("h264", "hevc")
    if reorders:
        decoding_times = [e.dts for e in entries if e.dts is not None]
        if repeated or any(b < a for a, b in pairwise(decoding_times)) or _displaced(ticks):
            by_count = True
            ticks = np.sort(ticks) if even_ticks is None else even_ticks
            notes.append(
                UserText("the timestamps contradict each other: frames are counted instead")
            )
    elif decreases:
        by_count = True
        not_decreasing = np.maximum.accumulate(ticks)
        if even_ticks is not None and _longest(ticks < not_decreasing) > _MOST_REORDERED:
            ticks = even_ticks
            notes.append(UserText("the timestamps start again: frames are counted instead"))
        else:
            ticks = not_decreasing
            notes.append(
                UserText.counted(
                    "the timestamps decrease in 1 place: the latest timestamp is kept there",
                    "the timestamps decrease in {count} places: the latest timestamp is kept there",
                    count=decreases,
                )
            )
    elif repeated:
        notes.append(
            UserText.counted(
                "1 frame has the timestamp of the frame before it",
                "{count} frames have the timestamp of the frame before them",
                count=repeated,
            )
        )
    ticks = np.sort(ticks)
    unit_s = _unit_s(stream)
    origin = float(_origin(int(ticks[0]), container, stream))
    times = np.asarray((ticks.astype(np.float64) - origin) * unit_s, np.float64)
    return VideoIndex(
        ticks=ticks,
        times_s=times,
        keys=_seek_keys(entries, container, ticks),
        keyframes=sum(e.is_key for e in entries),
        by_count=by_count,
        broken=broken,
        notes=(*notes, *_missing(times, unit_s)),
    )


def _even_ticks(ticks: Ticks, entries: list[_Entry], stream: VideoStream) -> Ticks | None:
    """Return ticks at the declared rate; None if it fits neither the span nor the intervals."""
    rate = stream.average_rate or stream.guessed_rate
    if not rate or len(ticks) < 2:
        return None
    gap = 1 / float(rate) / _unit_s(stream)
    shown = [float(e.pts if e.dts is None else e.dts) for e in entries if e.pts is not None]
    steps = np.diff(shown)
    first, span = int(ticks[0]), int(ticks.max()) - int(ticks.min())
    even = float(np.mean(np.abs(steps - gap) <= max(1.0, _EVEN_TOLERANCE * gap)))
    if abs(gap * (len(ticks) - 1) - span) > _EVEN_TOLERANCE * span and even < _LEAST_EVEN_SHARE:
        return None
    return first + np.asarray(np.rint(np.arange(len(ticks)) * gap), np.int64)


def _displaced(ticks: Ticks) -> bool:
    """Return whether a frame is reordered further than any codec allows."""
    order = np.argsort(ticks, kind="stable")
    return bool(np.any(np.abs(order - np.arange(len(ticks))) > _MOST_REORDERED))


def _longest(mask: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def _missing(times: Seconds, unit_s: float) -> list[UserText]:
    """Return notes about missing packets that the container's demuxer does not report."""
    notes = []
    gaps = np.diff(times)
    if len(gaps) and uneven_share(times, unit_s) < _EVEN_TOLERANCE:
        middle = max(float(np.median(gaps)), unit_s)
        long = np.flatnonzero(gaps > 1.5 * middle + unit_s)
        lost = sum(round(float(gaps[i]) / middle) - 1 for i in long)
        if lost:
            notes.append(_missing_frames(lost, clock(float(times[long[0]]))))
    return notes


def _early_end(index: VideoIndex, container: InputContainer) -> tuple[UserText, ...]:
    """Return a note if a file without sound ends long before its declared end."""
    end_s, last_s = declared_end_s(container), float(index.times_s[-1])
    longest_s = float(np.max(np.diff(index.times_s), initial=0))
    if not index.has_times or container.streams.audio or end_s - last_s <= 1 + 2 * longest_s:
        return ()
    text = UserText(
        "it ends at {time} instead of {end}: it may be truncated",
        time=clock(last_s),
        end=clock(end_s),
    )
    return (text,)


def _damaged_packets(count: int) -> UserText:
    return UserText.counted("1 packet is damaged", "{count} packets are damaged", count=count)


def _missing_frames(count: int, time: str) -> UserText:
    return UserText.counted(
        "about 1 frame seems to be missing at {time}",
        "about {count} frames seem to be missing, the first ones at {time}",
        count=count,
        time=time,
    )


def _without_times(entries: list[_Entry], stream: VideoStream, broken: int) -> VideoIndex:
    """Build the index of a file in which some or all packets lack a presentation time.

    Times are interpolated between known ones if there are enough, or else follow from the rate.
    """
    count = np.arange(len(entries))
    at = np.array([i for i, e in enumerate(entries) if e.pts is not None])
    if len(at) > len(entries) // 2 and not stream.codec_context.codec.reorder:
        known = np.array([e.pts for e in entries if e.pts is not None], np.float64)
        between = np.maximum.accumulate(np.interp(count, at, known) * _unit_s(stream))
        times: Seconds = np.asarray(between - between[0], np.float64)
        note = UserText.counted(
            "1 frame has no timestamp: it is placed between its neighbours",
            "{count} frames have no timestamp: they are placed between their neighbours",
            count=len(entries) - len(at),
        )
    else:
        rate = stream.average_rate or stream.guessed_rate
        fps = float(rate) if rate else FALLBACK_FPS
        times = np.asarray(count / fps, np.float64)
        note = UserText(
            "the file has no timestamps: {fps:g} frames per second are assumed", fps=fps
        )
    return VideoIndex(
        ticks=np.arange(len(entries), dtype=np.int64),
        times_s=times,
        keys=np.zeros((0, 2), np.int64),
        keyframes=sum(e.is_key for e in entries),
        by_count=True,
        has_times=False,
        broken=broken,
        notes=(note,),
    )


def _seek_keys(entries: list[_Entry], container: InputContainer, ticks: Ticks) -> Ticks:
    """Return where to seek for each keyframe: by presentation in Matroska, else by decoding time.

    A keyframe that shares its time with another frame is left out, because a seek may miss it.
    """
    by_pts = "matroska" in container.format.name
    times, counts = np.unique(ticks, return_counts=True)
    shared = set(times[counts > 1].tolist())
    keys = [
        (e.pts, e.pts if by_pts or e.dts is None else min(e.pts, e.dts))
        for e in entries
        if e.is_key and e.pts is not None and e.pts not in shared
    ]
    return np.array(sorted(keys), np.int64).reshape(-1, 2)


def _origin(first: int, container: InputContainer, stream: VideoStream) -> int:
    """Return the tick of time 0: the container's start, which may be that of its audio.

    AVI's own start is a decoding time, so there the first frame is at 0.
    """
    if container.start_time is None or container.format.name == "avi":
        return first
    return min(round(container.start_time / 1_000_000 / _unit_s(stream)), first)


def _unit_s(stream: VideoStream) -> float:
    return float(stream.time_base or 1 / FALLBACK_FPS)


def _is_hidden(packet: Packet[VideoStream]) -> bool:
    """Return whether a VP8 frame is only a reference: its "show" bit is cleared."""
    context = packet.stream.codec_context
    return context.name in ("vp8", "libvpx") and not memoryview(packet)[0] >> 4 & 1
