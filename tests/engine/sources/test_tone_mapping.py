"""Frames with a high dynamic range become images that look as they should on a screen."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.sources.tone_mapping import HdrTransfer, tone_mapped
from steadymark.engine.sources.video.probe_report import probe
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from pathlib import Path

PQ_CODE = {0: 0.0, 10: 0.3022, 100: 0.5081, 203: 0.5807, 1000: 0.7518, 10_000: 1.0}  # by nits
HLG_WHITE = 0.75  # code value of graphics white (ITU-R BT.2408)


def grey(code: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """A pixel with the same code value in each channel."""
    return np.full((1, 1, 3), round(65535 * code), np.uint16)


def test_black_stays_black_and_brighter_light_stays_brighter() -> None:
    found = [tone_mapped(grey(code), HdrTransfer.PQ)[0, 0] for code in PQ_CODE.values()]
    assert all(np.ptp(pixel) <= 1 for pixel in found)
    values = [int(pixel[0]) for pixel in found]
    assert values[0] == 0
    assert values == sorted(set(values))
    assert values[-1] >= 254


@pytest.mark.parametrize(
    ("transfer", "code"), [(HdrTransfer.PQ, PQ_CODE[203]), (HdrTransfer.HLG, HLG_WHITE)]
)
def test_graphics_white_is_nearly_white(transfer: HdrTransfer, code: float) -> None:
    assert 230 <= int(tone_mapped(grey(code), transfer)[0, 0, 0]) <= 245


def test_light_below_the_knee_keeps_its_value() -> None:
    expected = 255 * (100 / 203) ** (1 / 2.4)
    found = int(tone_mapped(grey(PQ_CODE[100]), HdrTransfer.PQ)[0, 0, 0])
    assert found == pytest.approx(expected, abs=1)


def test_colours_keep_their_order_of_channels() -> None:
    image = np.zeros((1, 3, 3), np.uint16)
    image[0, [0, 1, 2], [0, 1, 2]] = 38_000  # red, green, blue
    assert tone_mapped(image, HdrTransfer.PQ)[0].argmax(-1).tolist() == [2, 1, 0]


def write_hdr(path: Path, transfer: HdrTransfer, code: float) -> None:
    """Write a grey video of 10 bits with these transfer characteristics."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, int(transfer), 9
        frame = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, value in zip(frame.planes, (64 + 876 * code, 512, 512), strict=True):
            plane.update(np.full(plane.buffer_size // 2, round(value), np.uint16).tobytes())
        for i in range(3):
            frame.pts, frame.time_base = i, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


@pytest.mark.parametrize(
    ("transfer", "code"), [(HdrTransfer.PQ, PQ_CODE[203]), (HdrTransfer.HLG, HLG_WHITE)]
)
def test_a_video_is_mapped_and_its_transfer_is_reported(
    tmp_path: Path, transfer: HdrTransfer, code: float
) -> None:
    path = tmp_path / "hdr.mp4"
    write_hdr(path, transfer, code)
    source = VideoFile(path)
    image = source.frame_at(1).image
    assert image.shape == (48, 64, 3)
    assert 225 <= image.mean() <= 248
    assert source.info.notes == (f"its high dynamic range ({transfer.name}) is mapped to 8 bits",)
    report = probe(path)
    assert (report.primaries, report.transfer) == ("bt2020", transfer.name)
    assert not report.interlaced


@pytest.mark.data
def test_an_interlaced_file_is_reported_as_such(cases: Path) -> None:
    report = probe(cases / "paff" / "gap.MTS")
    assert report.interlaced
    assert report.frames == 32
