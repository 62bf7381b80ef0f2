"""The zero-lag Butterworth filter."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.guarded_filters import smooth_guarded
from steadymark.models.face.schema import load_schema

RATE = 100.0
FPS = 30.0
SHAPE = load_schema("ibug68").mean_shape * 200  # pixels
EYES_PX = float(np.linalg.norm(np.diff(SHAPE[list(load_schema("ibug68").eyes)], axis=0)))


def waves(hz: float, t_s: np.ndarray) -> np.ndarray:
    """Return sine waves, (T, 2, 2)."""
    wave = np.sin(2 * np.pi * hz * t_s)
    return np.stack((wave, 3 * wave, -wave, 0.5 * wave), 1).reshape(-1, 2, 2)


@pytest.mark.parametrize(("hz", "gain"), [(0.5, 1.0), (6.0, np.sqrt(0.5)), (30.0, 0.0)])
def test_butterworth_halves_the_power_at_its_cut_off_without_lag(hz: float, gain: float) -> None:
    t_s = np.arange(400) / RATE
    raw = waves(hz, t_s)
    smoothed = Butterworth(6.0).smooth(raw, t_s)
    inner = slice(100, 300)
    np.testing.assert_allclose(smoothed[inner], gain * raw[inner], atol=0.03)


def test_uneven_times_are_filtered_correctly() -> None:
    rng = np.random.default_rng(0)
    t_s = np.cumsum(rng.uniform(0.6, 1.4, 400)) / RATE
    smoothed = Butterworth(6.0).smooth(waves(1.0, t_s), t_s)
    np.testing.assert_allclose(smoothed[60:-60], waves(1.0, t_s)[60:-60], atol=0.02)


def test_lost_frames_and_pauses_split_a_recording() -> None:
    rng = np.random.default_rng(0)
    t_s = np.arange(120) / 30
    t_s[80:] += 5
    noise = rng.normal(0, 1, (120, 5, 2))
    noise[80:] += 50
    noise[40:43] = np.nan
    smoothed = Butterworth(3.0).smooth(noise, t_s)
    assert np.isnan(smoothed[40:43]).all()
    assert np.isfinite(np.delete(smoothed, [40, 41, 42], 0)).all()
    for part in (slice(0, 40), slice(43, 80), slice(80, 120)):
        alone = Butterworth(3.0).smooth(noise[part], t_s[part])
        np.testing.assert_allclose(smoothed[part], alone, atol=1e-9)
        assert alone.std() < 0.6 * noise[part].std()


def test_recordings_that_cannot_be_filtered_stay_unchanged() -> None:
    short_recording, t_s = np.random.default_rng(0).normal(0, 1, (3, 5, 2)), np.arange(3) / 30
    np.testing.assert_array_equal(Butterworth().smooth(short_recording, t_s), short_recording)
    low_rate_recording = np.random.default_rng(0).normal(0, 1, (30, 5, 2))
    np.testing.assert_array_equal(
        Butterworth(6.0).smooth(low_rate_recording, np.arange(30) / 5.0), low_rate_recording
    )
    assert Butterworth().smooth(np.zeros((0, 5, 2)), np.zeros(0)).shape == (0, 5, 2)


def moving_face(x_px: np.ndarray, noise_px: float = 0.4) -> np.ndarray:
    """Return the mean face moving to the right, with noise, (T, 68, 2)."""
    rng = np.random.default_rng(1)
    moved = SHAPE + np.stack((x_px, np.zeros_like(x_px)), -1)[:, None]
    noisy: np.ndarray = moved + rng.normal(0, noise_px, (len(x_px), 68, 2))
    return noisy


def mean_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the mean distance of the landmarks as a share of the eye distance, (T,)."""
    shares: np.ndarray = np.linalg.norm(a - b, axis=-1).mean(-1) / EYES_PX
    return shares


@pytest.mark.parametrize("low_hz", [1.0, 6.0])
def test_an_outlier_in_one_frame_does_not_change_its_neighbours(
    low_hz: float,
) -> None:
    t_s = np.arange(90) / FPS
    raw = moving_face(np.zeros(90))
    steady = smooth_guarded(Butterworth(low_hz), raw, t_s)
    raw[45] += (1.5 * EYES_PX, 0)
    unguarded_error = mean_distances(Butterworth(low_hz).smooth(raw, t_s), raw)
    assert unguarded_error[[44, 46]].min() > 0.1  # without the guard
    smoothed = smooth_guarded(Butterworth(low_hz), raw, t_s)
    np.testing.assert_array_equal(smoothed[45], raw[45])
    others = np.arange(90) != 45
    assert mean_distances(smoothed, raw)[others].max() < 0.01
    assert mean_distances(smoothed, steady)[others].max() < 0.01


def test_two_scenes_are_filtered_separately() -> None:
    t_s = np.arange(90) / FPS
    raw = moving_face(np.where(np.arange(90) < 50, 0.0, 2 * EYES_PX))
    smoothed = smooth_guarded(Butterworth(3.0), raw, t_s)
    for part in (slice(0, 50), slice(50, 90)):
        alone = Butterworth(3.0).smooth(raw[part], t_s[part])
        np.testing.assert_allclose(smoothed[part], alone, atol=1e-9)
        assert alone.std(0).mean() < 0.7 * raw[part].std(0).mean()


def test_a_very_low_cut_off_stays_close_to_a_fast_head() -> None:
    t_s = np.arange(120) / FPS
    raw = moving_face(EYES_PX * np.sin(2 * np.pi * 1.0 * t_s))
    low = Butterworth(0.05)
    assert mean_distances(low.smooth(raw, t_s), raw).max() > 0.5
    largest_step = np.linalg.norm(np.diff(raw, axis=0), axis=-1).mean(-1).max() / EYES_PX
    assert mean_distances(smooth_guarded(low, raw, t_s), raw).max() < largest_step + 0.06


def test_the_guard_changes_nothing_without_a_contradiction() -> None:
    t_s = np.arange(90) / FPS
    raw = moving_face(0.3 * EYES_PX * np.sin(2 * np.pi * 0.8 * t_s))
    low = Butterworth(6.0)
    np.testing.assert_array_equal(smooth_guarded(low, raw, t_s), low.smooth(raw, t_s))
    raw[30:33] = np.nan
    np.testing.assert_array_equal(smooth_guarded(low, raw, t_s), low.smooth(raw, t_s))


def test_the_guard_is_symmetric_in_time() -> None:
    t_s = np.arange(90) / FPS
    raw = moving_face(np.where(np.arange(90) < 50, 0.0, 2 * EYES_PX))
    raw[20] += (0, EYES_PX)
    forward = smooth_guarded(Butterworth(3.0), raw, t_s)
    backward = smooth_guarded(Butterworth(3.0), raw[::-1], t_s)[::-1]
    assert mean_distances(forward, backward).max() < 0.004
    np.testing.assert_array_equal(forward[20], backward[20])


def test_a_recording_of_up_to_two_frames_stays_unchanged() -> None:
    for count in (0, 1, 2):
        raw = moving_face(np.zeros(count))
        np.testing.assert_array_equal(
            smooth_guarded(Butterworth(), raw, np.arange(count) / FPS), raw
        )
