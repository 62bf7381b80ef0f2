"""Further training faces: real and synthetic turned heads, and faces that a teacher labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.models.errors import DataError
from steadymark.models.face.schema import load_schema
from steadymark.models.training.data.face_images import FaceImages
from steadymark.models.training.landmarks import further_faces
from steadymark.models.training.landmarks.further_faces import (
    label_faces,
    make_profiled,
    parse_kinds,
    with_further_faces,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Points

SCHEMA = load_schema("ibug68")


def write_face(stem: Path, points: Points, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 255, (224, 224, 3), np.uint8)
    cv2.imwrite(str(stem.with_suffix(".jpg")), cv2.GaussianBlur(image, (0, 0), 3))
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    stem.with_suffix(".pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write 30 photos of AFW, of which the last has an odd shape, and 40 of aflw2000."""
    train, turned = tmp_path / "300w" / "train", tmp_path / "aflw2000"
    train.mkdir(parents=True)
    turned.mkdir()
    upright = SCHEMA.mean_shape * 110 + 110
    for i in range(30):
        odd = np.where(np.arange(68)[:, None] < 17, (30.0, 0.0), 0.0) if i == 29 else 0
        write_face(train / f"afw_{i:04}_1", (upright + odd).astype(np.float32), i)
    lines = ["file,yaw_deg,alignment"]
    for i in range(40):
        write_face(turned / f"{i:04}", upright.astype(np.float32), 100 + i)
        lines.append(f"{i:04}.jpg,{i},{'exact' if i < 10 else 'fitted'}")
    (turned / "index.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def labelled(count: int) -> FaceImages:
    names = tuple(f"afw_{i:04}_1" for i in range(count))
    photos = tuple(f"afw_{i:04}" for i in range(count))
    images = tuple(np.zeros((224, 224, 3), np.uint8) for _ in range(count))
    points = np.tile(SCHEMA.mean_shape * 110 + 110, (count, 1, 1)).astype(np.float32)
    return FaceImages(names, photos, images, points)


def faces_with(folder: Path, cache: Path, *kinds: str) -> FaceImages:
    return with_further_faces(
        labelled(30),
        folder,
        parse_kinds(kinds),
        cache,
        schema=SCHEMA,
        teachers=("heatmap1d-lite",),
        seed=7,
    )


def test_kinds_are_parsed_with_their_number_of_uses() -> None:
    assert parse_kinds(()) == {"labelled": 1}
    assert parse_kinds(("turned*3", "labelled*2", "unlabelled")) == {
        "labelled": 2,
        "turned": 3,
        "unlabelled": 1,
    }
    for bad in ("faces", "turned*0", "turned*x", "turned*-1"):
        with pytest.raises(ValueError, match="give labelled, turned, profiled, unlabelled"):
            parse_kinds((bad,))


def test_turned_faces_are_repeated_and_neither_hard_nor_exact_ones_are_used(
    folder: Path, tmp_path: Path
) -> None:
    faces = faces_with(folder, tmp_path, "labelled*2", "turned*3")
    names = [name for name in faces.names if not name.startswith("afw")]
    assert "afw_0029" not in faces.photos  # the odd shape is in the hard set
    assert sum(photo.startswith("afw") for photo in faces.photos) == 2 * 27
    assert {names.count(name) for name in names} == {3}
    assert 5 <= len(set(names)) <= 25
    assert all(int(name) >= 10 for name in names)
    assert len(faces.images) == len(faces.points) == len(faces)


def test_made_faces_are_kept_for_the_next_start_of_the_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = faces_with(folder, tmp_path, "profiled")
    monkeypatch.setattr(further_faces, "make_profiled", None)
    again = faces_with(folder, tmp_path, "profiled")
    np.testing.assert_array_equal(first.points, again.points)
    for a, b in zip(first.images, again.images, strict=True):
        np.testing.assert_array_equal(a, b)


def test_profiled_faces_hide_few_landmarks_and_are_turned(folder: Path) -> None:
    faces = make_profiled(folder, 7)
    assert 5 < len(faces) < 30
    upright = SCHEMA.mean_shape * 110 + 110
    noses = [abs(face.points[30, 0] - upright[30, 0]) for face in faces]
    assert np.median(noses) > 3
    for face in faces:
        distances = np.linalg.norm(face.points[:, None] - face.points, axis=-1)
        assert ((distances < 1e-3).sum(1) > 1).sum() <= further_faces.MOST_HIDDEN


def test_a_kind_without_faces_is_reported(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no faces of the kind 'unlabelled'"):
        faces_with(folder, tmp_path, "unlabelled")


@pytest.mark.data
def test_certain_faces_are_labelled_and_others_are_left_out(data: Path, tmp_path: Path) -> None:
    (tmp_path / "detectors").symlink_to(data / "detectors")
    images = tmp_path / "faces" / "unlabelled"
    images.mkdir(parents=True)
    for path in sorted((data / "faces" / "unlabelled").glob("*.jpg"))[:1500:500]:
        (images / path.name).symlink_to(path)
    cv2.imwrite(str(images / "grey.jpg"), np.full((200, 200, 3), 128, np.uint8))
    faces = label_faces(tmp_path, SCHEMA, ("heatmap1d-lite",), 7)
    assert 2 <= len(faces) <= 3
    for face in faces:
        mouth, eyes = (face.points[list(SCHEMA.regions[r])].mean(0) for r in ("mouth", "eyes"))
        assert mouth[1] > eyes[1] + 15
