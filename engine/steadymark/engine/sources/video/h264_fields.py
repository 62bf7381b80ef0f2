"""Tell which packets of an H.264 stream hold the second field of an interlaced frame.

Interlaced recordings (AVCHD, television) may store the two fields of a frame in packets of their
own. The decoder joins them, so the index must count such a pair as one frame. Only the parameter
sets and the beginning of each slice header are read (ITU-T H.264, 7.3.2.1.1 and 7.3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLICE, _IDR_SLICE, _SPS = 1, 5, 7
_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
_READ_BYTES = 1 << 14  # Of a packet; parameter sets and messages precede the slice.
_HEADER_BYTES = 40  # Of a slice.
_MOST_ZEROS = 32


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What a sequence parameter set says about slice headers."""

    frames_only: bool
    frame_number_bits: int
    separate_planes: bool


class _Bits:
    """Reads bits and Exp-Golomb codes; raises IndexError at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self._data = data.replace(b"\0\0\3", b"\0\0")  # Remove emulation prevention bytes.
        self._place = 0

    def bits(self, count: int) -> int:
        value = 0
        for _ in range(count):
            byte, bit = divmod(self._place, 8)
            value = value << 1 | self._data[byte] >> (7 - bit) & 1
            self._place += 1
        return value

    def golomb(self) -> int:
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > _MOST_ZEROS:
                raise IndexError("not an Exp-Golomb code")
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed_golomb(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


class FieldReader:
    """Reads the packets of one H.264 stream in their order.

    Args:
        extradata: The codec's extra data: `avcC` of MP4, or parameter sets with start codes.
    """

    def __init__(self, extradata: bytes | None) -> None:
        self._sequence: _Sequence | None = None
        self._length_bytes = 0  # Size of the length before each unit; 0 if start codes divide them.
        self._first: tuple[int, int] | None = None  # Frame number and parity of a first field.
        data = extradata or b""
        if data[:1] == b"\1" and len(data) > 6:
            self._length_bytes = (data[4] & 3) + 1
            for unit in _parameter_sets(data):
                self._read_sequence(unit)
        else:
            for unit in _units_by_start_code(data):
                self._read_sequence(unit)

    @property
    def may_have_fields(self) -> bool:
        """Whether the stream may contain fields, as far as it was read."""
        return self._sequence is None or not self._sequence.frames_only

    def is_second_field(self, packet: memoryview) -> bool:
        """Return whether a packet holds the second field of the frame before it.

        Args:
            packet: The data of the packet.

        Returns:
            True if the packet completes a frame; False for frames and first fields.
        """
        try:
            field = self._field_of(bytes(packet[:_READ_BYTES]))
        except IndexError:  # The packet is damaged.
            field = None
        first, self._first = self._first, None
        if field is None:
            return False
        number, bottom = field
        if first is not None and first == (number, 1 - bottom):
            return True
        self._first = field
        return False

    def _field_of(self, data: bytes) -> tuple[int, int] | None:
        """Return the frame number and parity of a field; None for a frame."""
        units = (
            _units_by_length(data, self._length_bytes)
            if self._length_bytes
            else _units_by_start_code(data)
        )
        for unit in units:
            kind = unit[0] & 31
            if kind == _SPS:
                self._read_sequence(unit)
            elif kind in (_SLICE, _IDR_SLICE):
                return self._slice_field(unit)
        return None

    def _slice_field(self, unit: bytes) -> tuple[int, int] | None:
        sequence = self._sequence
        if sequence is None or sequence.frames_only:
            return None
        bits = _Bits(unit[1:_HEADER_BYTES])
        for _ in ("first macroblock", "slice type", "picture parameter set"):
            bits.golomb()
        if sequence.separate_planes:
            bits.bits(2)
        number = bits.bits(sequence.frame_number_bits)
        return (number, bits.bits(1)) if bits.bits(1) else None

    def _read_sequence(self, unit: bytes) -> None:
        if unit[:1] and unit[0] & 31 == _SPS:
            try:
                self._sequence = _parsed(unit)
            except IndexError:
                self._sequence = None


def _parsed(unit: bytes) -> _Sequence:
    """Parse a sequence parameter set up to `frame_mbs_only_flag`."""
    profile = unit[1]
    bits = _Bits(unit[4:])
    bits.golomb()  # seq_parameter_set_id
    separate_planes = False
    if profile in _HIGH_PROFILES:
        chroma = bits.golomb()
        separate_planes = chroma == 3 and bool(bits.bits(1))
        bits.golomb(), bits.golomb(), bits.bits(1)  # depths, transform bypass
        if bits.bits(1):
            for i in range(12 if chroma == 3 else 8):
                if bits.bits(1):
                    _skip_scaling_list(bits, 16 if i < 6 else 64)
    frame_number_bits = bits.golomb() + 4
    order = bits.golomb()  # pic_order_cnt_type
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.bits(1)
        bits.golomb(), bits.golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.golomb()
    bits.golomb(), bits.bits(1)  # reference frames, gaps allowed
    bits.golomb(), bits.golomb()  # width, height
    return _Sequence(bool(bits.bits(1)), min(frame_number_bits, 16), separate_planes)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
        last = following or last


def _parameter_sets(avcc: bytes) -> Iterator[bytes]:
    """Yield the sequence parameter sets of an `avcC` record."""
    place = 6
    for _ in range(avcc[5] & 31):
        size = int.from_bytes(avcc[place : place + 2], "big")
        yield avcc[place + 2 : place + 2 + size]
        place += 2 + size


def _units_by_length(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """Yield the units of a packet in which the length stands before each unit."""
    place = 0
    while place + length_bytes < len(data):
        size = int.from_bytes(data[place : place + length_bytes], "big")
        place += length_bytes
        if size:
            yield data[place : place + size]
        place += size


def _units_by_start_code(data: bytes) -> Iterator[bytes]:
    """Yield the units of a packet that start codes divide."""
    for unit in data.split(b"\0\0\1")[1:]:
        if unit:
            yield unit
