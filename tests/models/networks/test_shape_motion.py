"""Common motion of landmarks is tracked; independent motion of each landmark is noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from steadymark.models.face.schema import load_schema
from steadymark.models.networks.stabilizer.convlstm import ConvLstmConfig
from steadymark.models.networks.stabilizer.heatmap_stabilizer import Stabilizer, StabilizerConfig
from steadymark.models.networks.stabilizer.memory_warp import (
    apply_motion,
    identity_motion,
    inverse_motion,
    warp_heatmaps_1d,
    warp_heatmaps_2d,
)
from steadymark.models.networks.stabilizer.shape_motion import (
    ShapeMotion,
    noise_along,
    shape_basis,
    trusted,
)

SCHEMA = load_schema()
MOUTH, NOSE = list(SCHEMA.regions["mouth"]), list(SCHEMA.regions["nose"])
LOWER = [55, 56, 57, 58, 59, 65, 66, 67]


def shapes(count: int) -> np.ndarray:
    """Return faces (N, 68, 2) in crop pixels with different sizes and mouth openings."""
    rng = np.random.default_rng(0)
    mean = SCHEMA.mean_shape * 20 + 64
    points = mean + rng.normal(0, 1, (count, 1, 1)) * (mean - 64) * 0.05
    points = points + rng.normal(0, 0.2, (count, 68, 2))
    points[:, LOWER, 1] += rng.gamma(1.0, 3.0, (count, 1))
    return np.asarray(points)


def calibrated_motion() -> ShapeMotion:
    basis, first = shape_basis(shapes(400), SCHEMA)
    rng = np.random.default_rng(1)
    noise = noise_along(rng.normal(0, 0.5, (10, 40, 68, 2)), basis)
    noise[:first] *= 4
    noise[first:] *= 8
    motion = ShapeMotion(68)
    motion.basis.copy_(torch.from_numpy(basis))
    motion.least.copy_(torch.from_numpy(noise))
    return motion


@pytest.mark.parametrize("count", [3, 400])
def test_the_basis_is_complete_and_starts_with_face_parts(count: int) -> None:
    basis, first = shape_basis(shapes(count), SCHEMA)
    np.testing.assert_allclose(basis @ basis.T, np.eye(136), atol=1e-6)
    assert first == 18
    eyes = basis[:8].reshape(8, 68, 2)
    assert not eyes[:, MOUTH].any()
    lips = basis[8:18].reshape(10, 68, 2)
    assert not lips[:, NOSE].any()


def test_noise_is_estimated_along_each_direction() -> None:
    rng = np.random.default_rng(0)
    slowly_varying = (
        np.cumsum(rng.normal(0, 0.001, (6, 50, 68, 2)), 1) + 3.0
    )  # a constant error is not noise
    shaken = slowly_varying + rng.normal(0, 0.4, slowly_varying.shape)
    np.testing.assert_allclose(noise_along(shaken, np.eye(136)), 0.4, rtol=0.25)
    assert (noise_along(slowly_varying * 0, np.eye(136)) > 0).all()


def test_an_opening_mouth_is_tracked_and_noise_is_not() -> None:
    motion = calibrated_motion()
    resting = torch.from_numpy(shapes(1)).float()
    noise = torch.randn(200, 68, 2, generator=torch.Generator().manual_seed(2)) * 0.5
    moved = motion(resting + noise, resting.expand(200, -1, -1), torch.ones(200, 68))
    assert float(moved.square().mean().sqrt()) < 0.05
    opened = resting.clone()
    opened[:, LOWER, 1] += 6.0
    motion_px = motion(opened, resting, torch.ones(1, 68))[0]
    assert float(motion_px[LOWER, 1].mean()) > 5.4
    assert float(motion_px[NOSE].abs().max()) < 0.3
    assert not motion(resting, resting, torch.ones(1, 68)).any()
    blurred = motion(opened, resting, torch.full((1, 68), 0.1))[0]
    assert float(blurred[LOWER, 1].abs().max()) < 0.5


def test_trust_in_blurred_landmarks_drops_and_recovers() -> None:
    sharp, usual = torch.full((1, 2), 0.95), torch.zeros(1, 2)
    for _ in range(5):
        trust, usual = trusted(sharp, usual)
        torch.testing.assert_close(trust, torch.ones(1, 2))
    trust, _ = trusted(torch.tensor([[0.95, 0.76]]), usual)
    assert float(trust[0, 0]) == 1.0
    assert float(trust[0, 1]) == pytest.approx(0.8**8, rel=1e-4)
    for _ in range(100):
        trust, usual = trusted(torch.full((1, 2), 0.5), usual)
    assert float(trust.min()) > 0.9
    blank, _ = trusted(torch.zeros(1, 2), torch.zeros(1, 2))
    assert torch.isfinite(blank).all()


@torch.no_grad()
def test_an_untrusted_heatmap_does_not_change_memory() -> None:
    cell = ConvLstmConfig(kernel=3, rank=2)
    network = Stabilizer(StabilizerConfig(cell, 128, (64,), by_shape=True))
    grid = torch.arange(64)

    def heatmaps_at(points_before: float, sigma: float) -> tuple[torch.Tensor, ...]:
        line = torch.exp(-0.5 * ((grid - points_before) / sigma) ** 2).expand(1, 68, 64)
        return line, line

    state = network.start(1)
    for _ in range(10):
        before, state = network.step(heatmaps_at(30, 1.0), state, identity_motion(1))
    sharp, _ = network.step(heatmaps_at(34, 1.0), state, identity_motion(1))
    blurred, _ = network.step(heatmaps_at(34, 4.0), state, identity_motion(1))
    points_before, after_sharp, after_blurred = before.points, sharp.points, blurred.points
    assert (
        float((after_blurred - points_before).abs().max())
        < 0.05
        < float((after_sharp - points_before).abs().min())
    )


@torch.no_grad()
def test_a_landmark_outside_the_crop_is_still_tracked() -> None:
    cell = ConvLstmConfig(kernel=3, rank=2)
    network = Stabilizer(StabilizerConfig(cell, 128, (64,), by_shape=True))
    grid = torch.arange(64)

    def heatmaps_at(at: float) -> tuple[torch.Tensor, ...]:
        line = torch.exp(-0.5 * ((grid - at) / 2) ** 2).expand(1, 68, 64)
        return line, line

    state, moved = network.start(1), identity_motion(1).clone()
    for _ in range(10):
        _, state = network.step(heatmaps_at(58), state, identity_motion(1))
    moved[..., 0, 2] = -20.0  # the face goes 20 px to the right, out of the crop
    found, state = network.step((heatmaps_at(63)[0], heatmaps_at(58)[1]), state, moved)
    assert float(found.points[..., 0].min()) > 128
    assert float((found.points[..., 1] - 117).abs().max()) < 1


def test_an_affine_map_and_its_inverse_cancel() -> None:
    rng = torch.Generator().manual_seed(0)
    matrix = identity_motion(5) + torch.randn(5, 2, 3, generator=rng) * torch.tensor(
        [0.1, 0.1, 9.0]
    )
    points = torch.rand(5, 7, 2, generator=rng) * 100
    restored = apply_motion(inverse_motion(matrix), apply_motion(matrix, points))
    torch.testing.assert_close(restored, points, atol=1e-3, rtol=0)


def test_memory_is_also_warped_by_the_shift_of_each_landmark() -> None:
    at = torch.tensor([[[30.0, 40.0], [50.0, 20.0]]])
    shift = torch.tensor([[[5.0, -3.0], [0.0, 7.0]]])
    grid = torch.arange(64)

    def lines(points: torch.Tensor, axis: int) -> torch.Tensor:
        return torch.exp(-0.5 * ((grid - points[..., axis, None]) / 3) ** 2)

    for axis in (0, 1):
        warped = warp_heatmaps_1d(lines(at, axis), identity_motion(1), at + shift, axis, 64, shift)
        torch.testing.assert_close(warped, lines(at + shift, axis), atol=1e-3, rtol=0)
    maps = lines(at, 1)[..., None] * lines(at, 0)[..., None, :]
    moved = lines(at + shift, 1)[..., None] * lines(at + shift, 0)[..., None, :]
    torch.testing.assert_close(
        warp_heatmaps_2d(maps, identity_motion(1), 64, shift), moved, atol=1e-3, rtol=0
    )


@torch.no_grad()
@pytest.mark.parametrize("size", [(64,), (64, 64)])
def test_opened_lips_are_located_despite_long_memory(size: tuple[int, ...]) -> None:
    cell = ConvLstmConfig(axes=len(size), kernel=3, rank=2)
    without_shape, with_shape = (
        Stabilizer(StabilizerConfig(cell, 128, size, 0.0, by_shape=by_shape))
        for by_shape in (False, True)
    )
    with_shape.load_state_dict({**with_shape.state_dict(), **without_shape.state_dict()})
    calibrated = calibrated_motion()
    assert with_shape.shape is not None
    with_shape.shape.load_state_dict(calibrated.state_dict())
    mean = torch.from_numpy(shapes(1)).float()
    opened = mean.clone()
    opened[:, LOWER, 1] += 5.0

    def heatmaps_at(points: torch.Tensor) -> tuple[torch.Tensor, ...]:
        bins = (points + 0.5) / 2 - 0.5
        x, y = (
            torch.exp(-0.5 * ((torch.arange(64) - bins[..., i, None]) / 3) ** 2) for i in (0, 1)
        )
        return (x, y) if len(size) == 1 else (y[..., None] * x[..., None, :],)

    errors = []
    for network in (without_shape, with_shape):
        state = network.start(1)
        for points in [mean] * 20 + [opened] * 2:
            found, state = network.step(heatmaps_at(points), state, identity_motion(1))
        errors.append(float((found.points - opened)[:, LOWER, 1].abs().mean()))
    assert errors[1] < 0.8 < errors[0]
