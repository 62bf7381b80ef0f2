"""The guard restarts a stabilizer that deviates more than smoothing and a small lag allow."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.core.types import Landmarks
from steadymark.engine.stabilizers.divergence_guard import RawHistory, contradicts, update_history
from steadymark.engine.stabilizers.guarded_filters import GuardedStabilizer
from steadymark.engine.stabilizers.one_euro import OneEuro
from steadymark.models.face.schema import load_schema

SCHEMA = load_schema("ibug68")
SIDE_PX = 100.0
EYES_PX = float(np.linalg.norm(np.diff(SCHEMA.mean_shape[list(SCHEMA.eyes)], axis=0))) * SIDE_PX


def face(x: float = 0.0, noise: float = 0.0, seed: int = 0) -> Landmarks:
    """Return the mean face, moved to the right, with noise in pixels."""
    rng = np.random.default_rng(seed)
    xy = SCHEMA.mean_shape * SIDE_PX + (200 + x, 150) + rng.normal(0, noise or 1e-9, (68, 2))
    return Landmarks(xy.astype(np.float32), np.ones(68, np.float32))


def history_of(noise: float, step: float = 0.0) -> RawHistory:
    """Return the history of 40 noisy frames that move by `step` px and end before x = 0."""
    history: RawHistory | None = None
    for frame in range(40):
        history = update_history(history, face((frame - 40) * step, noise, frame))
    assert history is not None
    return history


def test_nothing_contradicts_without_a_history() -> None:
    assert not contradicts(face(500), face(), None)


@pytest.mark.parametrize(("shift", "expected"), [(0.02, False), (0.06, True), (0.5, True)])
def test_a_shifted_face_contradicts(shift: float, *, expected: bool) -> None:
    assert contradicts(face(shift * EYES_PX), face(), history_of(0.0)) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.08, False), (0.12, True)])
def test_a_single_shifted_landmark_contradicts(share: float, *, expected: bool) -> None:
    steady = face()
    steady.xy_px[48] += (0, share * EYES_PX)
    assert contradicts(steady, face(), history_of(0.0)) == expected


def test_noise_and_motion_of_the_raw_landmarks_raise_the_tolerance() -> None:
    steady = face(0.06 * EYES_PX)
    assert contradicts(steady, face(), history_of(0.0))
    assert not contradicts(steady, face(), history_of(0.02 * EYES_PX))
    assert not contradicts(steady, face(), history_of(0.0, step=0.05 * EYES_PX))


def test_the_noise_estimate_excludes_head_motion() -> None:
    assert history_of(0.5).noise_px == pytest.approx(1.0, rel=0.15)  # √2 · √2 · 0.5 px
    assert history_of(0.5, step=7.0).noise_px == pytest.approx(1.0, rel=0.15)
    assert history_of(0.0, step=7.0).noise_px < 0.01


def test_a_contradicting_filter_restarts_from_the_raw_landmarks() -> None:
    stiff = GuardedStabilizer(OneEuro(1e-4, 0.0))
    state = stiff.start()
    for frame in range(20):
        steady, state = stiff.step(face(0.0, 0.2, frame), frame / 25, state)
    raw = face(0.5 * EYES_PX)
    jumped, state = stiff.step(raw, 20 / 25, state)  # the motion of this frame is tolerated
    assert np.abs(jumped.xy_px - steady.xy_px).max() < 0.1
    settled, _ = stiff.step(raw, 21 / 25, state)
    np.testing.assert_array_equal(settled.xy_px, raw.xy_px)
