"""Heatmap caches of sequences: packing, time budget, and resuming after an interruption."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from steadymark.models.errors import DataError
from steadymark.models.face.schema import load_schema
from steadymark.models.networks.pdc import pdc_1d, pdc_2d
from steadymark.models.training.data.face_images import FaceImages
from steadymark.models.training.data.image_sequences import SequenceConfig
from steadymark.models.training.stabilizer import cache_filling
from steadymark.models.training.stabilizer.cache_budget import CacheBudget
from steadymark.models.training.stabilizer.cache_filling import CacheFiller
from steadymark.models.training.stabilizer.frozen_backbone import Backbone, BackboneInfo, Floats
from steadymark.models.training.stabilizer.heatmap_cache import (
    HeatmapCache,
    pack_heatmaps,
    unpack_heatmaps,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.models.face.crop import Image
    from steadymark.models.networks.stabilizer.heatmap_stabilizer import Stabilizer

SCHEMA = load_schema("ibug68")


class BrightnessBackbone(Backbone):
    """Lines of 16 bins that encode the brightness of a crop; each call advances a fake clock."""

    def __init__(self, each_s: float = 0.0) -> None:
        self.info = BackboneInfo(crop=32, size=(16,), margin=1.4)
        self.identity = "lines"
        self.each_s, self.now_s, self.calls = each_s, 100.0, 0
        self.fails_at = 0

    def __call__(self, crops: Image) -> Floats:
        self.calls += 1
        self.now_s += self.each_s
        if self.calls == self.fails_at:
            raise KeyboardInterrupt
        bright = crops.astype(np.float32).mean((1, 2, 3)) / 255
        heat = np.ones((len(crops), 2, 68, 16)) * bright[:, None, None, None]
        lines: Floats = (heat * np.linspace(0, 1, 16)).astype(np.float32)
        return lines

    def calibrate(self, faces: Callable[[], Image]) -> None:
        """Do nothing."""

    def export(self, stabilizer: Stabilizer, path: Path) -> dict[str, object]:
        raise NotImplementedError


def noise_faces(count: int, seed: int) -> FaceImages:
    rng = np.random.default_rng(seed)
    points = (SCHEMA.mean_shape * 60 + 50 + rng.normal(0, 1, (count, 68, 2))).astype(np.float32)
    images = tuple(rng.integers(0, 256, (100, 100, 3), np.uint8) for _ in range(count))
    names = tuple(f"{seed}_{i}" for i in range(count))
    return FaceImages(names, names, images, points)


FACES = noise_faces(4, 0), noise_faces(2, 1)
CONFIG = SequenceConfig(frames=3)


def make_filler(
    folder: Path,
    backbone: BrightnessBackbone,
    counts: tuple[int, int] = (6, 3),
    cache_budget: CacheBudget | None = None,
) -> CacheFiller:
    return CacheFiller(
        folder,
        FACES,
        backbone,
        counts=counts,
        seed=5,
        config=CONFIG,
        cache_budget=cache_budget or CacheBudget(),
    )


@pytest.mark.parametrize(("size", "sigma"), [((256,), 3.0), ((16, 16), 0.8), ((32, 32), 1.2)])
def test_packing_changes_decoded_points_by_hundredths_of_a_pixel(
    size: tuple[int, ...], sigma: float
) -> None:
    """The crop has 128 px; peaks have any height over a noisy background."""
    rng = np.random.default_rng(0)
    grids = np.meshgrid(*(np.arange(side) for side in size), indexing="ij")
    maps = []
    for _ in range(200):
        peak = [rng.uniform(0.2 * side, 0.8 * side) for side in size]
        squared = sum((grid - position) ** 2 for grid, position in zip(grids, peak, strict=True))
        noise = 0.02 * rng.standard_normal(size)
        maps.append(rng.uniform(0.2, 3) * np.exp(-0.5 * squared / sigma**2) + noise)
    heat = np.stack(maps).astype(np.float32)
    packed = pack_heatmaps(heat, len(size))
    assert packed.code.nbytes + packed.ends.nbytes < 0.52 * heat.astype(np.float16).nbytes
    unpacked = unpack_heatmaps(torch.from_numpy(packed.code), torch.from_numpy(packed.ends))
    pdc = pdc_1d if len(size) == 1 else pdc_2d
    a, b = (pdc(part, soft=True)[0].numpy() for part in (torch.from_numpy(heat), unpacked))
    moved_px = np.abs(a - b) * 128 / size[0]
    assert np.median(moved_px) < 0.02
    np.testing.assert_allclose(unpacked.numpy(), heat, atol=0.012 * heat.max())


def test_heatmaps_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="no numbers or too large"):
        pack_heatmaps(np.full((2, 8), np.nan, np.float32), 1)
    flat = pack_heatmaps(np.zeros((2, 8), np.float32), 1)
    assert not unpack_heatmaps(torch.from_numpy(flat.code), torch.from_numpy(flat.ends)).any()


def test_an_interrupted_cache_continues_and_equals_an_uninterrupted_one(
    tmp_path: Path,
) -> None:
    uninterrupted, _ = make_filler(tmp_path / "whole", BrightnessBackbone()).fill()
    interrupted = BrightnessBackbone()
    interrupted.fails_at = 7  # of 6 and 3
    with pytest.raises(KeyboardInterrupt):
        make_filler(tmp_path / "parts", interrupted).fill()
    with (tmp_path / "parts" / "train.code").open("ab") as file:
        file.write(b"begun")  # an incomplete sequence
    second_backbone = BrightnessBackbone()
    resumed, validation = make_filler(tmp_path / "parts", second_backbone).fill()
    assert second_backbone.calls == 3  # of nine
    assert (len(resumed), len(validation)) == (6, 3)
    for name in ("code", "ends", "points", "moved"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(uninterrupted, name))
    unused = BrightnessBackbone()
    make_filler(tmp_path / "parts", unused).fill()
    assert unused.calls == 0


def test_a_cache_with_other_settings_is_filled_again(tmp_path: Path) -> None:
    make_filler(tmp_path, BrightnessBackbone()).fill()
    other = BrightnessBackbone()
    other.info = replace(other.info, mean=(1.0, 2.0, 3.0))
    make_filler(tmp_path, other).fill()
    assert other.calls == 9
    assert len(HeatmapCache(tmp_path, "train")) == 6


def test_size_and_time_are_reported_before_sequences_are_computed(tmp_path: Path) -> None:
    messages: list[str] = []
    progress: list[tuple[str, int, int]] = []
    backbone = BrightnessBackbone(each_s=60.0)
    cache_budget = CacheBudget(
        0,
        100.0,
        clock=lambda: backbone.now_s,
        tell=messages.append,
        report=lambda *a: progress.append(a),
    )
    make_filler(tmp_path, backbone, cache_budget=cache_budget).fill()
    assert "6 sequences to learn from and 3 to validate by: about 6 minutes" in messages[0]
    size = sum(f.stat().st_size for f in tmp_path.iterdir() if f.suffix != ".json")
    assert f"{size / 1e6:.0f} MB" in messages[0]
    assert progress[-1] == ("train", 6, 6)
    assert ("held", 3, 3) in progress


def test_the_time_budget_sets_the_number_of_sequences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_filling, "MIN_SEQUENCES", (8, 2))
    backbone = BrightnessBackbone(each_s=6.0)
    cache_budget = CacheBudget(5.0, 100.0, clock=lambda: backbone.now_s)
    bank, validation = make_filler(tmp_path, backbone, (800, 60), cache_budget).fill()
    assert 15 <= len(bank) + len(validation) <= 21  # 120 of 300 s
    assert backbone.now_s - 100 <= 0.44 * 300
    second_backbone = BrightnessBackbone(each_s=6.0)
    make_filler(tmp_path, second_backbone, (800, 60), cache_budget).fill()
    assert second_backbone.calls == 0  # a resumed run has the same sequences


def test_the_error_for_too_few_minutes_names_a_sufficient_number(tmp_path: Path) -> None:
    backbone = BrightnessBackbone(each_s=6.0)
    cache_budget = CacheBudget(2.0, 100.0, clock=lambda: backbone.now_s)
    with pytest.raises(DataError, match="2 minutes are too few") as error:
        make_filler(tmp_path, backbone, (800, 60), cache_budget).fill()
    enough_minutes = float(str(error.value).split("--minutes ")[1].split()[0])
    backbone = BrightnessBackbone(each_s=6.0)
    cache_budget = CacheBudget(enough_minutes, 100.0, clock=lambda: backbone.now_s)
    make_filler(tmp_path, backbone, (800, 60), cache_budget).fill()
