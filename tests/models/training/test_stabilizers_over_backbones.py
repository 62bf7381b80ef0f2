"""Stabilizers over any detector with heatmaps: training, export, memory and errors."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx
import pytest
import torch

from models.training.test_training import SETTINGS, TINY, folder
from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import load_schema
from steadymark.models.networks.onnx_export import export_onnx
from steadymark.models.networks.stabilizer.refiner import RefinerConfig
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import read_card
from steadymark.models.training.data.augment import AugmentConfig
from steadymark.models.training.data.image_sequences import SequenceConfig
from steadymark.models.training.export_run import LICENCE_300W, export_run
from steadymark.models.training.landmarks.heatmap1d_system import Heatmap1dSystem
from steadymark.models.training.loop.training_run import train
from steadymark.models.training.stabilizer.frozen_backbone import BackboneInfo
from steadymark.models.training.stabilizer.heatmap_cell_systems import (
    STABILIZER,
    TRACKER,
    RecurrentSystem,
)
from steadymark.models.training.stabilizer.onnx_backbone import OnnxBackbone
from steadymark.models.training.stabilizer.open_backbone import open_backbone

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["folder"]  # a fixture
QUICK = replace(SETTINGS, steps=3, save_s=1e9)  # one checkpoint at the end

TINY_CELLS: list[RecurrentSystem] = [
    replace(TRACKER, cell=RefinerConfig(width=8, kernel=3)),
    replace(STABILIZER, kernel=3, rank=4),
]


@pytest.mark.slow
def test_an_exported_detector_is_the_same_backbone_as_its_checkpoint(
    folder: Path, tmp_path: Path
) -> None:
    detector = Heatmap1dSystem(network=TINY, batch=2, augment=AugmentConfig(margin=1.5))
    train(detector, folder, tmp_path / "run", QUICK)
    model = export_run(tmp_path / "run", tmp_path / "zoo", "net")
    from_checkpoint, from_onnx = (
        open_backbone(BackboneInfo(file=str(file))) for file in (tmp_path / "run/last.pt", model)
    )
    assert replace(from_checkpoint.info, file="") == replace(from_onnx.info, file="")
    crops = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    np.testing.assert_allclose(from_onnx(crops), from_checkpoint(crops), atol=2e-3)
    system = replace(TINY_CELLS[1].over(BackboneInfo(file=str(model)), folder), batch=2)
    small = replace(system, sequences=(4, 2), sequence=SequenceConfig(frames=4))
    train(small, folder, tmp_path / "steady", QUICK)
    card = read_card(
        export_run(tmp_path / "steady", tmp_path / "zoo", "steady", over="net").with_suffix(".json")
    )
    assert (card.cell, card.over, card.margin) == ("convlstm", "net", 1.5)
    licence = f"weights trained on {LICENCE_300W}"  # the folder contains no images without faces
    assert card.licence == read_card(model.with_suffix(".json")).licence == licence


@pytest.mark.slow
@pytest.mark.parametrize("system", TINY_CELLS, ids=lambda s: s.name)
def test_a_stabilizer_over_a_trained_detector_can_be_trained_and_exported(
    folder: Path, tmp_path: Path, system: RecurrentSystem
) -> None:
    detector = Heatmap1dSystem(network=TINY, batch=2, augment=AugmentConfig())
    train(detector, folder, tmp_path / "detector", QUICK)
    small = replace(
        system.over(BackboneInfo(file=str(tmp_path / "detector" / "last.pt")), folder),
        batch=2,
        sequences=(4, 2),
        sequence=SequenceConfig(frames=4),
    )
    run = tmp_path / "run"
    train(small, folder, run, QUICK)
    rows = (run / "curve.csv").read_text().splitlines()
    measures = ["nrmse", "mav", "lag", "mouth", "lids"]
    raw = [f"raw_{measure}" for measure in measures]
    assert rows[0].split(",")[-11:] == ["score", *measures, *raw]
    model = export_run(run, tmp_path / "zoo", "tiny")
    network = LandmarkNetwork(read_card(model.with_suffix(".json")), device="cpu")
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (3, 2, 64, 64, 3), np.uint8)
    together, alone = None, None
    for frame in crops:
        both = network.step(frame, together)
        one = network.step(frame[:1], alone)
        together, alone = both.state, one.state
        np.testing.assert_allclose(both.points[:1], one.points, atol=0.02)
        assert both.raw.shape == both.points.shape == (2, 68, 2)
    fresh = network.step(crops[-1])
    assert np.abs(fresh.points - both.points).max() > 0  # memory changes the points
    np.testing.assert_allclose(
        fresh.raw, both.raw, atol=1e-4
    )  # memory does not change the raw points


class AnyDetector(torch.nn.Module):
    """A third-party network: RGB in [0, 1], heatmaps of a quarter of its side, another output.

    Each heatmap is a random convolution of the image, which is enough for tracking.
    """

    def __init__(self, landmarks: int = 68) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = torch.nn.Conv2d(3, landmarks, 5, 4, 2)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = torch.relu(self.net(image))
        return maps.mean((2, 3)), maps * 7.0


@pytest.fixture
def foreign_onnx(tmp_path: Path) -> Path:
    path = tmp_path / "foreign.onnx"
    export_onnx(
        AnyDetector(),
        (torch.zeros(1, 3, 64, 64),),
        path,
        inputs=["picture"],
        outputs=["pooled", "maps"],
        dynamic=({0: torch.export.Dim("n")},),
    )
    return path


@pytest.mark.slow
def test_any_onnx_file_with_heatmaps_can_get_a_stabilizer(
    folder: Path, tmp_path: Path, foreign_onnx: Path
) -> None:
    info = BackboneInfo(file=str(foreign_onnx), mean=(0.0,) * 3, std=(255.0,) * 3)
    small = replace(
        STABILIZER.over(info, folder),
        batch=2,
        sequences=(4, 2),
        sequence=SequenceConfig(frames=4),
    )
    assert small.backbone.heatmaps == ("maps",)
    assert small.backbone.crop == 64
    assert small.backbone.size == (16, 16)
    assert 0 < small.backbone.sure < 1
    run = tmp_path / "run"
    train(small, folder, run, QUICK)
    model = export_run(
        run, tmp_path / "zoo", "foreign", licence="BSD-3-Clause", data_note="LaPa, by its authors"
    )
    card = json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))
    assert (card["licence"], card["data"]) == ("BSD-3-Clause", ["LaPa, by its authors"])
    stabilizer_data = card["stabilizer_data"]
    assert stabilizer_data["made_of"] == [
        "300w/train without the validation split (a hash of the photo)"
    ]
    assert stabilizer_data["sequences"] == [4, 2]
    network = LandmarkNetwork(read_card(model.with_suffix(".json")), device="cpu")
    crops = np.random.default_rng(0).integers(0, 256, (3, 1, 64, 64, 3), np.uint8)
    state = None
    for crop in crops:
        prediction = network.step(crop, state)
        state = prediction.state
        assert np.isfinite(prediction.points).all()
        with torch.no_grad():
            image = torch.from_numpy(crop).permute(0, 3, 1, 2).flip(1).float() / 255
            maps = AnyDetector()(image)[1] * small.backbone.scale
            expected = small.build().points((maps,))[0]
        np.testing.assert_allclose(prediction.raw, expected.numpy(), atol=0.02)


def test_an_unusable_backbone_is_refused_with_a_reason(
    folder: Path, tmp_path: Path, foreign_onnx: Path
) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("no network")
    outside = tmp_path / "outside.onnx"
    onnx.save(onnx.load(foreign_onnx), outside, save_as_external_data=True, size_threshold=0)
    pooled = tmp_path / "pooled.onnx"
    export_onnx(
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64, 136)),
        (torch.zeros(1, 3, 8, 8),),
        pooled,
        inputs=["picture"],
        outputs=["points"],
        dynamic=({0: torch.export.Dim("n")},),
    )
    torch.save({"weights": {}}, tmp_path / "other.pt")
    for file, words in (
        (tmp_path / "missing.pt", "no backbone at"),
        (text, "text.onnx cannot be run"),
        (outside, "reads data from other files"),
        (pooled, "gives no heatmaps of 68 landmarks"),
        (tmp_path / "other.pt", "no checkpoint of steadymark-train"),
    ):
        with pytest.raises((ValueError, WeightsError), match=words):
            open_backbone(BackboneInfo(file=str(file)))
    with pytest.raises(ValueError, match="no output 'heat'"):
        open_backbone(BackboneInfo(file=str(foreign_onnx), heatmaps=("heat",)))


@pytest.mark.parametrize("batch_support", ["many", "one", "one, though it says many"])
def test_images_are_batched_when_the_file_supports_it(tmp_path: Path, batch_support: str) -> None:
    class BatchDependentDetector(AnyDetector):
        """A detector whose maps wrongly depend on the mean of the whole batch."""

        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            pooled, maps = super().forward(image)
            return pooled, maps + image.mean() * torch.arange(16.0)

    path, batches = tmp_path / "net.onnx", batch_support != "one"
    export_onnx(
        BatchDependentDetector() if "though" in batch_support else AnyDetector(),
        (torch.zeros(2 if batches else 1, 3, 64, 64),),
        path,
        inputs=["picture"],
        outputs=["pooled", "maps"],
        dynamic=({0: torch.export.Dim("n")} if batches else None,),
    )
    backbone = open_backbone(BackboneInfo(file=str(path)))
    assert isinstance(backbone, OnnxBackbone)
    assert (backbone.batch > 1) == (batch_support == "many")
    crops = np.random.default_rng(0).integers(0, 256, (11, 64, 64, 3), np.uint8)
    together = backbone(crops)
    assert together.shape == (11, 1, 68, 16, 16)
    np.testing.assert_allclose(together[7], backbone(crops[7:8])[0], atol=1e-3)


@pytest.mark.slow
def test_networks_with_98_points_can_get_a_stabilizer(tmp_path: Path) -> None:
    faces, rng = tmp_path / "wflw", np.random.default_rng(0)
    faces.mkdir()
    shape = load_schema("wflw98").mean_shape
    for i in range(10):
        points = shape * 90 + 80 + rng.normal(0, 2, (98, 2))
        rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
        text = f"version: 1\nn_points: 98\n{{\n{rows}\n}}\n"
        (faces / f"face{i}.pts").write_text(text, encoding="ascii")
        cv2.imwrite(str(faces / f"face{i}.png"), rng.integers(0, 256, (160, 160, 3), np.uint8))
    path = tmp_path / "net.onnx"
    export_onnx(
        AnyDetector(98),
        (torch.zeros(1, 3, 64, 64),),
        path,
        inputs=["picture"],
        outputs=["pooled", "maps"],
        dynamic=({0: torch.export.Dim("n")},),
    )
    info = BackboneInfo(file=str(path), schema="wflw98")
    small = replace(
        STABILIZER.over(info, faces), batch=2, sequences=(3, 2), sequence=SequenceConfig(frames=4)
    )
    train(small, faces, tmp_path / "run", QUICK)
    model = export_run(tmp_path / "run", tmp_path / "zoo", "net98")
    card = read_card(model.with_suffix(".json"))
    assert card.schema == "wflw98"
    entries = json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))
    assert (entries["licence"], entries["data"]) == ("not stated", ["not stated"])
    prediction = LandmarkNetwork(card, device="cpu").step(np.zeros((1, 64, 64, 3), np.uint8))
    assert prediction.points.shape == (1, 98, 2)
    with pytest.raises(ValueError, match="has the landmarks of ibug68, not of wflw98"):
        open_backbone(BackboneInfo(file=str(tmp_path / "run" / "last.pt"), schema="wflw98"))
