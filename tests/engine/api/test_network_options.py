"""Third-party networks in the public API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import steadymark as sm
from support.fakes.foreign_networks import heatmap1d_network

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network of 98 landmarks that finds faces."""
    return heatmap1d_network(tmp_path, "wflw98", batch=1)


def test_an_onnx_file_becomes_a_landmarker(network: Path, image: Image, video: Path) -> None:
    landmarker = sm.OnnxLandmarker(
        network, output="coordinates", schema="wflw98", margin=1.4, colours="bgr", white=255
    )
    (face,) = landmarker.detect(image)
    assert face.landmarks.shape == (98, 2)
    assert face.schema == landmarker.schema == "wflw98"
    assert face.head_pose is None
    assert 0 < landmarker.error < 0.1
    (shipped,) = sm.FaceLandmarker().detect(image)
    assert np.linalg.norm(face.landmarks.mean(0) - shipped.landmarks.mean(0)) < 15
    assert landmarker.track_video(video, end_s=0.1).landmarks.shape == (3, 1, 98, 2)
    assert sm.draw(image, [face]).shape == image.shape


def test_an_added_model_is_listed_and_opened_by_name(
    network: Path, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYMARK_MODELS", str(tmp_path / "own"))
    added = sm.add_model(
        network, "mine", licence="MIT", schema="wflw98", margin=1.4, colours="bgr", white=255
    )
    assert (added.name, added.kind, added.schema, added.licence) == (
        "mine",
        "landmarks",
        "wflw98",
        "MIT",
    )
    assert added in sm.list_models()
    assert sm.FaceLandmarker(model="mine").detect(image)[0].landmarks.shape == (98, 2)
    with pytest.raises(sm.WeightsError, match="there is already a model 'mine'"):
        sm.add_model(network, "mine")


def test_the_shipped_models_are_listed() -> None:
    models = {model.name: model for model in sm.list_models()}
    assert models["heatmap1d-lite"].schema == "ibug68"
    assert models["face_net"].kind == "face_detector"
    assert models["face_net"].schema == ""


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"output": "points"}, sm.UsageError, "output is 'points': choose one of coordinates"),
        ({"colours": "grey"}, sm.UsageError, "colours is 'grey': choose one of rgb, bgr"),
        ({"input_size": 11.5}, sm.UsageError, "whole number of pixels, not 11.5"),
        ({"mean": (1, 2)}, sm.UsageError, "mean has 2 numbers: pass one, or three"),
        ({"std": "x"}, sm.UsageError, "std"),
        ({"schema": "ibug86"}, sm.WeightsError, "unknown schema 'ibug86'"),
        ({"margin": 99}, sm.WeightsError, "margin must be between 0.5 and 5"),
    ],
)
def test_an_invalid_option_of_a_network_is_refused(
    network: Path, options: dict[str, Any], error: type[sm.SteadymarkError], words: str
) -> None:
    with pytest.raises(error, match=words):
        sm.OnnxLandmarker(network, **options)


def test_a_file_that_is_not_a_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"nothing")
    with pytest.raises(sm.WeightsError):
        sm.OnnxLandmarker(tmp_path / "a.onnx")
    with pytest.raises(sm.WeightsError):
        sm.OnnxLandmarker(tmp_path / "missing.onnx")
