"""Recurrent cells over heatmaps: their equations and memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from steadymark.models.networks.heatmap_losses import (
    adaptive_wing,
    change_loss,
    geman_mcclure,
    jitter_loss,
    jitter_modulation,
)
from steadymark.models.networks.stabilizer.convlstm import ConvLstm, ConvLstmConfig, ConvLstmState
from steadymark.models.networks.stabilizer.heatmap_stabilizer import (
    Stabilizer,
    StabilizerConfig,
    flat,
)
from steadymark.models.networks.stabilizer.memory_warp import identity_motion as still_crops
from steadymark.models.networks.stabilizer.refiner import Refiner, RefinerConfig, RefinerState

CELLS = [
    RefinerConfig(landmarks=5, width=7, kernel=3),
    ConvLstmConfig(landmarks=5, kernel=5),
    ConvLstmConfig(landmarks=5, kernel=5, rank=3),
    ConvLstmConfig(landmarks=5, kernel=3, axes=2),
    ConvLstmConfig(landmarks=5, kernel=3, axes=2, rank=3),
]
SHAPES = {1: (40,), 2: (12, 14)}
NAMES = ["refiner", "convlstm 1D", "separable 1D", "convlstm 2D", "separable 2D"]


def stabilizer(cell: RefinerConfig | ConvLstmConfig) -> Stabilizer:
    torch.manual_seed(3)
    axes = cell.axes if isinstance(cell, ConvLstmConfig) else 1
    network = Stabilizer(StabilizerConfig(cell, 64, SHAPES[axes]))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return network


def random_peaks(batch: int, frames: int, network: Stabilizer) -> tuple[torch.Tensor, ...]:
    """Return heatmaps (B, T, K, ...) with peaks of 1 at random positions."""
    size, count = network.config.size, len(network.cells)
    rng = torch.Generator().manual_seed(1)
    heats = []
    for _ in range(count):
        heat = torch.ones(batch, frames, 5, *size)
        for axis, length in enumerate(size):
            at = torch.rand(batch, frames, 5, generator=rng) * (length - 8) + 4
            line = torch.exp(-((torch.arange(length) - at[..., None]) ** 2) / 8)
            shape = [1] * len(size)
            shape[axis] = length
            heat = heat * line.reshape(batch, frames, 5, *shape)
        heats.append(heat)
    return tuple(heats)


def crops_at_rest(batch: int, frames: int) -> torch.Tensor:
    return still_crops(batch * frames).reshape(batch, frames, 2, 3)


def test_the_recurrence_is_equation_13_as_a_sum_over_all_past_frames() -> None:
    torch.manual_seed(0)
    cell = Refiner(CELLS[0]).double()  # type: ignore[arg-type]
    with torch.no_grad():
        cell.cnn4[-1].weight.normal_()  # type: ignore[operator]
    heat = torch.rand(6, 2, 5, 20).double()
    state = cell.start(2, 20)
    for t in range(6):
        out, state = cell(heat[t], state)
        u = [cell.cnn3(heat[tau]).detach().numpy() for tau in range(t + 1)]
        v = u[t] + sum((0.3 ** (t - tau) * u[tau] for tau in range(t)), start=np.zeros_like(u[t]))
        np.testing.assert_allclose(state.v.detach().numpy(), v, atol=1e-12)
        expected = heat[t].numpy() + cell.cnn4(torch.from_numpy(v)).detach().numpy()
        np.testing.assert_allclose(out.detach().numpy(), cell.gain.item() * expected, atol=1e-12)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def test_the_cell_is_the_convlstm_written_as_loops() -> None:
    torch.manual_seed(0)
    config = ConvLstmConfig(landmarks=2, kernel=3)
    cell = ConvLstm(config).double()
    rng = np.random.default_rng(0)
    o, h, c = (rng.normal(size=(1, 2, 6)) for _ in range(3))
    parts = dict(cell.gates.named_parameters())
    weight, bias = (parts[name].detach().numpy() for name in ("conv.weight", "conv.bias"))
    both = np.pad(np.concatenate((o, h), 1)[0], ((0, 0), (1, 1)))
    gates = np.zeros((8, 6))
    for channel in range(8):
        for index in range(6):
            gates[channel, index] = bias[channel] + sum(
                weight[channel, j, k] * both[j, index + k] for j in range(4) for k in range(3)
            )
    i, f, out, g = gates[:2], gates[2:4], gates[4:6], gates[6:]
    c_new = sigmoid(f) * c[0] + sigmoid(i) * np.tanh(g)
    h_new = sigmoid(out) * np.tanh(c_new)
    scale = cell.out.weight.detach().numpy().reshape(2, 1)
    state = ConvLstmState(torch.from_numpy(h), torch.from_numpy(c))
    steady, new_state = cell(torch.from_numpy(o), state)
    np.testing.assert_allclose(new_state.c[0].detach().numpy(), c_new, atol=1e-12)
    np.testing.assert_allclose(new_state.h[0].detach().numpy(), h_new, atol=1e-12)
    np.testing.assert_allclose(steady[0].detach().numpy(), scale * h_new, atol=1e-12)


@torch.no_grad()
def test_memory_stays_a_mean_over_long_videos() -> None:
    torch.manual_seed(0)
    cell, grid = ConvLstm(ConvLstmConfig(landmarks=2, rank=4)), torch.arange(64)

    def heatmap_at(at: float) -> torch.Tensor:
        return torch.exp(-0.5 * ((grid - at) / 3) ** 2).expand(1, 2, 64)

    def position(heat: torch.Tensor) -> float:
        return float((heat * grid).sum() / heat.sum())

    state, generator = cell.start(1, 64), torch.Generator().manual_seed(1)
    steady = heatmap_at(30)
    for _ in range(500):
        steady, state = cell(
            heatmap_at(30 + float(torch.randn(1, generator=generator)) * 0.3), state
        )
    assert position(steady[0, 0]) == pytest.approx(30, abs=0.2)
    assert float(steady.max()) == pytest.approx(1, abs=0.15)
    moved, _ = cell(heatmap_at(31), state)
    assert position(moved[0, 0]) == pytest.approx(30 + 0.05, abs=0.2)


def test_the_jitter_loss_is_equations_2_to_7_written_as_loops() -> None:
    rng = np.random.default_rng(0)
    u, ground_truth, before, ground_truth_before = (rng.normal(size=(2, 3, 2)) for _ in range(4))
    ground_truth_before[0, 0] = ground_truth[0, 0]  # a landmark that stands still
    heat, target = rng.normal(size=(2, 3, 7)), rng.normal(size=(2, 3, 7))
    theta, xi, total = 0.8, 0.5, 0.0
    psi = jitter_modulation(
        *(torch.from_numpy(part) for part in (u, ground_truth, before, ground_truth_before)),
        threshold=theta,
        xi=xi,
    )
    for b in range(2):
        for k in range(3):
            e, e_before = u[b, k] - ground_truth[b, k], before[b, k] - ground_truth_before[b, k]
            moved = np.linalg.norm(ground_truth[b, k] - ground_truth_before[b, k])
            expected = min(np.linalg.norm(e - e_before) / (moved + xi), theta)
            assert float(psi[b, k]) == pytest.approx(expected, abs=1e-6)
            for s, s_true in zip(heat[b, k], target[b, k], strict=True):
                total += expected * (s - s_true) ** 2 / ((s - s_true) ** 2 + theta**2)
    loss = jitter_loss(torch.from_numpy(heat), torch.from_numpy(target), psi, threshold=theta)
    assert float(loss) == pytest.approx(total / 6, rel=1e-6)


def test_only_a_changing_error_has_a_loss() -> None:
    ground_truth = torch.rand(2, 6, 5, 2) * 100
    offset = torch.tensor([3.0, 4.0])
    assert float(change_loss(ground_truth + offset, ground_truth)) == pytest.approx(0, abs=1e-4)
    shaken = ground_truth + offset * torch.tensor([1.0, -1]).repeat(3)[:, None, None]
    assert float(change_loss(shaken, ground_truth)) == pytest.approx(10, rel=1e-4)
    late = ground_truth.roll(1, dims=1)
    assert float(change_loss(late, ground_truth)) > 10


def test_the_gradient_of_the_pixel_loss_is_largest_below_its_threshold() -> None:
    error = torch.linspace(0.01, 3, 300, requires_grad=True)
    geman_mcclure(error, torch.zeros(300)).sum().backward()  # type: ignore[no-untyped-call]
    assert error.grad is not None
    assert 0.4 < float(error.detach()[error.grad.argmax()]) < 0.7


def test_the_adaptive_wing_loss_is_steep_on_the_peak_and_flat_beside_it() -> None:
    peak, beside = torch.ones(1), torch.zeros(1)
    assert float(adaptive_wing(peak, peak)) == pytest.approx(0, abs=1e-4)
    small = torch.tensor([0.05])
    assert adaptive_wing(peak - small, peak) > 10 * adaptive_wing(beside + small, beside)
    below, above = (adaptive_wing(beside + d, beside) for d in (0.4999, 0.5001))
    assert float(above - below) == pytest.approx(0, abs=0.01)  # its two pieces join


@pytest.mark.parametrize("cell", CELLS, ids=NAMES)
def test_sequences_equal_single_frames_and_batches_equal_single_rows(
    cell: RefinerConfig | ConvLstmConfig,
) -> None:
    network = stabilizer(cell)
    heats = random_peaks(3, 4, network)
    whole = network(heats, crops_at_rest(3, 4))
    assert all(
        a.shape == b.shape and torch.isfinite(a).all() for a, b in zip(whole, heats, strict=False)
    )
    for row in range(3):
        state = network.start(1)
        for t in range(4):
            frame, state = network.step(
                tuple(h[row : row + 1, t] for h in heats), state, still_crops(1)
            )
            for a, b in zip(frame.heats, whole, strict=True):
                torch.testing.assert_close(a[0], b[row, t], atol=1e-5, rtol=0)
    names = network.state_names()
    assert len(flat(state)) == len(names) == len(set(names))
    restored = network.unflatten_state(tuple(flat(state)))
    assert all(torch.equal(a, b) for a, b in zip(flat(restored), flat(state), strict=True))


@pytest.mark.parametrize("cell", CELLS, ids=NAMES)
def test_frames_before_the_unrolled_ones_give_memory_but_no_gradient(
    cell: RefinerConfig | ConvLstmConfig,
) -> None:
    network = stabilizer(cell)
    heats = tuple(heat.requires_grad_() for heat in random_peaks(2, 5, network))
    moved = crops_at_rest(2, 5)
    whole, last = network(heats, moved), network(heats, moved, 2)
    for a, b, heat in zip(whole, last, heats, strict=True):
        torch.testing.assert_close(a[:, 3:], b, atol=1e-6, rtol=0)
        (gradient,) = torch.autograd.grad(b.square().sum(), heat, retain_graph=True)
        assert not gradient[:, :3].any()
        assert gradient[:, 3:].any()


@pytest.mark.parametrize("cell", CELLS, ids=NAMES)
def test_every_parameter_gets_a_gradient(cell: RefinerConfig | ConvLstmConfig) -> None:
    network = stabilizer(cell)
    steady = network(random_peaks(2, 3, network), crops_at_rest(2, 3))
    points, share = network.points(steady)
    assert points.shape == (2, 3, 5, 2)
    (points.sum() + share.sum() + sum(part.square().sum() for part in steady)).backward()
    without_gradient = [
        n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert without_gradient == []


@pytest.mark.parametrize("cell", CELLS, ids=NAMES)
def test_an_untrained_cell_hardly_changes_landmarks(cell: RefinerConfig | ConvLstmConfig) -> None:
    torch.manual_seed(5)
    network = Stabilizer(StabilizerConfig(cell, 64, stabilizer(cell).config.size))
    heats = random_peaks(1, 1, network)
    still = tuple(h.expand(-1, 5, *h.shape[2:]) for h in heats)
    with torch.no_grad():
        steady = network(still, crops_at_rest(1, 5))
        moved = (network.points(steady)[0] - network.points(still)[0]).abs()
    assert float(moved.max()) < 0.5  # crop pixels


@torch.no_grad()
def test_memory_moves_with_the_face() -> None:
    cell = RefinerConfig(landmarks=5, width=6, kernel=3)
    network = Stabilizer(StabilizerConfig(cell, 64, (64,)))
    grid, at = torch.arange(64), torch.rand(1, 5, 2) * 20 + 15

    def heatmap_at(points: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(torch.exp(-0.5 * ((grid - points[..., i, None]) / 2) ** 2) for i in (0, 1))

    _, state = network.step(heatmap_at(at), network.start(1), still_crops(1))
    moved = still_crops(1).clone()
    moved[..., 2] -= 6.0
    before, after = state[0], network._warp_state(state, at + 6.0, moved)[0]
    assert isinstance(before, RefinerState)
    assert isinstance(after, RefinerState)
    inner, most = slice(8, -8), float(before.v.abs().max())
    expected = torch.roll(before.v, 6, -1)
    torch.testing.assert_close(after.v[..., inner], expected[..., inner], atol=0.1 * most, rtol=0)


def test_heatmaps_with_other_axes_than_the_cell_are_refused() -> None:
    with pytest.raises(ValueError, match="2 axes"):
        StabilizerConfig(ConvLstmConfig(axes=2), 64, (40,))
    with pytest.raises(ValueError, match="for a ConvLSTM"):
        StabilizerConfig(RefinerConfig(), 64, (40,), by_shape=True)
