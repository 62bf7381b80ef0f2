"""Untrusted image files: read, or reported as unreadable."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadymark.engine.sources.image_pages import read_image
from steadymark.models.datasets import read_300w
from steadymark.models.datasets.image_loaders import ImageFile
from steadymark.models.face.schema import load_schema
from support.malformed_files import corrupted, read_or_refused

if TYPE_CHECKING:
    from pathlib import Path

MAX_PIXELS = 1 << 28
NOISE = np.random.default_rng(0).integers(0, 255, (9, 12, 4), np.uint8)
VALID_FILES = [
    cv2.imencode(suffix, NOISE[..., :channels])[1].tobytes()
    for suffix, channels in ((".png", 3), (".png", 4), (".jpg", 3))
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures") / "a.png"


@given(content=st.one_of(*map(corrupted, VALID_FILES), st.binary(max_size=60)))
def test_an_image_is_read_or_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    image = read_image(path)
    labelled = read_or_refused(ImageFile(path), path.name)
    assert (image is None) == (labelled is None)
    if image is not None:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
        assert image.shape[0] * image.shape[1] <= MAX_PIXELS


def test_an_image_with_an_excessive_declared_size_is_skipped(tmp_path: Path) -> None:
    png = bytearray(cv2.imencode(".png", np.zeros((90, 90, 3), np.uint8))[1])
    points = "".join(f"{x} {y}\n" for x, y in load_schema().mean_shape * 40 + 45)
    for name in ("whole", "wild"):
        (tmp_path / f"{name}.png").write_bytes(png)
        (tmp_path / f"{name}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{points}}}\n")
        png[16:24] = (60_000).to_bytes(4, "big") * 2
        png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    faces, (defect,) = read_300w(tmp_path)
    assert [face.name for face in faces] == ["whole"]
    assert "wild.pts has no readable picture" in str(defect)
