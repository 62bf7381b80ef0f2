"""Untrusted MATLAB files: read, or refused in one sentence; the program never crashes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from steadymark.models.datasets import matlab5, matlab_hdf5, read_aflw2000, read_cofw
from steadymark.models.datasets.matlab5 import read_table
from steadymark.models.errors import DataError
from support.malformed_files import corrupted, read_or_refused

if TYPE_CHECKING:
    from pathlib import Path

XYZ = np.random.default_rng(0).uniform(20, 90, (3, 68))


def aflw2000_label(**options: Any) -> bytes:
    """A label file like those of AFLW2000-3D: tables, text and structures."""
    file = io.BytesIO()
    others = {"Pose_Para": np.zeros((1, 7)), "roi": {"a": 1, "b": "x"}, "t": "text"}
    scipy.io.savemat(file, {**others, "pt3d_68": XYZ, "last": np.eye(2)}, **options)
    return file.getvalue()


def cofw_file() -> bytes:
    """A file like that of COFW, with two faces."""
    file = io.BytesIO()
    random = np.random.default_rng(1)
    with h5py.File(file, "w") as h5:
        h5["phisT"] = np.vstack((random.uniform(10, 60, (58, 2)), np.zeros((29, 2))))
        h5["bboxesT"] = random.uniform(1, 40, (4, 2))
        cells = h5.create_dataset("IsT", (1, 2), h5py.ref_dtype)
        for i in range(2):
            image = random.integers(0, 255, (3, 80, 80), np.uint8)
            cells[0, i] = h5.create_dataset(f"#refs#/{i}", data=image).ref
    return file.getvalue()


PLAIN, COMPRESSED = aflw2000_label(), aflw2000_label(do_compression=True)
COFW = cofw_file()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matlab")
    cv2.imencode(".jpg", np.zeros((100, 100, 3), np.uint8))[1].tofile(path / "a.jpg")
    return path


@pytest.mark.parametrize("content", [PLAIN, COMPRESSED], ids=["plain", "compressed"])
@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", "u1", "<i2"])
def test_a_table_is_read_as_scipy_reads_it(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "a.mat"
    path.write_bytes(content)
    found = read_table(path, "pt3d_68")
    assert found is not None
    np.testing.assert_array_equal(found, XYZ)
    assert read_table(path, "roi") is read_table(path, "t") is read_table(path, "none") is None
    table = (XYZ % 99).astype(kind)
    scipy.io.savemat(path, {"a": table}, do_compression=content is COMPRESSED)
    found = read_table(path, "a")
    assert found is not None
    np.testing.assert_array_equal(found, table)


@given(content=st.one_of(corrupted(PLAIN), corrupted(COMPRESSED), corrupted(PLAIN[:400])))
def test_labels_of_aflw2000_are_read_or_skipped(folder: Path, content: bytes) -> None:
    (folder / "a.mat").write_bytes(content)
    data = read_aflw2000(folder)
    assert len(data.faces) + len(data.defects) == 1
    for defect in data.defects:
        assert defect.file.endswith("a.mat")
        assert "\n" not in defect.what


@given(content=st.one_of(corrupted(COFW), corrupted(COFW[:3000]).map(lambda b: b + COFW[3000:])))
def test_a_cofw_file_is_read_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "COFW_test_color.mat"
    path.write_bytes(content)
    read_or_refused(lambda: read_cofw(path), path.name)


def test_a_depth_too_large_for_float32_becomes_infinite(folder: Path) -> None:
    scipy.io.savemat(folder / "a.mat", {"pt3d_68": XYZ * [[1], [1], [1e300]]})
    (face,) = read_aflw2000(folder).faces
    assert face.depth is not None
    assert np.isinf(face.depth).all()


def test_a_table_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"pt3d_68": np.zeros((3, 100_000))}, do_compression=True)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(matlab5, "MOST_BYTES", 1 << 20)
    with pytest.raises(ValueError, match="unpacks to more than 1 MiB"):
        read_table(path, "pt3d_68")
    scipy.io.savemat(path, {"pt3d_68": XYZ.repeat(1000, 1)})
    with pytest.raises(ValueError, match="larger than 1 MiB"):
        read_table(path, "pt3d_68")


def test_a_table_without_stored_data_is_refused_if_it_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "COFW_test_color.mat"
    path.write_bytes(COFW)
    with h5py.File(path, "a") as file:
        del file["phisT"]
        file.create_dataset("phisT", (1 << 20, 1 << 20), np.float64, chunks=(64, 64))
    with pytest.raises(DataError, match="phisT has more than 256 MiB"):
        read_cofw(path)
    assert matlab_hdf5.MOST_BYTES == 256 << 20
