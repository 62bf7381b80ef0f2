from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from steadymark.models.face.schema import load_schema
from steadymark.models.networks.dan import PRESETS, Dan, DanConfig, DanDecoded
from steadymark.models.networks.dan_loss import dan_loss, spread_loss
from steadymark.models.networks.onnx_export import count_macs, export_onnx
from steadymark.models.runtime.onnxruntime_offline import ort
from support.fakes.dan_references import (
    backward,
    connection_of,
    faces,
    fitted_similarity,
    random_dan,
    stages_of,
)

if TYPE_CHECKING:
    from pathlib import Path


BOTH_PRESETS = pytest.mark.parametrize(
    "name", ["lite", pytest.param("paper", marks=pytest.mark.slow)]
)
TINY = DanConfig(widths=(8, 8, 8, 8), blocks=(0, 1, 0, 0), fold=8, hidden=16, feature=28)


def crops(count: int) -> torch.Tensor:
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, 14, 14)))
    return functional.interpolate(coarse, 112, mode="bilinear").to(torch.uint8)


def total_loss(network: Dan, stage: int, count: int) -> torch.Tensor:
    schema, ground_truth = load_schema("ibug68"), faces(count)
    out = network(torch.rand(count, 3, 112, 112) * 2 - 1, stages=stage)
    loss = dan_loss(out.shapes[-1], ground_truth, schema)
    loss = loss + spread_loss(out.log_spread, out.shapes[-1], ground_truth, schema)
    return loss + functional.binary_cross_entropy_with_logits(out.face, torch.ones(count))


@BOTH_PRESETS
def test_each_stage_gives_a_finite_shape(name: str) -> None:
    network = Dan(PRESETS[name]).eval()
    image = torch.rand(2, 3, 112, 112) * 2 - 1
    with torch.no_grad():
        both, first = network(image), network(image, stages=1)
    assert [s.shape for s in both.shapes] == [(2, 68, 2)] * 2
    assert both.face.shape == (2,)
    assert both.log_spread.shape == (2, 68)
    assert len(first.shapes) == 1
    assert all(torch.isfinite(part).all() for part in (*both.shapes, both.face, both.log_spread))
    torch.testing.assert_close(first.shapes[0], both.shapes[0])


@pytest.mark.parametrize("stage", [1, 2])
def test_every_parameter_of_the_trained_stage_gets_a_gradient_and_no_other(stage: int) -> None:
    network = Dan(PRESETS["lite"])
    network.train_stage(stage)
    backward(total_loss(network, stage, 4))
    trained = {id(p) for p in network.stage_parameters(stage)}
    for label, p in network.named_parameters():
        has_gradient = p.grad is not None and bool(p.grad.any())
        assert has_gradient == (id(p) in trained), label


def test_stages_trained_together_all_get_gradients() -> None:
    network = Dan(TINY)
    network.train_stage(1)
    backward(total_loss(network, 2, 4))
    without_gradient = [
        n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()
    ]
    # the spread of the first stage is not used when a second stage runs
    assert without_gradient == ["stages.0.spread.weight", "stages.0.spread.bias"]


def test_a_frozen_stage_does_not_change_while_the_next_one_trains() -> None:
    network = Dan(TINY)
    network.train_stage(2)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    optimizer = torch.optim.AdamW(network.stage_parameters(2), 1e-2, weight_decay=0.1)
    for _ in range(3):
        network.eval()
        network.train()
        optimizer.zero_grad()
        backward(total_loss(network, 2, 4))
        optimizer.step()
    after = network.state_dict()
    changed = {k for k, v in after.items() if not torch.equal(v, before[k])}
    assert not any(k.startswith("stages.0.") for k in changed)
    learnt = {k for k in after if k.startswith(("stages.1.", "connections.0."))}
    assert learnt == changed
    image = torch.rand(2, 3, 112, 112)
    torch.testing.assert_close(network(image).shapes[0], network(image).shapes[0])  # no dropout


def test_all_stages_train_again_when_the_first_does() -> None:
    network = Dan(TINY)
    network.train_stage(2)
    network.train_stage(1)
    assert all(p.requires_grad for p in network.parameters())
    assert all(m.training for m in network.modules())
    parts = [id(p) for stage in (1, 2) for p in network.stage_parameters(stage)]
    assert sorted(parts) == sorted(id(p) for p in network.parameters())


@pytest.mark.parametrize("stage", [0, 3])
def test_a_missing_stage_is_refused(stage: int) -> None:
    network = Dan(TINY)
    with pytest.raises(ValueError, match=f"stage {stage} of a network of 2"):
        network(torch.zeros(1, 3, 112, 112), stages=stage)
    with pytest.raises(ValueError, match=f"stage {stage}"):
        network.train_stage(stage)


def test_maps_that_do_not_divide_the_crop_are_refused() -> None:
    with pytest.raises(ValueError, match="crop of 100 px"):
        replace(PRESETS["lite"], crop=100)


def test_the_paper_preset_has_the_layers_of_table_1() -> None:
    network = Dan(PRESETS["paper"])
    for c_in, stage in zip((1, 3), stages_of(network), strict=True):
        convs = [tuple(m.weight.shape) for m in stage.modules() if isinstance(m, nn.Conv2d)]
        widths = (c_in, 64, 64, 128, 128, 256, 256, 512, 512)
        assert convs == [(b, a, 3, 3) for a, b in pairwise(widths)]
        dense = [tuple(m.weight.shape) for m in stage.fc1 if isinstance(m, nn.Linear)]
        assert dense == [(256, 7 * 7 * 512)]
        assert stage.fc2.weight.shape == (136, 256)
        pools = [m for m in stage.modules() if isinstance(m, nn.MaxPool2d)]
        assert len(pools) == 4
        assert isinstance(stage.fc1[1], nn.Dropout)
    assert connection_of(network)[1].weight.shape == (3136, 256)


def test_lite_stays_within_its_budget() -> None:
    network = Dan(PRESETS["lite"])
    assert count_macs(network, torch.zeros(1, 3, 112, 112)) <= 150e6
    assert sum(p.numel() for p in network.parameters()) < 2.5e6


@BOTH_PRESETS
def test_the_result_of_a_face_does_not_depend_on_its_batch(name: str) -> None:
    decoded = DanDecoded(random_dan(PRESETS[name])).eval()
    batch = crops(3)
    with torch.no_grad():
        together, alone = decoded(batch), decoded(batch[1:2])
    for whole, part in zip(together, alone, strict=True):
        torch.testing.assert_close(whole[1:2], part, atol=1e-3, rtol=0)


def test_scores_lie_between_0_and_the_face_score() -> None:
    with torch.no_grad():
        _, scores, face = DanDecoded(random_dan(PRESETS["lite"]))(crops(3))
    assert ((face > 0) & (face < 1)).all()
    assert ((scores > 0) & (scores <= face[:, None])).all()


@pytest.mark.slow
def test_the_second_stage_of_an_onnx_file_moves_the_points_as_in_torch(tmp_path: Path) -> None:
    decoded = DanDecoded(random_dan(PRESETS["lite"])).eval()
    path = tmp_path / "n.onnx"
    export_onnx(
        decoded,
        (crops(2),),
        path,
        inputs=["crops"],
        outputs=["points", "scores", "face"],
        dynamic=({0: torch.export.Dim("n")},),
    )
    assert path.stat().st_size <= 10e6
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 3):
        crop_batch = crops(count)
        points, scores, face = session.run(None, {"crops": crop_batch.numpy()})
        with torch.no_grad():
            first, last = decoded.network((crop_batch.float() - 127.5) / 127.5).shapes
            expected = decoded(crop_batch)
        moved = (last - first).norm(dim=-1)
        assert moved.mean() > 0.5  # the second stage contributes to the compared points
        np.testing.assert_allclose(points, expected[0].numpy(), atol=0.02)
        np.testing.assert_allclose(scores, expected[1].numpy(), atol=1e-3)
        np.testing.assert_allclose(face, expected[2].numpy(), atol=1e-3)


def test_landmarks_stay_float32_under_autocast() -> None:
    network, image = random_dan(PRESETS["lite"]), crops(2).float() / 127.5 - 1
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rounded = network(image)
    with torch.no_grad():
        exact = network(image)
    assert all(shape.dtype == torch.float32 for shape in rounded.shapes)
    assert rounded.face.dtype == rounded.log_spread.dtype == torch.float32
    assert (rounded.shapes[-1] - exact.shapes[-1]).norm(dim=-1).mean() < 0.25


def test_the_second_stage_moves_the_shape_as_in_equation_2() -> None:
    network = random_dan(TINY)
    second = stages_of(network)[1]
    delta = torch.from_numpy(np.random.default_rng(8).normal(0, 4, (68, 2))).float()
    nn.init.zeros_(second.fc2.weight)
    second.fc2.bias.data = delta.flatten()
    with torch.no_grad():
        first, last = network(crops(2).float() / 127.5 - 1).shapes
    canonical = network.canonical.numpy().astype(np.float64)
    for before, after in zip(first.numpy(), last.numpy(), strict=True):
        matrix = fitted_similarity(before, canonical)
        moved = before @ matrix[:, :2].T + matrix[:, 2] + delta.numpy()
        expected = (moved - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        np.testing.assert_allclose(after, expected, atol=2e-3)
