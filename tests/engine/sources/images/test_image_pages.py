"""Stacks and animations give all their pages, and images are turned upright."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.sources.image_pages import pages_of, read_image
from steadymark.engine.sources.image_sequence import ImageSequence

if TYPE_CHECKING:
    from pathlib import Path

DURATIONS_MS = [40, 60, 80, 100]


def images(count: int = 4, channels: int = 3) -> list[np.ndarray[tuple[int, ...], np.dtype]]:
    """Images whose grey value tells their number."""
    return [np.full((20, 30, channels), 40 * i + 20, np.uint8) for i in range(count)]


def numbers(source: ImageSequence) -> list[int]:
    """The number of each frame, as its grey value tells it."""
    return [round((float(frame.image.mean()) - 20) / 40) for frame in source.frames()]


def test_all_pages_of_a_tiff_stack_are_frames(tmp_path: Path) -> None:
    file = tmp_path / "stack.tif"
    assert cv2.imwritemulti(str(file), images())
    source = ImageSequence([file])
    assert numbers(source) == [0, 1, 2, 3]
    assert source.info.frames == 4
    assert "one sequence with 25 frames per second" in source.info.notes[0]
    assert round((float(source.frame_at(2).image.mean()) - 20) / 40) == 2


@pytest.mark.parametrize("name", ["animation.webp", "animation.png", "animation.apng"])
def test_an_animation_keeps_its_times(tmp_path: Path, name: str) -> None:
    animation = cv2.Animation()
    animation.frames, animation.durations = images(), DURATIONS_MS
    written = tmp_path / name.replace(".apng", ".png")
    assert cv2.imwriteanimation(str(written), animation)
    file = written.rename(tmp_path / name)
    source = ImageSequence([file])
    assert numbers(source) == [0, 1, 2, 3]
    assert [f.pts_s for f in source.frames()] == pytest.approx([0, 0.04, 0.1, 0.18])
    assert source.info.notes == ()
    assert source.frame_at(3).pts_s == pytest.approx(0.18)


def test_pages_of_several_files_follow_each_other(tmp_path: Path) -> None:
    cv2.imwritemulti(str(tmp_path / "a.tif"), images()[:2])
    cv2.imwrite(str(tmp_path / "b.png"), images()[2])
    assert numbers(ImageSequence([tmp_path / "a.tif", tmp_path / "b.png"])) == [0, 1, 2]


@pytest.mark.parametrize("content", [b"", b"II*\0", b"\x89PNG\r\n\x1a\n acTL", b"RIFF ANIM"])
@pytest.mark.parametrize("suffix", ["tif", "png", "webp", "heic"])
def test_a_damaged_file_counts_as_one_page_that_cannot_be_read(
    tmp_path: Path, content: bytes, suffix: str
) -> None:
    file = tmp_path / f"damaged.{suffix}"
    file.write_bytes(content)
    assert len(pages_of(file)) == 1
    assert read_image(file) is None


def exif_png(image: np.ndarray[tuple[int, ...], np.dtype], orientation: int) -> bytes:
    """Return a PNG file with an EXIF orientation."""
    content = cv2.imencode(".png", image)[1].tobytes()
    exif = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    chunk = b"eXIf" + exif
    length, check = struct.pack(">I", len(exif)), struct.pack(">I", zlib.crc32(chunk))
    return content[:33] + length + chunk + check + content[33:]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_with_and_without_alpha_are_turned_alike(tmp_path: Path, orientation: int) -> None:
    plain = np.random.default_rng(0).integers(0, 255, (12, 20, 3), np.uint8)
    opaque = np.dstack([plain, np.full((12, 20), 255, np.uint8)])
    found = []
    for name, image in (("plain.png", plain), ("alpha.png", opaque)):
        (tmp_path / name).write_bytes(exif_png(image, orientation))
        found.append(read_image(tmp_path / name))
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].shape == ((12, 20, 3) if orientation < 5 else (20, 12, 3))
    assert np.array_equal(found[0], found[1])


@pytest.mark.data
def test_heic_photos_of_a_folder_are_read(cases: Path) -> None:
    source = ImageSequence(sorted((cases / "suffixes" / "photos").iterdir()))
    assert [frame.image.shape for frame in source.frames()] == [(300, 400, 3)] * 2
