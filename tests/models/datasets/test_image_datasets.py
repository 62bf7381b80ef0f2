"""Readers of labelled images, on small files in the exact layout of each data set."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import cv2
import h5py
import numpy as np
import pytest
import scipy.io

from steadymark.models.datasets import (
    Dataset,
    matlab_hdf5,
    open_dataset,
    read_300w,
    read_aflw2000,
    read_cofw,
    read_hrnet_csv,
    read_wflw,
)
from steadymark.models.datasets.photo_splits import photo_of
from steadymark.models.errors import DataError, SteadymarkError
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.training.data.face_images import load_faces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.models.face.crop import Image, Points

WIDTH, HEIGHT = 200, 160


def face(schema: str = "ibug68", *, shift: float = 0.0) -> Points:
    """Return landmarks at eighths of a pixel, which text and float32 represent exactly."""
    points = load_schema(schema).mean_shape * 80 + (90 + shift, 70)
    return (np.round(points * 8) / 8).astype(np.float32)


def noise_image(seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def save(path: Path, image: Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imencode(path.suffix, image)[1].tofile(path)


def pts(points: Points) -> str:
    """A .pts file, which counts pixels from 1."""
    rows = "".join(f"{x + 1:.6f} {y + 1:.6f}\n" for x, y in points)
    return f"version: 1\nn_points:  {len(points)}\n{{\n{rows}}}\n"


def wflw_line(points: Points, image: str, attributes: str = "0 1 0 0 1 0") -> str:
    """A line of WFLW's lists, which count pixels from 0."""
    return " ".join(f"{v:.6f}" for v in points.ravel()) + f" 50 30 130 110 {attributes} {image}\n"


def hrnet_head(count: int) -> str:
    names = [f"original_{i}_{axis}" for i in range(count) for axis in "xy"]
    return ",".join(["image_name", "scale", "center_w", "center_h", *names]) + "\n"


def hrnet_row(points: Points, image: str) -> str:
    return f"{image},0.5,90,70," + ",".join(f"{v:.6f}" for v in points.ravel()) + "\n"


def defects_by_file(data: Dataset) -> dict[str, str]:
    """Return what is wrong with each file, by the last part of its name."""
    return {
        defect.file.replace("\\", "/").rsplit("/", 1)[-1]: defect.what for defect in data.defects
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write three faces in 300W format in a folder with a non-ASCII name."""
    folder_path = tmp_path / "gesichter größe 顔"
    folder_path.mkdir()
    for i, name in enumerate(("helen_1_1", "helen_1_2", "lfpw_image_0007")):
        (folder_path / f"{name}.pts").write_text(pts(face(shift=i)), encoding="ascii")
        save(folder_path / f"{name}.{'png' if i else 'jpg'}", noise_image(i))
    return folder_path


def test_300w_is_read_in_the_order_of_names_from_pixel_0(folder: Path) -> None:
    faces, defects = read_300w(folder)
    assert defects == ()
    assert [f.name for f in faces] == ["helen_1_1", "helen_1_2", "lfpw_image_0007"]
    assert [f.source_photo for f in faces] == ["helen_1", "helen_1", "lfpw_image_0007"]
    for i, found in enumerate(faces):
        np.testing.assert_array_equal(found.points, face(shift=i))
        assert found.points.dtype == np.float32
    np.testing.assert_array_equal(faces[1].load_image(), noise_image(1))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(faces[2])).load_image(), noise_image(2))


@pytest.mark.parametrize(
    ("stem", "photo"),
    [
        ("134212_1", "134212"),
        ("afw_134212_2", "afw_134212"),
        ("image_0001", "image_0001"),
        ("image_003_1", "image_003"),
        ("lfpw_image_0001", "lfpw_image_0001"),
        ("plain", "plain"),
    ],
)
def test_the_photo_of_a_face_is_derived_from_its_name(stem: str, photo: str) -> None:
    assert photo_of(stem) == photo


def test_all_defects_in_a_folder_are_reported_and_left_out(folder: Path) -> None:
    good = face(shift=9)
    labels = {
        "a_no_picture": pts(good),
        "b_bad_picture": pts(good),
        "c_67_points": pts(good[:67]),
        "d_nan": pts(np.where(np.arange(68)[:, None] == 5, np.nan, good)),
        "e_outside": pts(good + (np.arange(68) == 30)[:, None] * np.array((170, 0))),
        "f_empty": "",
        "g_no_pts": "these are no points\n",
        "h_one_place": pts(np.full_like(good, 50)),
        "i_again": (folder / "helen_1_1.pts").read_text(),
        "j_near_the_edge": pts(face(shift=-58)),
    }
    for i, (name, text) in enumerate(labels.items()):
        (folder / f"{name}.pts").write_text(text, encoding="ascii")
        save(folder / f"{name}.jpg", noise_image(0 if name == "i_again" else i + 10))
    (folder / "a_no_picture.jpg").unlink()
    (folder / "b_bad_picture.jpg").write_bytes(b"\xff\xd8 no jpeg")
    data = read_300w(folder)
    assert [f.name for f in data.faces] == [
        "helen_1_1",
        "helen_1_2",
        "j_near_the_edge",
        "lfpw_image_0007",
    ]
    found = defects_by_file(data)
    expected = {
        "a_no_picture.pts": "has no readable picture",
        "b_bad_picture.pts": "has no readable picture",
        "c_67_points.pts": "has 67 points, 68 are expected",
        "d_nan.pts": "cannot be read: line 9",
        "e_outside.pts": "px outside its 200x160 picture",
        "f_empty.pts": "is empty",
        "g_no_pts.pts": "cannot be read: 0 lines contain '{'",
        "h_one_place.pts": "in one place",
        "i_again.pts": "is the same as",
    }
    assert found.keys() == expected.keys()
    for name, words in expected.items():
        assert words in found[name]
    assert "helen_1_1.pts" in found["i_again.pts"]
    assert str(data.defects[0]).startswith(str(folder / "a_no_picture.pts") + " has no")


def test_training_skips_defective_faces_and_logs_them(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "helen_1_1.jpg").unlink()
    faces = load_faces(folder, IBUG68)
    assert faces.names == ("helen_1_2", "lfpw_image_0007")
    assert faces.points.shape == (2, 68, 2)
    np.testing.assert_array_equal(faces.images[0], noise_image(1))
    assert "helen_1_1.pts has no readable picture" in caplog.text
    for image_file in folder.glob("*.png"):
        image_file.unlink()
    with pytest.raises(ValueError, match="no face that can be read"):
        load_faces(folder, IBUG68)


def test_wflw_is_read_from_pixel_0_with_box_and_attributes(tmp_path: Path) -> None:
    images = tmp_path / "WFLW_images"
    save(images / "0--Parade" / "0_a_1.jpg", noise_image())
    points = face("wflw98")
    table = tmp_path / "WFLW_annotations" / "list" / "list_98pt_rect_attr_test.txt"
    table.parent.mkdir(parents=True)
    name = "0--Parade/0_a_1.jpg"
    table.write_text(
        wflw_line(points, name)
        + wflw_line(points + 1, name, "0 0 0 0 0 0")  # another face of the photo
        + " ".join(f"{v:.6f}" for v in (points + 2).ravel())
        + f" {name}\n"
        + "\n"
        + wflw_line(points, "0--Parade/none.jpg")
        + wflw_line(points[:97], name)
        + wflw_line(points, name)
        + wflw_line(np.where(points == points[3], np.inf, points), name)
        + wflw_line(points, name).replace(" ", " x", 1)
    )
    for data in (read_wflw(table, images), open_dataset(table)):
        first, second, third = data.faces
        np.testing.assert_array_equal(first.points, points)
        assert first.box is not None
        assert first.box.tolist() == [50, 30, 130, 110]
        assert (first.attributes, second.attributes) == (("expression", "occlusion"), ())
        assert third.box is None
        assert {f.source_photo for f in data.faces} == {name}
        assert len({f.name for f in data.faces}) == 3
        found = defects_by_file(data)
        assert "is missing" in found["list_98pt_rect_attr_test.txt, line 5,"]
        assert "205 fields, 207" in found["list_98pt_rect_attr_test.txt, line 6,"]
        assert "is the same as" in found["list_98pt_rect_attr_test.txt, line 7,"]
        assert "no numbers" in found["list_98pt_rect_attr_test.txt, line 8,"]
        assert "no number" in found["list_98pt_rect_attr_test.txt, line 9,"]
        assert len(data.defects) == 5
        ibug = first.mapped("ibug68")
        np.testing.assert_array_equal(ibug.points[45], points[72])


@pytest.mark.parametrize(("count", "schema"), [(68, "ibug68"), (98, "wflw98"), (19, "aflw19")])
def test_a_table_of_hrnet_is_read_from_pixel_0(tmp_path: Path, count: int, schema: str) -> None:
    save(tmp_path / "images" / "afw" / "1.jpg", noise_image())
    points = face(schema)
    table = tmp_path / "face_landmarks.csv"
    table.write_text(
        hrnet_head(count)
        + hrnet_row(points, "afw/1.jpg")
        + hrnet_row(points, "afw/2.jpg")
        + hrnet_row(points, "afw/" + "a" * 300)
        + hrnet_row(points, "afw/1.jpg")
        + hrnet_row(points[1:], "afw/1.jpg")
        + hrnet_row(points, "afw/1.jpg").replace(f"{points[0, 0]:.6f}", "1e300")
        + hrnet_row(np.where(points == points[3], np.nan, points), "afw/1.jpg")
    )
    data = open_dataset(table)
    (found,) = data.faces
    assert found.schema == schema
    np.testing.assert_array_equal(found.points, points)
    assert found.box is not None
    assert found.box.tolist() == [40, 20, 140, 120]
    missing, fields = "is missing", f"has {2 + 2 * count} fields"
    faults = (f"2.jpg {missing}", f"aaa {missing}", "is the same as", fields, "no n", "no n")
    for defect, words in zip(data.defects, faults, strict=True):
        assert words in defect.what


def test_a_table_of_hrnet_can_be_read_with_another_schema(tmp_path: Path) -> None:
    save(tmp_path / "images" / "1.jpg", noise_image())
    table = tmp_path / "points.csv"
    table.write_text(hrnet_head(68) + hrnet_row(face(), "1.jpg"))
    (found,) = read_hrnet_csv(table, tmp_path / "images", "fgnet68").faces
    assert found.schema == "fgnet68"
    with pytest.raises(DataError, match="68 points, wflw98 has 98"):
        read_hrnet_csv(table, tmp_path / "images", "wflw98")
    with pytest.raises(DataError, match="name the folder"):
        read_hrnet_csv(table, tmp_path / "nowhere")
    table.write_text(hrnet_head(5) + "1.jpg,1,1,1" + ",1" * 10)
    with pytest.raises(DataError, match="5 points: name their schema"):
        open_dataset(table)


def write_cofw(path: Path, part: str, points: list[Points], images: list[Image]) -> None:
    """Write a file as MATLAB 7.3 does: every table transposed, images behind references."""
    hidden = np.zeros(29)
    hidden[[3, 17]] = 1
    rows = [np.concatenate((p[:, 0] + 1, p[:, 1] + 1, hidden)) for p in points]
    with h5py.File(path, "w", userblock_size=512) as file:
        file[f"phis{part}"] = np.array(rows).T
        file[f"bboxes{part}"] = np.array([[11.0, 21.0, 30.0, 40.0]] * len(rows)).T
        cells = file.create_dataset(f"Is{part}", (1, len(images)), h5py.ref_dtype)
        for i, image in enumerate(images):
            cell = file.create_dataset(f"#refs#/{i}", data=image.T)  # (3, W, H) or (W, H)
            cells[0, i] = cell.ref


@pytest.mark.parametrize("part", ["Tr", "T"])
def test_cofw_is_read_from_pixel_0_with_visibility(tmp_path: Path, part: str) -> None:
    path = tmp_path / "COFW_träin_color.mat"
    points, colour = face("cofw29"), noise_image()
    grey = np.ascontiguousarray(colour[..., 1])
    far = points + (np.arange(29) == 9)[:, None] * np.array((0, 500))
    lost = np.where(np.arange(29)[:, None] == 3, np.nan, points)
    write_cofw(
        path,
        part,
        [points, points + 1, far, lost, points],
        [colour[..., ::-1], grey, colour, colour, colour[..., ::-1]],
    )
    data = open_dataset(path)
    first, second = data.faces
    np.testing.assert_array_equal(first.points, points)
    np.testing.assert_array_equal(first.load_image(), colour)
    np.testing.assert_array_equal(second.load_image(), np.repeat(grey[..., None], 3, 2))
    assert first.visible is not None
    assert np.flatnonzero(~first.visible).tolist() == [3, 17]
    assert first.box is not None
    assert first.box.tolist() == [10, 20, 40, 60]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).load_image(), colour)
    found = defects_by_file(data)
    assert "outside" in found[f"{path.name}, picture 3,"]
    assert "no numbers" in found[f"{path.name}, picture 4,"]
    assert "is the same as" in found[f"{path.name}, picture 5,"]
    ibug = first.mapped("ibug68")
    assert ibug.visible is not None
    np.testing.assert_array_equal(ibug.points[36], points[8])
    assert (ibug.visible[36], ibug.visible[22], ibug.visible[0]) == (True, False, False)


def test_a_file_that_is_not_cofw_is_refused_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(DataError, match=r"holds no phisTr and IsTr .* but x"):
        read_cofw(path)
    with h5py.File(path, "w") as file:
        file["phisT"], file["IsT"] = np.zeros((87, 2)), np.zeros((1, 3))
    with pytest.raises(DataError, match="2 labels for 3 pictures"):
        read_cofw(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"is no MATLAB 7\.3 file"):
        read_cofw(path)


def test_aflw2000_is_read_from_pixel_0_with_depth(tmp_path: Path) -> None:
    points, depth = face(), np.linspace(-40, 40, 68)
    xyz = np.array((*(points.T + 1), depth), np.float64)
    labels: dict[str, dict[str, object]] = {
        "image00002": {"pt3d_68": xyz, "pt2d": np.zeros((2, 21)), "Pose_Para": np.zeros((1, 7))},
        "image00004": {"pt3d_68": xyz[:, :60]},
        "image00006": {"pt2d": np.zeros((2, 21))},
        "image00008": {"pt3d_68": xyz * np.nan},
        "image00010": {"pt3d_68": xyz},
    }
    for i, (name, content) in enumerate(labels.items()):
        scipy.io.savemat(tmp_path / f"{name}.mat", content)
        save(tmp_path / f"{name}.jpg", noise_image(i))
    (tmp_path / "image00010.jpg").unlink()
    (tmp_path / "image00012.mat").write_bytes(b"no matrix here")
    (tmp_path / "image00014.mat").write_bytes(b"")
    data = open_dataset(tmp_path)
    (found,) = data.faces
    np.testing.assert_array_equal(found.points, points)
    assert found.depth is not None
    np.testing.assert_array_equal(found.depth, depth.astype(np.float32))
    assert found.mapped("wflw98").depth is not None
    wrong = defects_by_file(data)
    for name, words in {
        "image00004.mat": "has 60 points",
        "image00006.mat": "no table pt3d_68",
        "image00008.mat": "68 points that are no numbers",
        "image00010.mat": "has no readable picture",
        "image00012.mat": "no MATLAB file",
        "image00014.mat": "no MATLAB file",
    }.items():
        assert words in wrong.pop(name)
    assert not wrong


def test_the_error_for_a_missing_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mat").write_bytes(b"x")
    monkeypatch.setattr(matlab_hdf5, "find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"needs h5py: pip install 'steadymark\[train\]'"):
        read_cofw(tmp_path / "a.mat")


def test_a_path_that_is_not_a_data_set_is_refused_with_a_reason(tmp_path: Path) -> None:
    def assert_refused(path: Path, words: str) -> None:
        with pytest.raises(ValueError, match=words) as caught:
            open_dataset(path)
        assert isinstance(caught.value, SteadymarkError)
        assert str(path) in str(caught.value)

    readers: tuple[Callable[[Path], Dataset], ...] = (read_300w, read_aflw2000)
    for reader in readers:
        with pytest.raises(DataError, match=r"no \.\w+ files in"):
            reader(tmp_path)
    assert_refused(tmp_path, "holds no data set that is known here: 300W")
    assert_refused(tmp_path / "nowhere", "does not exist")
    for name, text, words in (
        ("a.xml", "<a/>", "is no data set that is known here"),
        ("a.csv", "time,x\n1,2\n", "is no table that is known here"),
        ("b.csv", "", "is no table that is known here"),
        ("a.txt", "hello\n", "no folder WFLW_images or images near"),
        ("hrnet.csv", hrnet_head(68), "no folder images near"),
    ):
        (tmp_path / name).write_text(text)
        assert_refused(tmp_path / name, words)
    assert_refused(tmp_path, "is no data set itself: name a file in it")
    (tmp_path / "images").mkdir()
    assert_refused(tmp_path / "a.txt", "no line of WFLW")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    assert_refused(tmp_path / "binary.txt", "cannot be read")
