"""The flow cell with other weights: bytes in, bytes out, and what the stabilizer then does."""

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
SCHEMA = load_schema("ibug68")
CROP = Crop(160.0, 160.0, 200.0)
FRAMES = 24


def raw_points() -> list[Points]:
    """A face at rest, as a noisy detector sees it."""
    rng = np.random.default_rng(0)
    shape = SCHEMA.mean_shape * 120 + 160
    return [(shape + rng.normal(0, 1, shape.shape)).astype(np.float32) for _ in range(FRAMES)]


def steps(content: bytes, raw: list[Points]) -> list[Points]:
    """Stabilized landmarks; the picture never changes, so that nothing moves."""
    stabilizer = FlowStabilizer(CARD, SCHEMA, content=content)
    picture = np.random.default_rng(1).integers(0, 255, (128, 128), np.uint8)
    scores, memory, given = np.full((1, SCHEMA.count), 0.9, np.float32), None, []
    for xy in raw:
        ((points, memory),) = stabilizer.step([FlowFrame(picture, CROP, xy)], scores, [memory])
        given.append(points)
    return given


def test_a_constant_mean_is_that_of_all_frames_while_memory_is_young_the_first_counts_twice() -> (
    None
):
    raw = raw_points()
    given = steps(flow_with_constant_mean(CONTENT, 0.01), raw)
    np.testing.assert_allclose(given[9], np.mean([raw[0], *raw[:10]], 0), atol=0.01)


def test_a_gain_without_end_gives_the_raw_landmarks() -> None:
    raw = raw_points()
    np.testing.assert_allclose(
        steps(flow_with_constant_mean(CONTENT, 1e8), raw)[-1], raw[-1], atol=1e-3
    )


def test_shares_are_constant_whatever_the_other_layers_give() -> None:
    raw = raw_points()
    np.testing.assert_allclose(
        steps(flow_with_untrained_weights(CONTENT), raw),
        steps(flow_with_constant_shares(CONTENT, FIRST_SHARES), raw),
        atol=1e-3,
    )
    assert (
        np.abs(np.subtract(steps(CONTENT, raw), steps(flow_with_first_shares(CONTENT), raw))).max()
        > 0.05
    )


def test_an_untrained_cell_has_the_spread_with_which_training_begins() -> None:
    torch = pytest.importorskip("torch")
    from steadymark.models.networks.stabilizer.flow_cell import FlowCell

    torch.manual_seed(0)
    theirs = {name: p.detach().numpy() for name, p in FlowCell().named_parameters()}
    content = flow_with_untrained_weights(CONTENT)
    known, layers = read_weights(content), ("into", "near", "joined")
    ours = {
        f"{each}.{part}": known[name]
        for each in layers
        for part, name in zip(("weight", "bias"), _layer(content, each), strict=True)
    }
    ours |= {name[5:]: values for name, values in known.items() if name.startswith("cell.memory.")}
    assert set(ours) == {name for name in theirs if not name.startswith("out.")}
    for name, values in ours.items():
        assert values.std() == pytest.approx(theirs[name].std(), rel=0.3), name
    np.testing.assert_allclose(known["cell.out.bias"], theirs["out.bias"], atol=1e-6)


def test_another_model_is_refused_in_a_sentence() -> None:
    plain = verified_bytes(find_model("heatmap1d-lite", "landmarks"))
    for edit in (flow_with_untrained_weights, flow_with_first_shares):
        with pytest.raises(WeightsError, match="no flow cell"):
            edit(plain)
