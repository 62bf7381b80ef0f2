"""Second fields of interlaced H.264 frames are recognised and share a frame's index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.sources.video.h264_fields import FieldReader
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from pathlib import Path

START = b"\0\0\0\1"
SLICE = b"\x41"


class BitWriter:
    """Writes bits and Exp-Golomb codes."""

    def __init__(self) -> None:
        self._bits = ""

    def bits(self, count: int, value: int) -> BitWriter:
        self._bits += f"{value:0{count}b}" if count else ""
        return self

    def golomb(self, *values: int) -> BitWriter:
        for value in values:
            code = f"{value + 1:b}"
            self._bits += "0" * (len(code) - 1) + code
        return self

    def bytes(self) -> bytes:
        padded = self._bits + "1" + "0" * (-(len(self._bits) + 1) % 8)
        return int(padded, 2).to_bytes(len(padded) // 8, "big")


def sequence(*, frames_only: bool, profile: int = 77) -> bytes:
    """Return a sequence parameter set with frame numbers of 4 bits."""
    bits = BitWriter().golomb(0)
    if profile == 100:
        bits.golomb(1, 0, 0).bits(1, 0).bits(1, 1)  # 4:2:0, 8 bits, with scaling lists
        bits.bits(1, 1).golomb(*[0] * 16).bits(7, 0)  # the first one is all 8
    bits.golomb(0, 2, 1).bits(1, 0).golomb(21, 17).bits(1, int(frames_only))
    return bytes([0x67, profile, 0, 30]) + bits.bytes()


def slice_unit(number: int, *, field: bool, bottom: bool = False) -> bytes:
    """Return the beginning of a slice."""
    bits = BitWriter().golomb(0, 5, 0).bits(4, number).bits(1, int(field))
    if field:
        bits.bits(1, int(bottom))
    return SLICE + bits.bytes() + b"\xaa" * 8


TOP = slice_unit(3, field=True)
BOTTOM = slice_unit(3, field=True, bottom=True)
NEXT_BOTTOM = slice_unit(4, field=True, bottom=True)
FRAME = slice_unit(4, field=False)


@pytest.mark.parametrize("profile", [77, 100])
def test_the_second_of_two_fields_is_recognised(profile: int) -> None:
    reader = FieldReader(START + sequence(frames_only=False, profile=profile))
    packets = [TOP, BOTTOM, FRAME, TOP, NEXT_BOTTOM, TOP, TOP]
    told = [reader.is_second_field(memoryview(START + packet)) for packet in packets]
    assert told == [False, True, False, False, False, False, False]


def test_parameter_sets_of_mp4_and_lengths_before_units_are_read() -> None:
    unit = sequence(frames_only=False)
    extradata = b"\1\x4d\0\x1e\xff\xe1" + len(unit).to_bytes(2, "big") + unit + b"\0"
    reader = FieldReader(extradata)
    packets = [len(p).to_bytes(4, "big") + p for p in (TOP, BOTTOM)]
    assert [reader.is_second_field(memoryview(packet)) for packet in packets] == [False, True]


def test_a_parameter_set_in_the_stream_is_read() -> None:
    reader = FieldReader(None)
    first = START + sequence(frames_only=False) + START + TOP
    assert [reader.is_second_field(memoryview(p)) for p in (first, START + BOTTOM)] == [False, True]


def test_a_stream_of_frames_has_no_fields() -> None:
    reader = FieldReader(START + sequence(frames_only=True))
    assert not reader.may_have_fields
    assert not reader.is_second_field(memoryview(START + FRAME))


@pytest.mark.parametrize("data", [b"", START, START + b"\x41", START + b"\x67\x4d", b"\0" * 64])
def test_damaged_packets_and_parameter_sets_hold_no_field(data: bytes) -> None:
    assert not FieldReader(data).is_second_field(memoryview(data))
    assert not FieldReader(b"\1" + data).is_second_field(memoryview(data))
    reader = FieldReader(START + sequence(frames_only=False))
    assert not reader.is_second_field(memoryview(data))


@pytest.mark.data
@pytest.mark.parametrize("name", ["paff/gap.MTS", "paff/fields.mp4", "packed_avi/xvid_packed.avi"])
def test_interlaced_and_packed_files_give_the_frames_that_ffmpeg_decodes(
    cases: Path, name: str
) -> None:
    with av.open(str(cases / name)) as container:
        expected = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    source = VideoFile(cases / name)
    frames = list(source.frames())
    assert not source.problems
    assert all(np.array_equal(f.image, e) for f, e in zip(frames, expected, strict=True))
    steps = np.diff([frame.pts_s for frame in frames])
    assert np.sum(np.abs(steps - 0.04) > 0.001) == ("gap" in name)
    again = source.frame_at(20)
    assert np.array_equal(again.image, frames[20].image)
    assert again.pts_s == frames[20].pts_s
    source.close()
