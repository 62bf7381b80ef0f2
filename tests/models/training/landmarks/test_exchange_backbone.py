"""A stabilizer over newer weights of its backbone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import find_model, read_card, weights_folder
from steadymark.models.training.stabilizer.exchange_backbone import exchange_backbone

if TYPE_CHECKING:
    from pathlib import Path

STABILIZER = "heatmap1d-tracker"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The shipped backbone with another bias of the face score."""
    model = onnx.load(weights_folder() / "heatmap1d-lite.onnx")
    for weight in model.graph.initializer:
        if weight.name == "network.face.2.bias":
            value = numpy_helper.to_array(weight)
            weight.CopyFrom(numpy_helper.from_array(value - 3, weight.name))
    file = tmp_path / "newer.onnx"
    onnx.save(model, file)
    return file


def test_only_the_backbone_changes(newer: Path, tmp_path: Path) -> None:
    shipped, backbone = (weights_folder() / f"{n}.onnx" for n in (STABILIZER, "heatmap1d-lite"))
    exchange_backbone(shipped, backbone, tmp_path / "same")
    stabilizer = tmp_path / "same" / shipped.name
    assert exchange_backbone(stabilizer, newer, tmp_path / "out") == 1
    old = LandmarkNetwork(find_model(STABILIZER, "landmarks"), device="cpu")
    new = LandmarkNetwork(read_card(tmp_path / "out" / f"{STABILIZER}.json"), device="cpu")
    crops = np.random.default_rng(2).integers(0, 255, (1, 128, 128, 3), np.uint8)
    before, after = old.step(crops, old.start(1)), new.step(crops, new.start(1))
    np.testing.assert_allclose(after.points, before.points, atol=1e-3)
    assert float(after.face[0]) < float(before.face[0])
    recipe = json.loads((tmp_path / "out" / f"{STABILIZER}.json").read_text())["recipe"]
    assert recipe["backbone_exchanged_for"]["file"] == "newer.onnx"


def test_files_that_do_not_belong_together_are_refused(newer: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no stabilizer"):
        exchange_backbone(newer, newer, tmp_path / "out")
    other = weights_folder() / "dan-lite.onnx"
    with pytest.raises(ValueError, match="holds no stabilizer"):
        exchange_backbone(weights_folder() / f"{STABILIZER}.onnx", other, tmp_path / "out")
