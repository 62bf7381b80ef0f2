"""Folders like aflw2000, with labels in two schemes, a yaw for each face, and parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import scipy.io

from steadymark.models.datasets import is_image_dataset, open_dataset
from steadymark.models.datasets.hard_faces import PARTS, exact_faces, turned_faces
from steadymark.models.errors import DataError
from steadymark.models.face.schema import IBUG68, IBUG68_3D
from support.two_schemes import JAW_PX, scheme_points, write_two_schemes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_two_schemes(tmp_path / "aflw2000")


def test_either_scheme_is_read_with_the_yaw_of_each_face(folder: Path) -> None:
    assert is_image_dataset(folder)
    (flat, _), (deep, defects) = open_dataset(folder), open_dataset(folder, schema=IBUG68_3D)
    assert not defects
    assert [face.schema for face in (flat[3], deep[3])] == [IBUG68, IBUG68_3D]
    assert [face.yaw_deg for face in deep[:4]] == [0, -2, 4, -6]
    np.testing.assert_allclose(flat[3].points, scheme_points(123, hidden_jaw=False), atol=1e-3)
    np.testing.assert_allclose(deep[3].points[:17, 0] - flat[3].points[:17, 0], JAW_PX, atol=1e-3)
    np.testing.assert_array_equal(deep[3].points[17:], flat[3].points[17:])
    assert flat[3].load_image().shape == deep[3].load_image().shape


def test_the_parts_are_disjoint_and_those_of_the_trainings(folder: Path) -> None:
    names = {
        part: {face.name for face in open_dataset(folder, schema=IBUG68_3D, part=part).faces}
        for part in PARTS
    }
    assert len(names["all"]) == 40
    assert names["exact"] == set(exact_faces(folder.parent))
    assert names["training"] == set(turned_faces(folder.parent, held_back=False))
    assert names["held-back"] == set(turned_faces(folder.parent, held_back=True))
    assert names["exact"] | names["training"] | names["held-back"] == names["all"]
    assert sum(len(names[part]) for part in PARTS if part != "all") == 40


def test_what_the_folder_does_not_have_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has landmarks of ibug68 and ibug68_3d, not of wflw98"):
        open_dataset(folder, schema="wflw98")
    with pytest.raises(DataError, match="unknown part 'half': choose one of all, exact"):
        open_dataset(folder, part="half")
    (folder / "0003.3d.pts").unlink()
    (defect,) = open_dataset(folder, schema=IBUG68_3D).defects
    assert "0003.3d.pts" in str(defect)
    (folder / "index.csv").unlink()
    with pytest.raises(DataError, match=r"index\.csv lists no face of the part 'all'"):
        open_dataset(folder)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(DataError, match="has no parts: leave the part 'exact' out"):
        open_dataset(other, part="exact")


def test_the_original_files_are_of_the_3d_scheme_and_hold_the_yaw(tmp_path: Path) -> None:
    points = scheme_points(120, hidden_jaw=True).T + 1
    angles = np.array([[0.1, -0.5, 0.2, 0, 0, 0, 1]])
    label = {"pt3d_68": np.vstack((points, np.zeros(68)))}
    for name, content in (("a", {**label, "Pose_Para": angles}), ("b", label)):
        scipy.io.savemat(tmp_path / f"{name}.mat", content)
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), np.full((240, 320, 3), len(content), np.uint8))
    first, second = open_dataset(tmp_path).faces
    assert first.schema == second.schema == IBUG68_3D
    assert first.yaw_deg == pytest.approx(np.degrees(-0.5))
    assert second.yaw_deg is None
