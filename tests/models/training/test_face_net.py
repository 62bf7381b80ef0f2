"""face_net: its rows, its boxes, its losses, its tiles and its ONNX file."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from steadymark.models.datasets.photo_splits import is_held_back, photo_of, photos
from steadymark.models.face.crop import Points, fit_crop
from steadymark.models.face.landmark_boxes import landmark_box
from steadymark.models.face.schema import load_schema
from steadymark.models.networks.face_net import (
    FaceNet,
    FaceNetConfig,
    FaceNetDecoded,
    HalvingConv,
    decode,
    export_face_net,
    locations,
)
from steadymark.models.runtime.onnxruntime_offline import ort
from steadymark.models.training.detector.detector_loss import DetectorTargets, assign, face_losses
from steadymark.models.training.detector.detector_negatives import colour_grey, draw_text, scramble
from steadymark.models.training.detector.detector_photos import (
    DetectorPhoto,
    PhotoFace,
    mirror_face,
    move_face,
)
from steadymark.models.training.detector.detector_tiles import TileConfig, TileMaker

if TYPE_CHECKING:
    from pathlib import Path

SMALL = FaceNetConfig(stem=16, widths=(16, 16, 16, 16), blocks=(0, 1, 1, 1), head=16, top=50)


def roll_of(points: Points) -> float:
    return fit_crop(points, load_schema("ibug68").mean_shape, margin=1).roll_deg


def small_net() -> FaceNet:
    torch.manual_seed(0)
    network = FaceNet(SMALL)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    return network


def test_every_location_of_three_strides_has_a_row() -> None:
    rows = small_net()(torch.zeros(2, 3, 64, 96))
    assert rows.shape == (2, 8 * 12 + 4 * 6 + 2 * 3, 7)
    assert locations(64, 96).shape == (8 * 12 + 4 * 6 + 2 * 3, 3)


def test_the_default_network_stays_within_its_budget() -> None:
    assert sum(p.numel() for p in FaceNet().parameters()) < 480_000


def test_every_parameter_gets_a_gradient() -> None:
    network = small_net()
    places = locations(128, 128)
    boxes = torch.tensor([[10.0, 12, 40, 44], [30, 30, 110, 120], [-20, -10, 140, 130]])
    targets = assign(places, boxes, torch.tensor([5.0, -20.0, math.nan]), torch.zeros(0, 4))
    batch = DetectorTargets(*(part[None].expand(2, *part.shape) for part in targets))
    losses = face_losses(network(torch.rand(2, 3, 128, 128) * 255), places, batch)
    sum(losses).backward()  # type: ignore[union-attr]
    missing = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not missing


def test_decoding_equals_a_plain_loop() -> None:
    rows = torch.randn(1, 12, 7)
    places = locations(32, 64)[:12]
    decoded = decode(rows, places)[0].numpy()
    for i, row in enumerate(rows[0].tolist()):
        x, y = (i % 8 + 0.5) * 8 - 0.5, (i // 8 + 0.5) * 8 - 0.5
        left, top, right, bottom = (8 * math.exp(v) for v in row[1:5])
        score = 1 / (1 + math.exp(-row[0]))
        roll_deg = math.degrees(math.atan2(row[5], row[6]))
        expected = [x - left, y - top, x + right, y + bottom, score, roll_deg]
        assert decoded[i] == pytest.approx(expected, rel=1e-4, abs=1e-3)


@pytest.mark.slow
def test_the_exported_file_gives_the_same_boxes_as_the_network(tmp_path: Path) -> None:
    network = small_net().eval()
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation warnings of the exporter
        export_face_net(network, path)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for height, width in ((32, 32), (96, 160), (128, 64)):
        shape = (1, 3, height, width)
        image = np.random.default_rng(height).integers(0, 255, shape, np.uint8)
        (boxes,) = session.run(["boxes"], {"image": image})
        expected = FaceNetDecoded(network)(torch.from_numpy(image)).detach().numpy()
        assert boxes.shape == (50, 6)
        assert np.abs(boxes[:, 4] - expected[:, 4]).max() < 1e-4
        real = expected[:, 4] > 1e-6
        np.testing.assert_allclose(boxes[real, :4], expected[real, :4], rtol=1e-4, atol=0.05)


def test_a_face_is_assigned_to_its_centre_and_stride() -> None:
    places = locations(320, 320)
    boxes = torch.tensor([[100.0, 100, 120, 124], [60, 60, 260, 260]])
    targets = assign(places, boxes, torch.zeros(2), torch.tensor([[0.0, 0, 50, 50]]))
    small = places[targets.face == 0]
    assert set(small[:, 2].tolist()) == {8.0}
    assert (small[:, :2] - torch.tensor([110.0, 112.0])).abs().max() < 12
    assert set(places[targets.face == 1][:, 2].tolist()) == {32.0}
    assert (places[targets.face == -2][:, :2] < 50).all()


def test_perfect_rows_have_almost_no_loss() -> None:
    places = locations(64, 64)
    box = torch.tensor([[20.0, 22, 48, 50]])
    targets = assign(places, box, torch.tensor([30.0]), torch.zeros(0, 4))
    rows = torch.zeros(1, len(places), 7)
    rows[..., 0] = torch.where(targets.face >= 0, 12.0, -12.0)
    sides = torch.cat((places[:, :2] - box[:, :2], box[:, 2:] - places[:, :2]), 1)
    rows[0, :, 1:5] = (sides / places[:, 2:]).clamp(min=1e-3).log()
    rows[..., 5], rows[..., 6] = math.sin(math.radians(30)), math.cos(math.radians(30))
    losses = face_losses(rows, places, DetectorTargets(*(part[None] for part in targets)))
    assert max(float(loss) for loss in losses) < 1e-3


def test_roll_is_positive_clockwise() -> None:
    shape = load_schema("ibug68").mean_shape * 100
    angle = math.radians(20)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    rotated = (shape @ turn.T).astype(np.float32)  # x axis towards +y, down in the image
    assert roll_of(rotated) == pytest.approx(20, abs=0.1)
    face = PhotoFace(landmark_box(rotated), rotated, 20.0)
    assert roll_of(mirror_face(face, 300).points) == pytest.approx(-20, abs=3)  # type: ignore[arg-type]


def test_a_rotated_face_without_landmarks_is_treated_as_an_ellipse() -> None:
    angle = math.radians(45)
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    moved = move_face(PhotoFace(np.array([-10, -10, 10, 10], np.float32)), matrix, 45.0)
    assert moved.box == pytest.approx([-10, -10, 10, 10], abs=1e-4)
    assert math.isnan(moved.roll_deg)


def test_a_tile_is_determined_by_its_seed() -> None:
    random_image = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", random_image)[1]
    face = DetectorPhoto(jpeg, (PhotoFace(np.array([40, 30, 90, 80], np.float32), None, 10.0),))
    tiler = TileMaker(([face], [face], [DetectorPhoto(jpeg)]), replace(TileConfig(), mosaic=0.5))
    for seed in range(12):
        one, two = (tiler.tile(np.random.default_rng(seed), 128) for _ in range(2))
        assert np.array_equal(one.image, two.image)
        assert np.array_equal(one.boxes, two.boxes)
        assert one.image.shape == (128, 128, 3)
        assert len(one.boxes) == len(one.rolls)


def test_held_back_photos_are_determined_by_their_names() -> None:
    names = [f"maksssksksss{i}" for i in range(853)]
    share = np.mean([is_held_back(name, 0.15) for name in names])
    assert 0.1 < share < 0.2
    for i in range(100):
        assert photo_of(f"afw_{i}_1") == photo_of(f"afw_{i}_2")


def test_halving_is_the_same_in_training_and_evaluation() -> None:
    halve, x = HalvingConv(8), torch.randn(2, 8, 20, 24)
    trained = halve(x)
    torch.testing.assert_close(trained, halve.eval()(x))


def test_photos_with_false_detections_are_drawn_more_often() -> None:
    random_image = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    photo = DetectorPhoto(cv2.imencode(".jpg", random_image)[1])
    hard = np.array([0.0, 0.0, 0.9, 0.0], np.float32)
    tiler = TileMaker(([photo], [photo], [photo] * 4), TileConfig(), hard)
    rng = np.random.default_rng(0)
    counts = np.bincount([tiler._without_face(rng) for _ in range(400)], minlength=4)
    assert counts.argmax() == 2
    assert counts.min() > 0


def test_coloured_and_lettered_images_keep_shape_and_type() -> None:
    rng = np.random.default_rng(5)
    grey = np.repeat(rng.integers(0, 256, (64, 64, 1), np.uint8), 3, 2)
    for change in (colour_grey, draw_text):
        changed = change(grey, rng)
        assert (changed.shape, changed.dtype) == (grey.shape, grey.dtype)
        assert np.ptp(changed.astype(int), axis=2).max() > 20
    assert np.ptp(grey.astype(int), axis=2).max() == 0
    mixed = [scramble(grey, grey[::-1], np.random.default_rng(i)) for i in range(20)]
    assert all((c.shape, c.dtype) == (grey.shape, grey.dtype) for c in mixed)
    assert sum(not np.array_equal(c, grey) for c in mixed) > 10


@pytest.mark.data
def test_splits_of_the_real_data_share_no_photo(data: Path) -> None:
    for name in ("train", "crowds", "none"):
        held_back_photos, training_photos = (
            photos(data, name, held_back=held_back) for held_back in (True, False)
        )
        assert held_back_photos
        assert training_photos
        assert not held_back_photos.keys() & training_photos.keys()
