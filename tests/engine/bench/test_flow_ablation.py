"""The gain of a constant that moves the mouth as far as another stabilizer does."""

from __future__ import annotations

import pytest

from steadymark.engine.bench.scenes.flow_ablation import GAINS, NEAR, gain_of


@pytest.mark.parametrize("wanted", [0.3, 0.62, 0.9])
def test_the_gain_that_reaches_an_amplitude_is_found(wanted: float) -> None:
    gain = gain_of(lambda gain: gain / (1 + gain), wanted)
    assert gain / (1 + gain) == pytest.approx(wanted, abs=NEAR)


def test_an_amplitude_beyond_all_gains_is_answered_by_the_nearest_end() -> None:
    assert gain_of(lambda gain: gain / (1 + gain), 1.5) == GAINS[-1]
    assert gain_of(lambda gain: gain / (1 + gain), 0.0) == GAINS[0]
