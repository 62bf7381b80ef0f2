"""Recurrent memory is warped with the motion of the crop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from steadymark.models.face.crop import Crop, inverse, transform
from steadymark.models.networks.pdc import px_to_bins
from steadymark.models.networks.stabilizer.memory_warp import (
    apply_motion,
    identity_motion,
    warp_heatmaps_1d,
    warp_heatmaps_2d,
)

F, L = 128, 256
MOVES = [
    (0, 0, 1.0, 0.0),
    (6.3, -2.7, 1.0, 0.0),
    (0, 0, 1.06, 0.0),
    (0, 0, 1.0, 7.0),
    (-5.1, 3.3, 0.95, -6.0),
]


def peak_line(position: torch.Tensor, length: int, sigma: float) -> torch.Tensor:
    """Return lines (..., length) with a peak of 1 at bin `position` (...)."""
    grid = torch.arange(length, dtype=position.dtype)
    return torch.exp(-0.5 * ((grid - position[..., None]) / sigma) ** 2)


def two_crops(move: tuple[float, float, float, float]) -> tuple[torch.Tensor, ...]:
    """Return points (1, 9, 2) of a face in the last and in this crop, and the motion."""
    dx, dy, growth, turn = move
    last = Crop(300, 200, 180, 4)
    this = Crop(300 + dx, 200 + dy, 180 * growth, 4 + turn)
    in_last_crop = np.stack(np.meshgrid([30.0, 64, 101], [25.0, 60, 99]), -1).reshape(-1, 2)
    moved = this.matrix_to_crop(last, F)
    in_this_crop = transform(inverse(moved), in_last_crop)
    return tuple(torch.from_numpy(a[None]).float() for a in (in_last_crop, in_this_crop, moved))


@pytest.mark.parametrize("move", MOVES)
def test_memory_of_a_landmark_stays_on_it(move: tuple[float, float, float, float]) -> None:
    in_last_crop, in_this_crop, moved = two_crops(move)
    for axis in (0, 1):
        memory = peak_line(px_to_bins(in_last_crop[..., axis], F, L), L, 4.0)
        warped = warp_heatmaps_1d(memory, moved, in_this_crop, axis, F)
        slope = float(moved[0, axis, axis])
        expected = peak_line(px_to_bins(in_this_crop[..., axis], F, L), L, 4.0 / slope)
        torch.testing.assert_close(warped, expected, atol=0.02, rtol=0)


@pytest.mark.parametrize("move", MOVES)
def test_2d_memory_moves_with_the_image(move: tuple[float, float, float, float]) -> None:
    in_last_crop, in_this_crop, moved = two_crops(move)
    size = (32, 32)

    def maps(points: torch.Tensor, sigma: float) -> torch.Tensor:
        x, y = (peak_line(px_to_bins(points[..., a], F, size[a]), size[a], sigma) for a in (0, 1))
        return y[..., None] * x[..., None, :]

    warped = warp_heatmaps_2d(maps(in_last_crop, 2.0), moved, F)
    scale = float(torch.linalg.det(moved[0, :, :2]).sqrt())
    torch.testing.assert_close(warped, maps(in_this_crop, 2.0 / scale), atol=0.06, rtol=0)


def test_a_still_crop_keeps_its_memory_and_outside_memory_is_zero() -> None:
    torch.manual_seed(0)
    memory, points = torch.randn(2, 9, L), torch.rand(2, 9, 2) * F
    for axis in (0, 1):
        torch.testing.assert_close(
            warp_heatmaps_1d(memory, identity_motion(2), points, axis, F), memory, atol=1e-3, rtol=0
        )
    maps = torch.randn(2, 9, 24, 32)
    torch.testing.assert_close(
        warp_heatmaps_2d(maps, identity_motion(2), F), maps, atol=1e-3, rtol=0
    )
    far_motion = identity_motion(2) + torch.tensor([[0.0, 0, 2 * F], [0, 0, 2 * F]])
    assert not warp_heatmaps_1d(memory, far_motion, points, 0, F).any()
    assert not warp_heatmaps_2d(maps, far_motion, F).any()


def test_memory_that_mixes_landmarks_rotates_about_their_centre() -> None:
    _, in_this_crop, moved = two_crops((0, 0, 1.0, 7.0))
    torch.manual_seed(1)
    memory = torch.rand(1, 5, L)
    together = warp_heatmaps_1d(memory, moved, in_this_crop, 0, F)
    alone = warp_heatmaps_1d(memory[:, :1], moved, in_this_crop.mean(1, keepdim=True), 0, F)
    torch.testing.assert_close(together[:, :1], alone, atol=1e-4, rtol=0)


def test_positions_keep_their_precision_under_autocast() -> None:
    torch.manual_seed(0)
    before = torch.rand(2, 68, 2) * 60 + 30
    points = before + torch.tensor([1.37, -0.61])
    moved = identity_motion(2) - torch.tensor([[0.0, 0, 1.37], [0, 0, -0.61]])
    with torch.autocast("cpu", torch.bfloat16):
        error = (apply_motion(moved, points) - before).abs().max()
        memory = peak_line(px_to_bins(before[..., 0], F, L), L, 4.0)
        warped_memory = warp_heatmaps_1d(memory, moved, points, 0, F)
    assert float(error) < 1e-3
    expected = peak_line(px_to_bins(points[..., 0], F, L), L, 4.0)
    torch.testing.assert_close(warped_memory, expected, atol=0.02, rtol=0)
