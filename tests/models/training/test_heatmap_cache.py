"""Banks of sequences: in bytes, within the time given, taken up again after a kill."""

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


class Lines(Backbone):
    """Lines of 16 bins that say how bright a crop is; each call takes a clock by hand on."""

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
        """Nothing."""

    def export(self, stabilizer: Stabilizer, path: Path) -> dict[str, object]:
        raise NotImplementedError


def noise_faces(count: int, seed: int) -> FaceImages:
    rng = np.random.default_rng(seed)
    points = (SCHEMA.mean_shape * 60 + 50 + rng.normal(0, 1, (count, 68, 2))).astype(np.float32)
    pictures = tuple(rng.integers(0, 256, (100, 100, 3), np.uint8) for _ in range(count))
    names = tuple(f"{seed}_{i}" for i in range(count))
    return FaceImages(names, names, pictures, points)


FACES = noise_faces(4, 0), noise_faces(2, 1)
CONFIG = SequenceConfig(frames=3)


def maker(
    folder: Path,
    backbone: Lines,
    counts: tuple[int, int] = (6, 3),
    allowance: CacheBudget | None = None,
) -> CacheFiller:
    return CacheFiller(
        folder,
        FACES,
        backbone,
        counts=counts,
        seed=5,
        config=CONFIG,
        allowance=allowance or CacheBudget(),
    )


@pytest.mark.parametrize(("size", "sigma"), [((256,), 3.0), ((16, 16), 0.8), ((32, 32), 1.2)])
def test_points_read_off_what_was_packed_differ_by_hundredths_of_a_pixel(
    size: tuple[int, ...], sigma: float
) -> None:
    """Of a 128 px crop; peaks of any height over a noisy ground, as networks give them."""
    rng = np.random.default_rng(0)
    grids = np.meshgrid(*(np.arange(side) for side in size), indexing="ij")
    maps = []
    for _ in range(200):
        at = [rng.uniform(0.2 * side, 0.8 * side) for side in size]
        squared = sum((grid - place) ** 2 for grid, place in zip(grids, at, strict=True))
        noise = 0.02 * rng.standard_normal(size)
        maps.append(rng.uniform(0.2, 3) * np.exp(-0.5 * squared / sigma**2) + noise)
    heat = np.stack(maps).astype(np.float32)
    kept = pack_heatmaps(heat, len(size))
    assert kept.code.nbytes + kept.ends.nbytes < 0.52 * heat.astype(np.float16).nbytes
    back = unpack_heatmaps(torch.from_numpy(kept.code), torch.from_numpy(kept.ends))
    pdc = pdc_1d if len(size) == 1 else pdc_2d
    a, b = (pdc(part, soft=True)[0].numpy() for part in (torch.from_numpy(heat), back))
    moved_px = np.abs(a - b) * 128 / size[0]
    assert np.median(moved_px) < 0.02
    np.testing.assert_allclose(back.numpy(), heat, atol=0.012 * heat.max())


def test_heatmaps_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="no numbers or too large"):
        pack_heatmaps(np.full((2, 8), np.nan, np.float32), 1)
    flat = pack_heatmaps(np.zeros((2, 8), np.float32), 1)
    assert not unpack_heatmaps(torch.from_numpy(flat.code), torch.from_numpy(flat.ends)).any()


def test_a_bank_that_was_killed_keeps_its_sequences_and_ends_as_if_it_had_not(
    tmp_path: Path,
) -> None:
    whole, _ = maker(tmp_path / "whole", Lines()).fill()
    killed = Lines()
    killed.fails_at = 7  # of 6 and 3
    with pytest.raises(KeyboardInterrupt):
        maker(tmp_path / "parts", killed).fill()
    with (tmp_path / "parts" / "train.code").open("ab") as file:
        file.write(b"begun")  # of a sequence that the kill cut short
    again = Lines()
    parts, held = maker(tmp_path / "parts", again).fill()
    assert again.calls == 3  # of nine
    assert (len(parts), len(held)) == (6, 3)
    for name in ("code", "ends", "points", "moved"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    unused = Lines()
    maker(tmp_path / "parts", unused).fill()
    assert unused.calls == 0


def test_a_bank_of_another_make_is_made_anew(tmp_path: Path) -> None:
    maker(tmp_path, Lines()).fill()
    other = Lines()
    other.info = replace(other.info, mean=(1.0, 2.0, 3.0))
    maker(tmp_path, other).fill()
    assert other.calls == 9
    assert len(HeatmapCache(tmp_path, "train")) == 6


def test_size_and_time_are_told_before_sequences_are_made(tmp_path: Path) -> None:
    told: list[str] = []
    done: list[tuple[str, int, int]] = []
    backbone = Lines(each_s=60.0)
    allowance = CacheBudget(
        0,
        100.0,
        clock=lambda: backbone.now_s,
        tell=told.append,
        report=lambda *a: done.append(a),
    )
    maker(tmp_path, backbone, allowance=allowance).fill()
    assert "6 sequences to learn from and 3 to validate by: about 6 minutes" in told[0]
    size = sum(f.stat().st_size for f in tmp_path.iterdir() if f.suffix != ".json")
    assert f"{size / 1e6:.0f} MB" in told[0]
    assert done[-1] == ("train", 6, 6)
    assert ("held", 3, 3) in done


def test_minutes_decide_how_many_sequences_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_filling, "LEAST", (8, 2))
    backbone = Lines(each_s=6.0)
    allowance = CacheBudget(5.0, 100.0, clock=lambda: backbone.now_s)
    bank, held = maker(tmp_path, backbone, (800, 60), allowance).fill()
    assert 15 <= len(bank) + len(held) <= 21  # 120 of 300 s
    assert backbone.now_s - 100 <= 0.44 * 300
    again = Lines(each_s=6.0)
    maker(tmp_path, again, (800, 60), allowance).fill()
    assert again.calls == 0  # a resumed run has the same sequences


def test_too_few_minutes_are_refused_with_a_number_that_is_enough(tmp_path: Path) -> None:
    backbone = Lines(each_s=6.0)
    allowance = CacheBudget(2.0, 100.0, clock=lambda: backbone.now_s)
    with pytest.raises(DataError, match="2 minutes are too few") as told:
        maker(tmp_path, backbone, (800, 60), allowance).fill()
    enough = float(str(told.value).split("--minutes ")[1].split()[0])
    backbone = Lines(each_s=6.0)
    allowance = CacheBudget(enough, 100.0, clock=lambda: backbone.now_s)
    maker(tmp_path, backbone, (800, 60), allowance).fill()
