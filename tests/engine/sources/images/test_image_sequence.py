"""Image sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.sources.image_pages import read_image
from steadymark.engine.sources.image_sequence import ImageSequence
from support.videos.video_corpus import Recipe, bars, make, number_in

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image


def write_image(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> Path:
    encoded, data = cv2.imencode(path.suffix, image)
    assert encoded
    path.write_bytes(data.tobytes())
    return path


def test_an_unreadable_image_leaves_a_gap_and_is_reported(tmp_path: Path) -> None:
    files = [write_image(tmp_path / f"{n}.png", bars(n)) for n in range(5)]
    files[2].write_bytes(b"no picture")
    files[0].write_bytes(b"")
    source = ImageSequence(files, fps=10)
    frames = list(source.frames())
    assert [f.index for f in frames] == [1, 3, 4]
    assert [number_in(f.image) for f in frames] == [1, 3, 4]
    assert [f.pts_s for f in frames] == pytest.approx([0.1, 0.3, 0.4])
    assert source.problems == (
        "0.png cannot be read and was skipped",
        "2.png cannot be read and was skipped",
    )
    with pytest.raises(SourceError, match=r"2\.png"):
        source.frame_at(2)
    assert number_in(source.frame_at(3).image) == 3


def test_the_assumed_frame_rate_is_noted(tmp_path: Path) -> None:
    files = [write_image(tmp_path / f"{n}.png", bars(n)) for n in range(2)]
    assert ImageSequence(files).info.fps == 25
    assert "25 frames per second" in ImageSequence(files).info.notes[0]
    assert ImageSequence(files, fps=50).info.notes == ()


def test_images_may_differ_in_size(tmp_path: Path) -> None:
    files = [write_image(tmp_path / f"{n}.png", bars(n, 60 + n, 40)) for n in range(3)]
    source = ImageSequence(files)
    assert [f.width for f in source.frames()] == [60, 61, 62]
    assert (source.info.width, source.info.height) == (60, 40)


def _alpha(top: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return a grey image whose left half is transparent."""
    image = np.full((8, 8, 4), top // 2)
    image[:, :4, 3], image[:, 4:, 3] = 0, top
    return image.astype(np.uint8) if top == 255 else image.astype(np.uint16)


@pytest.mark.parametrize(
    ("name", "image", "left", "right"),
    [
        ("grey.png", np.full((8, 8), 90, np.uint8), 90, 90),
        ("deep.png", np.full((8, 8, 3), 257 * 90, np.uint16), 90, 90),
        ("deep_grey.tiff", np.full((8, 8), 257 * 90, np.uint16), 90, 90),
        ("alpha.png", _alpha(255), 0, 127),
        ("deep_alpha.png", _alpha(65535), 0, 127),
        ("顔 é.jpg", np.full((8, 8, 3), 90, np.uint8), 90, 90),
        ("one.bmp", np.full((1, 1, 3), 90, np.uint8), 90, 90),
    ],
)
def test_every_image_format_becomes_bgr(
    tmp_path: Path, name: str, image: Image, left: int, right: int
) -> None:
    read = read_image(write_image(tmp_path / name, image))
    assert read is not None
    assert read.shape == (*image.shape[:2], 3)
    assert read.dtype == np.uint8
    assert abs(int(read[0, 0, 0]) - left) <= 1
    assert abs(int(read[0, -1, 0]) - right) <= 1


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    path = write_image(tmp_path / "phone.jpg", np.full((8, 16, 3), 90, np.uint8))
    plain = path.read_bytes()
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"  # orientation 6: turn clockwise
    tiff = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01" + entry + bytes(4)
    path.write_bytes(
        plain[:2] + b"\xff\xe1" + (len(tiff) + 2).to_bytes(2, "big") + tiff + plain[2:]
    )
    read = read_image(path)
    assert read is not None
    assert read.shape == (16, 8, 3)


def test_a_sequence_without_readable_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="none of the images"):
        ImageSequence([tmp_path / "a.png", tmp_path / "absent.png"])
    with pytest.raises(UsageError):
        ImageSequence([])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_tiff_with_floating_point_values_is_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], channels: int
) -> None:
    image = np.full((8, 16, channels), 0.5, np.float32)
    image[:, :8] = 2.0
    image[0, 0] = np.nan
    (tmp_path / "a.tiff").write_bytes(cv2.imencode(".tiff", image)[1].tobytes())
    capfd.readouterr()
    read = read_image(tmp_path / "a.tiff")
    assert read is not None
    assert read.shape == (8, 16, 3)
    assert [int(read[4, column, 0]) for column in (0, 15)] == [255, 128]
    assert int(read[0, 0, 2]) == 0
    assert capfd.readouterr().err == ""


def test_an_empty_image_and_a_video_with_the_name_of_an_image_are_told_apart(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"a\.png is empty \(0 bytes\)"):
        ImageSequence([tmp_path / "a.png"])
    make(tmp_path, Recipe("b.mp4", frames=3)).rename(tmp_path / "b.png")
    with pytest.raises(SourceError, match=r"b\.png is a video with the name of an image"):
        ImageSequence([tmp_path / "b.png"])
