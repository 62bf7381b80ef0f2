from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from steadymark.models.errors import DeviceError, WeightsError
from steadymark.models.face.crop import planar
from steadymark.models.face.point_scores import PointScores
from steadymark.models.runtime.onnx_session import (
    LandmarkNetwork,
    Prediction,
    gather,
    open_session,
)
from steadymark.models.runtime.onnxruntime_offline import ort
from steadymark.models.runtime.zoo import ModelCard

if TYPE_CHECKING:
    from pathlib import Path


def counting_model(path: Path) -> ModelCard:
    """Write a tiny recurrent model whose points are the number of frames of its state."""
    nodes = [
        helper.make_node("Add", ["state_count", "one"], ["next_state_count"]),
        helper.make_node("Expand", ["next_state_count", "shape"], ["points"]),
        helper.make_node("ReduceMean", ["points"], ["scores"], axes=[2], keepdims=0),
        helper.make_node("ReduceMean", ["scores"], ["face"], axes=[1], keepdims=0),
        helper.make_node("Identity", ["points"], ["raw_points"]),
        helper.make_node("Identity", ["crops"], ["seen"]),
    ]
    real, byte = TensorProto.FLOAT, TensorProto.UINT8
    graph = helper.make_graph(
        nodes,
        "counting",
        [
            helper.make_tensor_value_info("crops", byte, ["n", 4, 4, 3]),
            helper.make_tensor_value_info("state_count", real, ["n", 1, 1]),
        ],
        [
            helper.make_tensor_value_info("points", real, ["n", 68, 2]),
            helper.make_tensor_value_info("raw_points", real, ["n", 68, 2]),
            helper.make_tensor_value_info("scores", real, ["n", 68]),
            helper.make_tensor_value_info("face", real, ["n"]),
            helper.make_tensor_value_info("next_state_count", real, ["n", 1, 1]),
            helper.make_tensor_value_info("seen", byte, ["n", 4, 4, 3]),
        ],
        [
            helper.make_tensor("one", real, [], [1.0]),
            helper.make_tensor("shape", TensorProto.INT64, [3], [1, 68, 2]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ModelCard("counting", "landmarks", path, digest, "MIT", crop=4)


CROPS = np.zeros((2, 4, 4, 3), np.uint8)


def test_state_is_passed_in_and_out_and_kept_by_the_caller(tmp_path: Path) -> None:
    network = LandmarkNetwork(counting_model(tmp_path / "c.onnx"), device="cpu")
    first = network.step(CROPS)
    second = network.step(CROPS, first.state)
    repeated = network.step(CROPS, first.state)
    assert [p.points[0, 0, 0] for p in (first, second, repeated)] == [1, 2, 2]
    assert second.raw.shape == (2, 68, 2)


def test_a_card_with_point_scores_adds_calibrated_scores_to_a_recurrent_model(
    tmp_path: Path,
) -> None:
    card = counting_model(tmp_path / "c.onnx")
    assert LandmarkNetwork(card, device="cpu").step(CROPS).calibrated is None
    half = PointScores((-20.0, 20.0), (0.5, 0.5))
    found = LandmarkNetwork(replace(card, point_scores=half), device="cpu").step(CROPS)
    np.testing.assert_array_equal(found.scores, np.float32(1))
    np.testing.assert_array_equal(found.calibrated, np.full((2, 68), 0.5, np.float32))


def test_point_scores_that_need_another_graph_are_refused(tmp_path: Path) -> None:
    card = counting_model(tmp_path / "c.onnx")
    needs_visible = PointScores((0.0, 1.0), (0.0, 1.0), visible_weight=1.0)
    with pytest.raises(WeightsError, match="lacks the output visible"):
        LandmarkNetwork(replace(card, point_scores=needs_visible), device="cpu")


def test_a_new_face_starts_from_zero_state(tmp_path: Path) -> None:
    network = LandmarkNetwork(counting_model(tmp_path / "c.onnx"), device="cpu")
    network.step(CROPS, network.step(CROPS).state)
    assert network.step(CROPS).points.max() == 1


def test_the_runner_reports_its_actual_device(tmp_path: Path) -> None:
    card = counting_model(tmp_path / "c.onnx")
    assert open_session(card, device="cpu").device == "cpu"
    assert open_session(card, device="auto").device in ("cpu", "cuda")


def test_the_error_for_missing_cuda_says_what_to_do(tmp_path: Path) -> None:
    card = counting_model(tmp_path / "c.onnx")
    if open_session(card, device="auto").device == "cuda":
        pytest.skip("CUDA works here")
    with pytest.raises(DeviceError, match=r"steadymark\[cuda\].*--device cpu"):
        open_session(card, device="cuda")


def test_the_error_for_an_unknown_device_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="auto, cpu, cuda"):
        open_session(counting_model(tmp_path / "c.onnx"), device="tpu")


def test_a_file_that_is_not_a_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"not onnx")
    card = ModelCard("x", "landmarks", path, hashlib.sha256(b"not onnx").hexdigest(), "MIT")
    with pytest.raises(WeightsError, match="cannot be run"):
        open_session(card, device="cpu")


def test_a_model_without_points_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["a"], ["b"])
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "g", [value("a", TensorProto.FLOAT, [1])], [value("b", TensorProto.FLOAT, [1])]
    )
    path = tmp_path / "g.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(WeightsError, match="not a landmark model"):
        LandmarkNetwork(ModelCard("g", "landmarks", path, digest, "MIT"), device="cpu")


@pytest.mark.gpu
def test_state_stays_on_the_gpu(tmp_path: Path) -> None:
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        pytest.skip("this ONNX Runtime has no CUDA")
    try:
        network = LandmarkNetwork(counting_model(tmp_path / "c.onnx"), device="cuda")
    except DeviceError as error:
        pytest.skip(str(error))
    state = network.step(CROPS).state
    assert state[0].device_name() == "cuda"
    assert network.step(CROPS, state).points.max() == 2


def test_planar_moves_the_channels_first() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 5, 5, 3), np.uint8)
    np.testing.assert_array_equal(planar(crops), crops.transpose(0, 3, 1, 2))


def prediction_with_state(counts: list[float]) -> Prediction:
    """Return a prediction with one face per number, whose state is that number."""
    state = ort.OrtValue.ortvalue_from_numpy(
        np.array(counts, np.float32).reshape(-1, 1, 1), "cpu", 0
    )
    nothing = np.zeros((len(counts), 68, 2), np.float32)
    scores = np.ones((len(counts), 68), np.float32)
    return Prediction(nothing, nothing, scores, scores[:, 0], (state,))


def test_the_state_of_the_same_faces_is_not_copied() -> None:
    prediction = prediction_with_state([1, 2, 3])
    assert gather([(prediction, 0), (prediction, 1), (prediction, 2)]) is prediction.state
    assert gather([None, None]) is None


def test_states_of_faces_are_gathered_row_by_row() -> None:
    three_faces, one_face = prediction_with_state([1, 2, 3]), prediction_with_state([7])
    for rows, expected in (
        ([(three_faces, 2), (one_face, 0), None, (three_faces, 0)], [3, 7, 0, 1]),
        ([(three_faces, 0), (three_faces, 1)], [1, 2]),
        ([(three_faces, 1), (three_faces, 0), (three_faces, 2)], [2, 1, 3]),
    ):
        state = gather(rows)
        assert state is not None
        np.testing.assert_array_equal(state[0].numpy().ravel(), expected)


def test_a_recurrent_network_keeps_a_separate_state_for_each_face(tmp_path: Path) -> None:
    network = LandmarkNetwork(counting_model(tmp_path / "counting.onnx"), device="cpu")
    crops = np.zeros((2, 4, 4, 3), np.uint8)
    first = network.step(crops)
    second = network.step(crops[:1], gather([(first, 1)]))
    third = network.step(np.zeros((3, 4, 4, 3), np.uint8), gather([None, (second, 0), (first, 0)]))
    np.testing.assert_array_equal(third.points[:, 0, 0], [1, 3, 2])
