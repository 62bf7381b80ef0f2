from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from steadymark.models.face.schema import load_schema
from steadymark.models.networks.dan_loss import (
    TOLERANCE,
    dan_loss,
    probability_within_tolerance,
    spread_loss,
)
from support.fakes.dan_references import backward, faces


def test_the_loss_is_equation_4_written_as_loops() -> None:
    rng = np.random.default_rng(9)
    ground_truth = faces(3).double()
    shape = ground_truth + torch.from_numpy(rng.normal(0, 2, ground_truth.shape))
    weight, expected = (1.0, 0.0, 0.5), 0.0
    for b, w in enumerate(weight):
        s, t = shape[b].numpy(), ground_truth[b].numpy()
        right = sum(t[k] for k in range(36, 42)) / 6
        left = sum(t[k] for k in range(42, 48)) / 6
        pupils = math.hypot(*(right - left))
        expected += w * sum(math.hypot(*(s[k] - t[k])) for k in range(68)) / 68 / pupils
    loss = dan_loss(
        shape, ground_truth, load_schema("ibug68"), torch.tensor(weight, dtype=torch.float64)
    )
    assert loss.item() == pytest.approx(expected / 1.5)


def test_a_sample_without_a_face_gives_no_shape_gradient() -> None:
    schema = load_schema("ibug68")
    shape = faces(2).clone().requires_grad_()
    ground_truth = torch.stack(
        (shape.detach()[0] + 3, torch.zeros(68, 2))
    )  # the second has no eyes
    backward(dan_loss(shape, ground_truth, schema, torch.tensor([1.0, 0.0])))
    assert shape.grad is not None
    assert shape.grad[0].abs().min() > 0
    assert not shape.grad[1].any()
    assert dan_loss(shape, ground_truth, schema, torch.zeros(2)).item() == 0


def test_a_correct_shape_has_no_loss_and_a_finite_gradient() -> None:
    shape = faces(2).clone().requires_grad_()
    loss = dan_loss(shape, faces(2), load_schema("ibug68"))
    backward(loss)
    assert loss.item() == 0
    assert shape.grad is not None
    assert torch.isfinite(shape.grad).all()


def test_the_spread_with_the_lowest_loss_is_half_the_mean_error() -> None:
    schema, ground_truth = load_schema("ibug68"), faces(1)
    shape = (ground_truth + torch.tensor([3.0, 4.0])).requires_grad_()
    eyes = ground_truth[0, 36:42].mean(0) - ground_truth[0, 42:48].mean(0)
    best = torch.log(2.5 / eyes.norm())
    log_spread = torch.full((1, 68), best.item(), requires_grad=True)
    backward(spread_loss(log_spread, shape, ground_truth, schema))
    assert log_spread.grad is not None
    assert log_spread.grad.abs().max() < 1e-6
    assert shape.grad is None


def test_the_found_share_is_the_density_within_the_tolerance() -> None:
    for spread in (0.01, 0.05, 0.3):
        r = (np.arange(100_000) + 0.5) * TOLERANCE / 100_000
        inside = (r * np.exp(-r / spread) / spread**2).sum() * TOLERANCE / 100_000
        share = probability_within_tolerance(torch.tensor(math.log(spread), dtype=torch.float64))
        assert share.item() == pytest.approx(inside, abs=1e-6)
