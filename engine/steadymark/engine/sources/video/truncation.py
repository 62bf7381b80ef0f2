"""Tell whether a video file was cut off: it ends before the end that its structure declares.

A wrong duration alone proves nothing, because many programs write one. The proof is a block of the
container that reaches beyond the end of the file.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from steadymark.engine.core.types import CutOff
from steadymark.engine.sources.damage_report import clock
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from steadymark.engine.sources.time_spans import Seconds

_MOST_BLOCKS = 100_000
_TELL_DURATION = ("matroska,webm", "avi", "asf", "flv")
_SLACK, _SLACK_WITH_SOUND = 0.6, 2.0  # frames by which images may end before the declared end
_ISO_MEDIA = (b"moov", b"moof", b"mdat")
_SEGMENT = b"\x18\x53\x80\x67"
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))  # bytes, and where the sync byte is
_TS_SYNC = b"\x47"


def find_cut_off(
    path: Path, container: InputContainer, stream: VideoStream, times_s: Seconds
) -> CutOff | None:
    """Return how much of a file is there if it was cut off.

    Args:
        path: The file.
        container: The open container, whose packets were read.
        stream: Its video stream.
        times_s: Times of the frames that are there, (N,), in seconds.

    Returns:
        The share that is there; None if the file is whole, or if its format does not tell.
    """
    name = container.format.name
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if not _ends_early(file, name, size):
            return None
    there, count = len(times_s), stream.frames
    if name.startswith("mov") and count:
        entries = stream.index_entries
        count = len(entries)
        there = sum(entry.pos + entry.size <= size for entry in entries)
    if count:
        return _of_frames(there, count) if there < count else None
    # The durations of the others are those of what is there.
    end_s = declared_end_s(container) if name in _TELL_DURATION else 0.0
    if not end_s:
        return CutOff(None, UserText("it is cut off: how much is missing is not known"))
    rate = stream.average_rate or stream.guessed_rate or 25
    gap_s = float(np.median(np.diff(times_s))) if there > 1 else 1 / float(rate)
    read_s = float(times_s[-1]) + gap_s
    slack = _SLACK_WITH_SOUND if container.streams.audio else _SLACK
    return _of_time(read_s, end_s) if end_s - read_s > slack * gap_s else None


def declared_end_s(container: InputContainer) -> float:
    """Return the end that a container declares, in seconds; 0.0 if it declares none."""
    end = container.duration or 0
    if container.format.name.startswith("matroska"):  # Its duration counts from the time 0.
        end -= container.start_time or 0
    return max(0.0, end / 1_000_000)


def _of_frames(there: int, count: int) -> CutOff:
    share = there / count
    sentence = UserText(
        "it is cut off: {there} of its {count} frames are there ({percent:.1f} %)",
        there=there,
        count=count,
        percent=100 * share,
    )
    return CutOff(share, sentence)


def _of_time(read_s: float, end_s: float) -> CutOff:
    share = read_s / end_s
    sentence = UserText(
        "it is cut off: it ends at {time} instead of {end} ({percent:.1f} %)",
        time=clock(read_s),
        end=clock(end_s),
        percent=100 * share,
    )
    return CutOff(share, sentence)


def _ends_early(file: BinaryIO, name: str, size: int) -> bool:
    """Return whether a block of the container reaches beyond the end of the file."""
    try:
        if name.startswith("mov"):
            return _iso_ends_early(file, size)
        if name.startswith("matroska"):
            return _segment_ends_early(file, size)
        if name == "avi":
            return _riff_ends_early(file, size)
        if name == "asf":
            return _asf_ends_early(file, size)
        if name == "flv":
            return _flv_ends_early(file, size)
    except struct.error:  # The file ends within the head of a block.
        return True
    return name == "mpegts" and _has_part_of_a_packet(file, size)


def _unpacked(file: BinaryIO, place: int, layout: str) -> tuple[int, ...]:
    file.seek(place)
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _iso_ends_early(file: BinaryIO, size: int) -> bool:
    place = 0
    for _ in range(_MOST_BLOCKS):
        if place + 8 > size:  # Cameras append a few bytes of their own.
            return False
        length, *kind = _unpacked(file, place, ">I4B")
        if length == 1:
            length = _unpacked(file, place + 8, ">Q")[0]
        if length and place + length > size:
            return bytes(kind) in _ISO_MEDIA
        if length < 8:  # 0 means up to the end of the file.
            return False
        place += length
    return False


def _segment_ends_early(file: BinaryIO, size: int) -> bool:
    place, identifier = 0, b""
    while identifier != _SEGMENT:
        file.seek(place)
        identifier = file.read(4)
        first = _unpacked(file, place + 4, "B")[0]
        width = 9 - first.bit_length()
        if not 1 <= width <= 8:
            return False
        file.seek(place + 4)
        length = int.from_bytes(file.read(width), "big") & ((1 << 7 * width) - 1)
        place += 4 + width + length
    return length != (1 << 7 * width) - 1 and place > size  # All ones mean an unknown length.


def _riff_ends_early(file: BinaryIO, size: int) -> bool:
    place = 0
    while place + 12 <= size:  # Files of more than 1 GB have several RIFF blocks.
        kind, length = struct.unpack("<4sI", _bytes_at(file, place, 8))
        if kind != b"RIFF":
            return False
        place += 8 + length
        if place > size:
            return True
        place += length % 2
    return False


def _asf_ends_early(file: BinaryIO, size: int) -> bool:
    if _bytes_at(file, 0, 16) != _ASF_HEADER:
        return False
    header = _unpacked(file, 16, "<Q")[0]
    return header + _unpacked(file, header + 16, "<Q")[0] > size


def _flv_ends_early(file: BinaryIO, size: int) -> bool:
    """Return whether the last tag is incomplete: its length is repeated behind it."""
    length = _unpacked(file, size - 4, ">I")[0]
    if not 11 <= length <= size - 17:
        return True
    return _unpacked(file, size - 4 - length, ">I")[0] & 0xFFFFFF != length - 11


def _has_part_of_a_packet(file: BinaryIO, size: int) -> bool:
    for length, sync in _TS_PACKETS:
        places = [sync + number * length for number in range(4)]
        if all(_bytes_at(file, place, 1) == _TS_SYNC for place in places):
            last = size // length * length + sync
            return bool(size % length) and _bytes_at(file, last, 1) == _TS_SYNC
    return False


def _bytes_at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)
