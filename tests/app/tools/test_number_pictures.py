"""The pictures of docs/numbers.md show what is measured."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import steadymark as sm
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

CLIP = assets_root() / "clips" / "demo.mp4"


@pytest.fixture
def pictures() -> Any:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed").use("Agg")
    from tools import number_pictures

    return number_pictures


def test_the_curves_are_labelled_with_their_jitter_and_lag(pictures: Any, tmp_path: Path) -> None:
    truth = sm.read_truth(CLIP.with_name("demo_truth.csv"))
    still = truth[:, None]
    noise = np.random.default_rng(0).normal(0, 0.5, still.shape)
    times_s = np.arange(len(truth)) / 30
    result: Any = SimpleNamespace(landmarks=still, raw_landmarks=still + noise, timestamp_s=times_s)
    pictures.draw_jitter(tmp_path / "jitter.svg", result, truth)
    jitter = (tmp_path / "jitter.svg").read_text("utf-8")
    assert "stabilized, MAV 0.00000" in jitter
    assert "raw, MAV 0.2" in jitter
    pictures.draw_lag(tmp_path / "lag.svg", result, truth)
    assert "flow: 0.0 frames late" in (tmp_path / "lag.svg").read_text("utf-8")


def test_the_errors_are_drawn_into_the_face(
    pictures: Any, tmp_path: Path, qapp: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "reduce_to_palette", lambda image: image)  # takes seconds
    truth = sm.read_truth(CLIP.with_name("demo_truth.csv"))
    pictures.draw_error(tmp_path / "error.png", CLIP, truth + 3, truth)
    drawn = sm.read_image(tmp_path / "error.png")
    for colour in ((0, 94, 213), (80, 220, 80), (217, 155, 61)):  # errors, eyes, found landmarks
        assert (drawn == colour).all(2).sum() > 100
