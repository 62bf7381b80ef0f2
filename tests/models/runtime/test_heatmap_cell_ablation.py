"""Exported stabilizers with parts taken out: bytes in, bytes out, and what they then do."""

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


def test_weights_are_those_that_the_package_onnx_reads() -> None:
    onnx = pytest.importorskip("onnx")
    from onnx import numpy_helper

    graph = onnx.load_from_string(CONTENT).graph
    theirs = {t.name: numpy_helper.to_array(t) for t in graph.initializer if t.data_type == 1}
    ours = read_weights(CONTENT)
    assert {n for n, v in theirs.items() if v.size} == {n for n, v in ours.items() if v.size}
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name])


def test_other_weights_stay_and_the_file_keeps_its_length() -> None:
    name = f"{CELL}out.bias"
    changed = replace_weights(CONTENT, {name: np.full(68, 0.5)})
    assert len(changed) == len(CONTENT)
    before, after = read_weights(CONTENT), read_weights(changed)
    assert (after.pop(name) == 0.5).all()
    before.pop(name)
    for each, values in after.items():
        np.testing.assert_array_equal(values, before[each])


def test_a_weight_that_is_not_there_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"no weight 'nothing' of shape \(3,\)"):
        replace_weights(CONTENT, {"nothing": np.zeros(3)})
    with pytest.raises(WeightsError, match="no weight"):
        replace_weights(CONTENT, {f"{CELL}out.bias": np.zeros(3)})


@pytest.mark.parametrize("rank", [0, 4])
def test_an_untrained_cell_begins_as_training_does(rank: int) -> None:
    """The parts that are not random are the same, those that are have the same spread."""
    from steadymark.models.runtime.heatmap_cell_ablation import _fresh

    torch.manual_seed(0)
    cell = ConvLstm(ConvLstmConfig(landmarks=12, kernel=9, rank=rank))
    names = {f"cells.0.{n}": p.detach().numpy() for n, p in cell.named_parameters()}
    random, plain = _fresh(names, spread=0.03, seed=1), _fresh(names, spread=0.0)
    assert set(random) == set(names)
    for name, theirs in names.items():
        off, ours = theirs - plain[name], random[name] - plain[name]
        if name.endswith("bias") and rank == 0 and "conv" in name:
            continue  # set as a whole, below
        assert np.abs(off).max() < 0.02, name
        assert ours.std() == pytest.approx(off.std(), rel=0.3, abs=1e-9), name
    bias = "cells.0.gates.conv.bias" if rank == 0 else "cells.0.gates.up.bias"
    np.testing.assert_allclose(plain[bias], names[bias], atol=1e-6)


def steps(content: bytes, shift: float = 0.0) -> np.ndarray:
    """Stabilized points of a few frames, the last crop moved by so many pixels; raw ones too."""
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


def test_each_variant_runs_and_stabilizes_otherwise_over_the_same_raw_points() -> None:
    known = [steps(CONTENT)]
    for edit in (with_constant_mean, with_untrained_weights, without_shape_motion):
        found = steps(edit(CONTENT))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[:, 1], known[0][:, 1], atol=1e-3)
        assert all(np.abs(found[:, 0] - other[:, 0]).max() > 1e-3 for other in known), edit
        known.append(found)


def test_a_model_without_these_parts_is_refused_in_a_sentence() -> None:
    plain = verified_bytes(find_model("heatmap1d-lite", "landmarks"))
    for edit in (with_constant_mean, with_untrained_weights):
        with pytest.raises(WeightsError, match="no ConvLSTM"):
            edit(plain)
    with pytest.raises(WeightsError, match="no shape motion"):
        without_shape_motion(plain)
