"""The zero-lag Butterworth filter."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.offline import Butterworth

RATE = 100.0


def waves(hz: float, t_s: np.ndarray) -> np.ndarray:
    """(T, 2, 2)."""
    wave = np.sin(2 * np.pi * hz * t_s)
    return np.stack((wave, 3 * wave, -wave, 0.5 * wave), 1).reshape(-1, 2, 2)


@pytest.mark.parametrize(("hz", "gain"), [(0.5, 1.0), (6.0, np.sqrt(0.5)), (30.0, 0.0)])
def test_it_leaves_half_of_the_power_at_its_cut_off_and_does_not_lag(
    hz: float, gain: float
) -> None:
    t_s = np.arange(400) / RATE
    given = waves(hz, t_s)
    got = Butterworth(6.0).smooth(given, t_s)
    inner = slice(100, 300)
    np.testing.assert_allclose(got[inner], gain * given[inner], atol=0.03)


def test_uneven_times_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(0)
    t_s = np.cumsum(rng.uniform(0.6, 1.4, 400)) / RATE
    got = Butterworth(6.0).smooth(waves(1.0, t_s), t_s)
    np.testing.assert_allclose(got[60:-60], waves(1.0, t_s)[60:-60], atol=0.02)


def test_lost_frames_and_pauses_divide_a_recording() -> None:
    rng = np.random.default_rng(0)
    t_s = np.arange(120) / 30
    t_s[80:] += 5
    noise = rng.normal(0, 1, (120, 5, 2))
    noise[80:] += 50
    noise[40:43] = np.nan
    got = Butterworth(3.0).smooth(noise, t_s)
    assert np.isnan(got[40:43]).all()
    assert np.isfinite(np.delete(got, [40, 41, 42], 0)).all()
    for part in (slice(0, 40), slice(43, 80), slice(80, 120)):
        alone = Butterworth(3.0).smooth(noise[part], t_s[part])
        np.testing.assert_allclose(got[part], alone, atol=1e-9)
        assert alone.std() < 0.6 * noise[part].std()


def test_what_cannot_be_filtered_stays() -> None:
    few, t_s = np.random.default_rng(0).normal(0, 1, (3, 5, 2)), np.arange(3) / 30
    np.testing.assert_array_equal(Butterworth().smooth(few, t_s), few)
    slow = np.random.default_rng(0).normal(0, 1, (30, 5, 2))
    np.testing.assert_array_equal(Butterworth(6.0).smooth(slow, np.arange(30) / 5.0), slow)
    assert Butterworth().smooth(np.zeros((0, 5, 2)), np.zeros(0)).shape == (0, 5, 2)
