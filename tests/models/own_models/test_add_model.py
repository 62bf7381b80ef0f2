"""Third-party networks become models: missing settings are found, and errors are reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx import TensorProto

from steadymark.models.errors import WeightsError
from steadymark.models.own_models.add_model import (
    NOT_STATED,
    PreparedModel,
    check_name,
    prepare_model,
    save_model,
)
from steadymark.models.own_models.demo_faces import demo_faces, face_crops, faceless_crops
from steadymark.models.own_models.preprocessing_search import NetworkDescription
from steadymark.models.own_models.wrapper_config import CoordinateUnit
from steadymark.models.runtime.face_score import PEAK, TWO_LOOKS
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.validate_model import validate_model
from steadymark.models.runtime.zoo import find_model, list_own_models
from support.fakes.foreign_networks import (
    gaussian_maps,
    heatmap1d_heatmaps_network,
    heatmap1d_network,
    mean_face,
    network,
    write_network,
)

if TYPE_CHECKING:
    from pathlib import Path

LICENCE_AND_DATA: dict[str, Any] = {"licence": "BSD 3-Clause", "data": "faces of the author"}


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own models."""
    monkeypatch.setenv("STEADYMARK_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def good_model(tmp_path_factory: pytest.TempPathFactory) -> PreparedModel:
    """Return a correct network of 98 points with batch size one."""
    folder = tmp_path_factory.mktemp("good")
    return prepare_model(
        heatmap1d_network(folder, "wflw98", batch=1), NetworkDescription(margin=1.4)
    )


def test_the_settings_of_a_good_network_are_found(good_model: PreparedModel) -> None:
    assert good_model.schema == "wflw98"
    assert good_model.wrapping.output == "coordinates"
    assert good_model.wrapping.scale is CoordinateUnit.PIXELS
    assert good_model.wrapping.crop == 128
    assert good_model.batch == 1
    assert good_model.error < 0.05
    assert good_model.warnings == ()
    assert good_model.face_score.kind == TWO_LOOKS


@pytest.mark.parametrize("schema", ["jd106", "insightface106"])
def test_the_matching_numbering_of_106_points_is_found(tmp_path: Path, schema: str) -> None:
    path = heatmap1d_network(tmp_path, schema)
    progress: list[tuple[int, int]] = []
    found = prepare_model(
        path,
        NetworkDescription(margin=1.4, white=255.0),
        on_try=lambda *done: progress.append(done),
    )
    assert found.schema == schema
    assert found.error < 0.05
    assert progress == sorted(progress)
    assert progress[-1][0] == progress[-1][1]
    other = {"jd106": "insightface106", "insightface106": "jd106"}[schema]
    assert (
        prepare_model(path, NetworkDescription(margin=1.4, white=255.0, schema=other)).error > 0.2
    )


def test_the_card_contains_licence_and_data_of_the_user(
    good_model: PreparedModel, own_folder: Path
) -> None:
    card = save_model(good_model, name="mine", **LICENCE_AND_DATA)
    content = json.loads((own_folder / "mine.json").read_text(encoding="utf-8"))
    assert card.licence == content["licence"] == "BSD 3-Clause"
    assert content["data"] == "faces of the author"
    assert content["wrapped"]["source_file"] == "strange98.onnx"
    assert content["wrapped"]["source_sha256"] == good_model.source_sha256
    assert "no face score" in content["face_score_note"]
    assert find_model("mine", "landmarks") == card == validate_model(card.path)
    assert list_own_models() == (card,)


def test_a_network_with_batch_size_one_runs_several_faces(
    good_model: PreparedModel, own_folder: Path
) -> None:
    opened = LandmarkNetwork(save_model(good_model, name="mine", **LICENCE_AND_DATA), device="cpu")
    crops = face_crops(demo_faces(), "wflw98", 1.4, 128)[:3]
    together = opened.step(crops)
    assert together.points.shape == (3, 98, 2)
    np.testing.assert_allclose(together.points[2:], opened.step(crops[2:]).points, atol=1e-3)
    np.testing.assert_allclose(together.face[2:], opened.step(crops[2:]).face, atol=1e-3)


def test_the_face_score_distinguishes_faces_from_backgrounds(
    good_model: PreparedModel, own_folder: Path
) -> None:
    opened = LandmarkNetwork(save_model(good_model, name="mine", **LICENCE_AND_DATA), device="cpu")
    crop_options = (demo_faces(), "wflw98", 1.4, 128)
    faces, without_face = (
        opened.step(face_crops(*crop_options)),
        opened.step(faceless_crops(*crop_options)),
    )
    assert np.quantile(faces.face, 0.1) > 0.97
    assert without_face.face.max() < 0.5
    assert faces.scores.mean() > 0.8 > without_face.scores.mean() + 0.5


@pytest.mark.parametrize("scale", list(CoordinateUnit))
@pytest.mark.parametrize("planar", [False, True])
def test_units_and_order_of_coordinates_are_found(
    tmp_path: Path, scale: CoordinateUnit, planar: bool
) -> None:
    face = mean_face("ibug68", 1.0)
    coordinates = {
        CoordinateUnit.PIXELS: face * 32,
        CoordinateUnit.UNIT: face,
        CoordinateUnit.SIGNED: 2 * face - 1,
    }[scale]
    content = network(("out", (coordinates.T if planar else coordinates).ravel()))
    prepared = prepare_model(
        write_network(tmp_path, content), NetworkDescription(rgb=True, white=1.0)
    )
    assert prepared.wrapping.scale is scale
    assert prepared.wrapping.planar is planar


def test_a_network_that_ignores_its_input_gets_a_warning(tmp_path: Path) -> None:
    content = network(("out", mean_face("ibug68", 32).ravel()))
    prepared = prepare_model(
        write_network(tmp_path, content), NetworkDescription(rgb=True, white=1.0, margin=1.0)
    )
    warnings = " ".join(prepared.warnings)
    assert "they compensate 0 % of the motion" in warnings
    assert f"error on the demo clip is {100 * prepared.error:.1f} %" in warnings
    assert "whether there is a face" in warnings


@pytest.mark.parametrize("softmax", [False, True])
def test_heatmaps_and_their_logits_are_recognised(tmp_path: Path, softmax: bool) -> None:
    maps = gaussian_maps(mean_face("wflw98", 24), 24, 24)
    content = network(
        ("features", np.zeros((64, 4, 4))), ("out", 30 * maps - 15 if softmax else maps)
    )
    prepared = prepare_model(
        write_network(tmp_path, content), NetworkDescription(rgb=True, white=1.0)
    )
    assert prepared.wrapping.output == "heatmaps"
    assert prepared.wrapping.outputs == ("out",)
    assert prepared.wrapping.softmax is softmax
    assert prepared.schema == "wflw98"


def test_1d_heatmaps_are_recognised(tmp_path: Path) -> None:
    maps = gaussian_maps(mean_face("ibug68", 32), 32, 32)
    content = network(("x", maps.sum(1)), ("y", maps.sum(2)))
    prepared = prepare_model(
        write_network(tmp_path, content), NetworkDescription(rgb=True, white=1.0)
    )
    assert prepared.wrapping.output == "lines"
    assert prepared.wrapping.outputs == ("x", "y")
    assert prepared.error < 0.3


def test_peaks_of_heatmaps_are_used_as_face_score(tmp_path: Path) -> None:
    prepared = prepare_model(heatmap1d_heatmaps_network(tmp_path), NetworkDescription(margin=1.4))
    assert prepared.wrapping.outputs == ("x_lines", "y_lines")
    assert prepared.error < 0.04
    assert prepared.warnings == ()
    assert prepared.face_score.kind == PEAK
    card = save_model(prepared, name="lines", licence="MIT", data="faces", folder=tmp_path / "out")
    opened, crop_options = LandmarkNetwork(card, device="cpu"), (demo_faces(), "ibug68", 1.4, 128)
    assert np.quantile(opened.step(face_crops(*crop_options)).face, 0.1) > 0.97
    assert opened.step(faceless_crops(*crop_options)).face.max() < 0.5


@pytest.mark.parametrize(
    ("options", "description", "why"),
    [
        (
            {"outputs": [(107, 2)]},
            {},
            r"out \[n, 107, 2\]: none of them holds .* landmarks",
        ),
        ({"outputs": [(98, 2)]}, {"schema": "ibug68"}, "of 68 landmarks"),
        ({"outputs": [(68, 2)]}, {"output": "heatmaps"}, "none of them holds heatmaps of"),
        (
            {"outputs": [(68, 2)]},
            {"outputs": ("points",)},
            "no output 'points': its outputs are out",
        ),
        ({"outputs": [(68, 2)]}, {"schema": "fgnet68"}, "unknown schema 'fgnet68': models of"),
        ({"outputs": [(68, 2)]}, {"crop": 64}, "takes images of 32 × 32 pixels, not 64 × 64"),
        (
            {"outputs": [(68, 2)], "side": "s"},
            {},
            "say with input-size which size it was trained on",
        ),
        ({"outputs": [(68, 2)], "side": 8}, {}, "is 8 pixels wide: it must be between 16 and"),
        ({"outputs": [(68, 2)]}, {"channels_last": True}, "images of 32 channels"),
        ({"outputs": [(68, 2)]}, {"std": (0.0, 1.0, 1.0)}, "std must be more than 0"),
        ({"outputs": [(68, 2)]}, {"mean": (float("nan"),) * 3}, "mean must be finite"),
        ({"outputs": [(68, 2)]}, {"margin": 9.0}, "margin must be between"),
        ({"outputs": [(68, 2)], "value": np.nan}, {"rgb": True}, "landmarks that are not finite"),
        ({"outputs": [(68, 2)], "kind": TensorProto.DOUBLE}, {}, "it must be float, float16"),
    ],
)
def test_an_unusable_network_is_refused_in_one_sentence(
    tmp_path: Path, options: dict[str, Any], description: dict[str, Any], why: str
) -> None:
    value = options.pop("value", 0.5)
    shapes = options.pop("outputs")
    content = network(*(("out", np.full(shape, value, np.float32)) for shape in shapes), **options)
    with pytest.raises(WeightsError, match=why) as found:
        prepare_model(write_network(tmp_path, content), NetworkDescription(**description))
    assert "\n" not in str(found.value)


def test_files_that_are_not_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="choose a file that ends in"):
        prepare_model(tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="cannot be read"):
        prepare_model(tmp_path / "gone.onnx")
    with pytest.raises(WeightsError, match="is not an ONNX file"):
        prepare_model(write_network(tmp_path, b"not a network"))


def test_a_variable_input_size_is_taken_from_the_user(tmp_path: Path) -> None:
    content = network(("out", mean_face("ibug68", 1.0)), side="s", batch=4)
    description = NetworkDescription(crop=48, rgb=True, white=1.0, margin=1.4)
    prepared = prepare_model(write_network(tmp_path, content), description)
    assert prepared.wrapping.crop == 48
    assert prepared.batch == 4


def test_licence_and_data_are_never_assumed(good_model: PreparedModel, own_folder: Path) -> None:
    for missing in LICENCE_AND_DATA:
        with pytest.raises(WeightsError, match=f"the {missing} of the model is missing"):
            save_model(good_model, name="mine", **{**LICENCE_AND_DATA, missing: " "})
    card = save_model(good_model, name="mine", licence="unknown", data="Unknown")
    assert card.licence == NOT_STATED
    assert json.loads((own_folder / "mine.json").read_text("utf-8"))["data"] == NOT_STATED


def test_invalid_and_existing_names_are_refused(
    good_model: PreparedModel, own_folder: Path
) -> None:
    for name in ("", "../mine", "a/b", "mine.", "-mine"):
        with pytest.raises(WeightsError, match="is not a valid name for a model"):
            check_name(name)
    with pytest.raises(WeightsError, match="is the name of a shipped model"):
        check_name("heatmap1d-lite")
    save_model(good_model, name="mine", **LICENCE_AND_DATA)
    with pytest.raises(WeightsError, match="there is already a model 'mine'"):
        save_model(good_model, name="mine", **LICENCE_AND_DATA)
    assert save_model(good_model, name="mine", overwrite=True, **LICENCE_AND_DATA).name == "mine"


def test_a_folder_that_cannot_be_written_is_reported(
    good_model: PreparedModel, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="cannot be written"):
        save_model(good_model, name="mine", folder=tmp_path / "file", **LICENCE_AND_DATA)
