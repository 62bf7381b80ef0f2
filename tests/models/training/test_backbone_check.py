"""The check of a backbone before a training: accuracy, margin and colour order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import torch

from steadymark.models.errors import DataError
from steadymark.models.face.crop import transform
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.networks.onnx_export import export_onnx
from steadymark.models.training.data.augment import clean_crop
from steadymark.models.training.data.face_images import FaceImages, split
from steadymark.models.training.landmarks.landmark_task import open_faces
from steadymark.models.training.stabilizer.backbone_check import MARGINS, check_backbone
from steadymark.models.training.stabilizer.frozen_backbone import Backbone, BackboneInfo
from steadymark.models.training.stabilizer.open_backbone import open_backbone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.networks.stabilizer.heatmap_stabilizer import Stabilizer
    from steadymark.models.training.stabilizer.frozen_backbone import Floats

SCHEMA = load_schema("ibug68")


def faces_of(count: int, *, colour: bool = False) -> FaceImages:
    """Return faces whose landmark 30 is a red dot on blue or a white dot on grey."""
    rng = np.random.default_rng(count)
    points = SCHEMA.mean_shape * 80 + 100 + rng.normal(0, 0.4, (count, 1, 2))
    background, dot = ((200, 0, 0), (0, 0, 255)) if colour else ((40, 40, 40), (255, 255, 255))
    images = []
    for shape in points:
        image = np.full((200, 200, 3), background, np.uint8)
        x, y = shape[30]
        cv2.circle(image, (round(16 * x), round(16 * y)), 4 * 16, dot, -1, cv2.LINE_AA, 4)
        images.append(image)
    names = tuple(f"{count}_{i}" for i in range(count))
    return FaceImages(names, names, tuple(images), points.astype(np.float32))


class FixedShapeBackbone(Backbone):
    """Predicts the mean shape for a crop of one margin, shifted by a share of the crop."""

    def __init__(self, margin: float, off: float = 0.0) -> None:
        self.info = BackboneInfo(crop=64)
        self.identity, self.margin, self.off, self.crops_seen = "expects", margin, off, 0

    def __call__(self, crops: Image) -> Floats:
        raise NotImplementedError

    def points(self, crops: Image) -> Points:
        self.crops_seen += len(crops)
        shape = SCHEMA.mean_shape * 64 / self.margin + 31.5 + self.off * 64
        return np.tile(shape, (len(crops), 1, 1)).astype(np.float32)

    def calibrate(self, faces: Callable[[], Image]) -> None:
        """Do nothing."""

    def export(self, stabilizer: Stabilizer, path: Path) -> dict[str, Any]:
        raise NotImplementedError


FACES = faces_of(30), faces_of(40)


@pytest.mark.parametrize("margin", MARGINS)
def test_the_best_margin_of_a_network_is_found_and_reported(margin: float) -> None:
    messages: list[str] = []
    check = check_backbone(FixedShapeBackbone(margin), FACES, margin=None, tell=messages.append)
    assert check.margin == margin
    assert set(check.tried) == set(MARGINS)
    assert check.tried[margin] == min(check.tried.values())
    assert f"--margin {margin:g} is taken" in messages[0]
    assert f"{check.nrmse:.2f} %" in messages[1]


def test_a_margin_that_is_given_is_kept() -> None:
    backbone = FixedShapeBackbone(1.4)
    check = check_backbone(backbone, FACES, margin=1.45)
    assert (check.margin, check.tried) == (1.45, {})
    assert backbone.crops_seen == 50


def test_an_inaccurate_backbone_is_refused_unless_forced() -> None:
    with pytest.raises(DataError, match=r"NRMSE is \d+\.\d %, above 8 %.* --force"):
        check_backbone(FixedShapeBackbone(1.4, off=0.1), FACES, margin=1.4)
    assert check_backbone(FixedShapeBackbone(1.4, off=0.1), FACES, margin=1.4, force=True).nrmse > 8


class RedDot(torch.nn.Module):
    """Predicts the mean shape around the centre of red pixels, as 1D heatmaps."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        red = torch.relu(image[:, 0] - 0.6 + 0 * image[:, 1])  # (n, F, F)
        weight = red.clamp(max=1.0) + 1e-6
        grid = torch.arange(64.0)
        mass = weight.sum((1, 2))
        centre = torch.stack(
            [(weight.sum(1) * grid).sum(-1) / mass, (weight.sum(2) * grid).sum(-1) / mass], -1
        )
        shape = torch.from_numpy(SCHEMA.mean_shape - SCHEMA.mean_shape[30]) * 64 / 1.4
        at = centre[:, None] + shape  # (n, K, 2)
        x, y = (torch.exp(-0.5 * ((grid - at[..., i, None]) / 1.5) ** 2) for i in (0, 1))
        return x, y


def test_the_error_for_a_wrong_colour_order_names_the_option(tmp_path: Path) -> None:
    path = tmp_path / "red.onnx"
    export_onnx(
        RedDot(),
        (torch.zeros(2, 3, 64, 64),),
        path,
        inputs=["picture"],
        outputs=["x", "y"],
        dynamic=({0: torch.export.Dim("n")},),
    )
    faces = faces_of(12, colour=True), faces_of(13, colour=True)
    info = BackboneInfo(file=str(path), crop=64, mean=(0.0,) * 3, std=(255.0,) * 3)
    assert check_backbone(open_backbone(info), faces, margin=1.4).hint == ""
    bgr_backbone = open_backbone(replace(info, rgb=False))
    with pytest.raises(DataError, match="with --rgb its NRMSE is"):
        check_backbone(bgr_backbone, faces, margin=1.4)


def write_photos(folder: Path, count: int) -> Path:
    """Write a folder of photos in 300W format."""
    faces = faces_of(count)
    folder.mkdir()
    for i, (image, points) in enumerate(zip(faces.images, faces.points, strict=True)):
        rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
        text = f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n"
        (folder / f"photo{i}_1.pts").write_text(text, encoding="ascii")
        cv2.imwrite(str(folder / f"photo{i}_1.png"), image)
    return folder


@pytest.mark.parametrize(("photos", "least_held_back"), [(2, 1), (20, 3), (80, 12)])
def test_a_fixed_share_of_few_photos_is_held_back(photos: int, least_held_back: int) -> None:
    training, validation = split(faces_of(photos))
    assert len(validation) >= least_held_back
    assert len(training) >= photos // 2
    assert len(training) + len(validation) == photos
    shuffled = split(faces_of(photos).subset(list(range(photos))[::-1]))[1]
    assert set(shuffled.names) == set(validation.names)


def test_with_a_validation_folder_no_training_photo_is_held_back(tmp_path: Path) -> None:
    data, val = write_photos(tmp_path / "data", 5), write_photos(tmp_path / "val", 3)
    training, validation, _ = open_faces(data, IBUG68, val)
    assert (len(training), len(validation)) == (5, 3)


def test_a_single_photo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few to set some aside"):
        open_faces(write_photos(tmp_path / "data", 1), IBUG68)


def test_data_without_the_landmarks_of_a_schema_is_refused(tmp_path: Path) -> None:
    data = write_photos(tmp_path / "data", 3)
    with pytest.raises(DataError, match="lack landmarks of wflw98"):
        open_faces(data, schema="wflw98")
    with pytest.raises(ValueError, match="unknown landmark schema 'x106'"):
        open_faces(data, schema="x106")
    crop = clean_crop(loaded := open_faces(data, IBUG68)[0], 0, SCHEMA, 1.4)
    nose = transform(crop.matrix_from_image(64), loaded.points[0])[30]
    assert np.abs(nose - 32).max() < 12
