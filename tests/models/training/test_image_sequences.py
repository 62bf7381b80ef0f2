"""Synthetic sequences from still images: their landmarks, crops and paths."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from steadymark.models.face.crop import transform
from steadymark.models.face.schema import load_schema
from steadymark.models.training.data import image_sequences
from steadymark.models.training.data.face_images import FaceImages
from steadymark.models.training.data.image_sequences import SequenceConfig, head_path, make_sequence

SCHEMA = load_schema()
DOTTED = (8, 30, 36, 45, 57)


def face_with_dots() -> FaceImages:
    """Return a face that is a grey image with white dots at some landmarks."""
    rng = np.random.default_rng(2)
    points = (SCHEMA.mean_shape * 150 + 160 + rng.normal(0, 1, (68, 2))).astype(np.float32)
    image = np.full((320, 320, 3), 60, np.uint8)
    for x, y in points[list(DOTTED)]:
        at = (round(float(x) * 16), round(float(y) * 16))
        cv2.circle(image, at, 3 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    return FaceImages(("dots",), ("dots",), (image,), points[None])


@pytest.mark.parametrize("number", range(8))
def test_landmarks_of_a_synthetic_sequence_match_the_image(number: int) -> None:
    config = SequenceConfig(noise=0.0, frames=8)
    sequence = make_sequence(face_with_dots(), SCHEMA, 128, number, seed=1, config=config)
    repeated = make_sequence(face_with_dots(), SCHEMA, 128, number, seed=1, config=config)
    assert np.array_equal(sequence.crops, repeated.crops)
    assert sequence.points[0, 36, 0] < sequence.points[0, 45, 0]  # mirrored or not
    for crop, points in zip(sequence.crops, sequence.points, strict=True):
        grey = crop.astype(float).mean(-1)
        light = (grey - np.median(grey)).clip(5) - 5
        for x, y in points[list(DOTTED)]:
            ys, xs = np.mgrid[:128, :128]
            near = light * (np.hypot(xs - x, ys - y) < 5)
            centre = np.array([(near * xs).sum(), (near * ys).sum()]) / near.sum()
            assert np.hypot(*(centre - (x, y))) < 0.35


def test_a_synthetic_sequence_contains_the_motion_of_its_crop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def at_rest(frames: int, rng: np.random.Generator, *, rest: float) -> np.ndarray:
        return np.zeros((frames, 4))

    monkeypatch.setattr(image_sequences, "head_path", at_rest)
    # without a dead band the crop follows a noisy estimate
    config = SequenceConfig(noise=0, frames=12, lips=0, turns=0, dead_band=0.0)
    for number in range(4):
        sequence = make_sequence(face_with_dots(), SCHEMA, 128, number, seed=1, config=config)
        np.testing.assert_allclose(sequence.moved[0], np.eye(2, 3), atol=1e-6)
        assert np.abs(sequence.moved[1:, :, 2]).max() > 0.05
        for t in range(1, 12):
            moved_points = transform(sequence.moved[t].astype(np.float64), sequence.points[t])
            errors = np.abs(moved_points - sequence.points[t - 1])
            assert errors.mean() < 0.03
            assert errors.max() < 0.08  # at the chin, whose motion is not included


def test_paths_contain_rest_and_motion() -> None:
    speeds = [
        np.abs(np.diff(head_path(30, np.random.default_rng(i), rest=0.5)[:, 0])) for i in range(40)
    ]
    speed = np.concatenate(speeds)
    assert (speed < 1e-3).mean() > 0.2
    assert (speed > 0.01).mean() > 0.1
