"""The flow cell with edited weights, and their effect on the stabilizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.models.errors import WeightsError
from steadymark.models.face.crop import Crop
from steadymark.models.face.landmark_flow import FlowFrame
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_cell_ablation import (
    FIRST_SHARES,
    _layer,
    flow_with_constant_mean,
    flow_with_constant_shares,
    flow_with_first_shares,
    flow_with_untrained_weights,
)
from steadymark.models.runtime.flow_stabilizer import FlowStabilizer
from steadymark.models.runtime.onnx_weights import read_weights
from steadymark.models.runtime.zoo import find_model, verified_bytes

if TYPE_CHECKING:
    from steadymark.models.face.crop import Points

CARD = find_model("flow-cell", "stabilizer")
CONTENT = verified_bytes(CARD)
SCHEMA = load_schema()
CROP = Crop(160.0, 160.0, 200.0)
FRAMES = 24


def raw_points() -> list[Points]:
    """Return noisy raw landmarks of a face at rest."""
    rng = np.random.default_rng(0)
    shape = SCHEMA.mean_shape * 120 + 160
    return [(shape + rng.normal(0, 1, shape.shape)).astype(np.float32) for _ in range(FRAMES)]


def stabilize(content: bytes, raw: list[Points]) -> list[Points]:
    """Return stabilized landmarks over a constant image."""
    stabilizer = FlowStabilizer(CARD, SCHEMA, content=content)
    image = np.random.default_rng(1).integers(0, 255, (128, 128), np.uint8)
    scores, memory, stabilized = np.full((1, SCHEMA.count), 0.9, np.float32), None, []
    for xy in raw:
        ((points, memory),) = stabilizer.step([FlowFrame(image, CROP, xy)], scores, [memory])
        stabilized.append(points)
    return stabilized


def test_a_constant_mean_averages_all_frames_of_new_memory_with_the_first_twice() -> None:
    raw = raw_points()
    stabilized = stabilize(flow_with_constant_mean(CONTENT, 0.01), raw)
    np.testing.assert_allclose(stabilized[9], np.mean([raw[0], *raw[:10]], 0), atol=0.01)


def test_a_very_large_gain_gives_the_raw_landmarks() -> None:
    raw = raw_points()
    np.testing.assert_allclose(
        stabilize(flow_with_constant_mean(CONTENT, 1e8), raw)[-1], raw[-1], atol=1e-3
    )


def test_first_shares_do_not_depend_on_the_other_layers() -> None:
    raw = raw_points()
    np.testing.assert_allclose(
        stabilize(flow_with_untrained_weights(CONTENT), raw),
        stabilize(flow_with_constant_shares(CONTENT, FIRST_SHARES), raw),
        atol=1e-3,
    )
    assert (
        np.abs(
            np.subtract(stabilize(CONTENT, raw), stabilize(flow_with_first_shares(CONTENT), raw))
        ).max()
        > 0.05
    )


def test_untrained_weights_have_the_spread_of_the_initialisation() -> None:
    torch = pytest.importorskip("torch")
    from steadymark.models.networks.stabilizer.flow_cell import FlowCell

    torch.manual_seed(0)
    initial_weights = {name: p.detach().numpy() for name, p in FlowCell().named_parameters()}
    content = flow_with_untrained_weights(CONTENT)
    weights, layers = read_weights(content), ("into", "near", "joined")
    untrained_weights = {
        f"{each}.{part}": weights[name]
        for each in layers
        for part, name in zip(("weight", "bias"), _layer(content, each), strict=True)
    }
    untrained_weights |= {
        name[5:]: values for name, values in weights.items() if name.startswith("cell.memory.")
    }
    assert set(untrained_weights) == {
        name for name in initial_weights if not name.startswith("out.")
    }
    for name, values in untrained_weights.items():
        assert values.std() == pytest.approx(initial_weights[name].std(), rel=0.3), name
    np.testing.assert_allclose(weights["cell.out.bias"], initial_weights["out.bias"], atol=1e-6)


def test_another_model_is_refused() -> None:
    plain = verified_bytes(find_model("heatmap1d-lite", "landmarks"))
    for edit in (flow_with_untrained_weights, flow_with_first_shares):
        with pytest.raises(WeightsError, match="no flow cell"):
            edit(plain)
