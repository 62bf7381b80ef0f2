from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from steadymark.models.backbones.pyramid import PyramidConfig
from steadymark.models.heatmap1d import Heatmap1dConfig
from steadymark.models.schema import load_schema
from steadymark.models.training import landmarks, loop
from steadymark.models.training.augment import AugmentConfig, make_sample
from steadymark.models.training.faces import held_back, load_faces, split
from steadymark.models.training.landmarks import LandmarkRecipe, train_landmarks

if TYPE_CHECKING:
    from pathlib import Path
from typing import Any

SCHEMA = load_schema()
TINY = Heatmap1dConfig(
    crop=64,
    bins=64,
    channels=8,
    hidden=8,
    backbone=PyramidConfig(stem=4, widths=(8, 8, 8, 8), blocks=(1, 1, 1, 1), out=8),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve noise pictures with landmarks, in 300W form."""
    faces, rng = tmp_path / "300w" / "train", np.random.default_rng(0)
    faces.mkdir(parents=True)
    for i in range(12):
        points = SCHEMA.mean_shape * 90 + 80 + rng.normal(0, 2, (68, 2))
        rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
        (faces / f"helen_{i}_1.pts").write_text(
            f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n", encoding="ascii"
        )
        cv2.imwrite(str(faces / f"helen_{i}_1.jpg"), rng.integers(0, 256, (160, 160, 3), np.uint8))
    return tmp_path


def test_faces_of_one_photo_are_on_one_side_of_the_split(folder: Path) -> None:
    for photo in ("afw_111076519", "helen_22"):
        assert len({held_back(f"{photo}_{i}") for i in range(1, 6)}) == 1
    lfpw = [held_back(f"lfpw_image_{i:04d}") for i in range(800)]
    assert 0.02 < np.mean(lfpw) < 0.12
    training, held = split(load_faces(folder / "300w" / "train"))
    assert len(training) + len(held) == 12
    assert not set(training.names) & set(held.names)


def test_a_sample_follows_from_its_number_alone(folder: Path) -> None:
    faces = load_faces(folder / "300w" / "train")
    a, b = (make_sample(faces, (), SCHEMA, 64, 5, seed=3, config=AugmentConfig()) for _ in range(2))
    np.testing.assert_array_equal(a.crop, b.crop)
    np.testing.assert_array_equal(a.points, b.points)
    other = make_sample(faces, (), SCHEMA, 64, 6, seed=3, config=AugmentConfig())
    assert not np.array_equal(a.crop, other.crop)


def test_mirrored_samples_keep_the_numbering_of_landmarks(folder: Path) -> None:
    """The right eye (36…41) stays to the left of the left eye, mirrored or not."""
    faces = load_faces(folder / "300w" / "train")
    config = AugmentConfig(negatives=0, wide_share=0)
    for number in range(24):
        points = make_sample(faces, (), SCHEMA, 64, number, seed=0, config=config).points
        assert points[36:42, 0].mean() < points[42:48, 0].mean()
        assert points[36:48, 1].mean() < points[48:68, 1].mean()


def stopped_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let training time run by steps instead of seconds: a second each."""
    clocks: list[Any] = []

    class StepClock(loop.Clock):
        def __init__(self, before_s: float = 0.0) -> None:
            super().__init__(before_s)
            self.ticks = 0
            clocks.append(self)

        @property
        def elapsed_s(self) -> float:
            return self.before_s + self.ticks

    original = landmarks.batch_loss

    def ticking(*arguments: object) -> torch.Tensor:
        clocks[-1].ticks += 1
        if clocks[-1].elapsed_s > steps:
            raise KeyboardInterrupt
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(landmarks, "Clock", StepClock)
    monkeypatch.setattr(landmarks, "batch_loss", ticking)


def test_a_killed_training_resumes_to_the_same_weights(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(
        LandmarkRecipe(), minutes=120 / 60, batch=2, network=TINY, augment=AugmentConfig()
    )
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    with monkeypatch.context() as patch:
        stopped_after(10**6, patch)
        train_landmarks(folder, whole, recipe, resume=False, workers=0)
    with monkeypatch.context() as patch:
        stopped_after(70, patch)
        with pytest.raises(KeyboardInterrupt):
            train_landmarks(folder, parts, recipe, resume=False, workers=0)
    with monkeypatch.context() as patch:
        stopped_after(10**6, patch)
        train_landmarks(folder, parts, recipe, resume=True, workers=0)
    a, b = (loop.load(run / "last.pt")["averaged"] for run in (whole, parts))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_the_rate_warms_up_and_falls_to_a_hundredth() -> None:
    schedule = loop.Schedule(minutes=10, rate=1.0, warmup=100)
    assert schedule.at(0, 0.0) == pytest.approx(0.01)
    assert schedule.at(1000, 0.0) == pytest.approx(1.0)
    assert schedule.at(1000, 600.0) == pytest.approx(0.01)
