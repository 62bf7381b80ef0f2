"""Exported stabilizers with parts removed, and their output."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from steadymark.models.errors import WeightsError
from steadymark.models.networks.stabilizer.convlstm import ConvLstm, ConvLstmConfig
from steadymark.models.runtime.heatmap_cell_ablation import (
    with_constant_mean,
    with_untrained_weights,
    without_shape_motion,
)
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.onnx_weights import read_weights, replace_weights
from steadymark.models.runtime.zoo import find_model, verified_bytes

CARD = find_model("stabilizer-1d", "landmarks")
CONTENT = verified_bytes(CARD)
CELL = "tail.stabilizer.cells.0."


def test_weights_equal_those_that_the_onnx_package_reads() -> None:
    onnx = pytest.importorskip("onnx")
    from onnx import numpy_helper

    graph = onnx.load_from_string(CONTENT).graph
    expected = {t.name: numpy_helper.to_array(t) for t in graph.initializer if t.data_type == 1}
    weights = read_weights(CONTENT)
    assert {n for n, v in expected.items() if v.size} == {n for n, v in weights.items() if v.size}
    for name, values in weights.items():
        np.testing.assert_array_equal(values, expected[name])


def test_replacing_a_weight_keeps_the_others_and_the_file_size() -> None:
    name = f"{CELL}out.bias"
    changed = replace_weights(CONTENT, {name: np.full(68, 0.5)})
    assert len(changed) == len(CONTENT)
    before, after = read_weights(CONTENT), read_weights(changed)
    assert (after.pop(name) == 0.5).all()
    before.pop(name)
    for other_name, values in after.items():
        np.testing.assert_array_equal(values, before[other_name])


def test_a_missing_weight_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"no weight 'nothing' of shape \(3,\)"):
        replace_weights(CONTENT, {"nothing": np.zeros(3)})
    with pytest.raises(WeightsError, match="no weight"):
        replace_weights(CONTENT, {f"{CELL}out.bias": np.zeros(3)})


@pytest.mark.parametrize("rank", [0, 4])
def test_an_untrained_cell_is_initialised_as_in_training(rank: int) -> None:
    """Constant parameters are equal, and random ones have the same spread."""
    from steadymark.models.runtime.heatmap_cell_ablation import _fresh

    torch.manual_seed(0)
    cell = ConvLstm(ConvLstmConfig(landmarks=12, kernel=9, rank=rank))
    names = {f"cells.0.{n}": p.detach().numpy() for n, p in cell.named_parameters()}
    random, plain = _fresh(names, spread=0.03, seed=1), _fresh(names, spread=0.0)
    assert set(random) == set(names)
    for name, expected in names.items():
        expected_difference, difference = expected - plain[name], random[name] - plain[name]
        if name.endswith("bias") and rank == 0 and "conv" in name:
            continue  # checked below
        assert np.abs(expected_difference).max() < 0.02, name
        assert difference.std() == pytest.approx(expected_difference.std(), rel=0.3, abs=1e-9), name
    bias = "cells.0.gates.conv.bias" if rank == 0 else "cells.0.gates.up.bias"
    np.testing.assert_allclose(plain[bias], names[bias], atol=1e-6)


def stabilize(content: bytes, shift: float = 0.0) -> np.ndarray:
    """Return stabilized and raw points of six frames; the last crop is moved by `shift` px."""
    network = LandmarkNetwork(CARD, content=content)
    crops = np.random.default_rng(0).integers(0, 255, (6, 1, CARD.crop, CARD.crop, 3), np.uint8)
    state, points = None, []
    for number, crop in enumerate(crops):
        moved = np.eye(2, 3)[None].copy()
        moved[0, 0, 2] = shift * (number == 5)
        found = network.step(crop, state, moved)
        state = found.state
        points.append((found.points, found.raw))
    return np.array(points)


def test_each_variant_gives_other_points_from_the_same_raw_points() -> None:
    results = [stabilize(CONTENT)]
    for edit in (with_constant_mean, with_untrained_weights, without_shape_motion):
        found = stabilize(edit(CONTENT))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[:, 1], results[0][:, 1], atol=1e-3)
        assert all(np.abs(found[:, 0] - other[:, 0]).max() > 1e-3 for other in results), edit
        results.append(found)


def test_a_model_without_these_parts_is_refused() -> None:
    plain = verified_bytes(find_model("heatmap1d-lite", "landmarks"))
    for edit in (with_constant_mean, with_untrained_weights):
        with pytest.raises(WeightsError, match="no ConvLSTM"):
            edit(plain)
    with pytest.raises(WeightsError, match="no shape motion"):
        without_shape_motion(plain)
