"""The constant gain whose mouth amplitude equals that of another stabilizer."""

from __future__ import annotations

import pytest

from steadymark.engine.bench.scenes.flow_ablation import GAINS, NEAR, gain_of


@pytest.mark.parametrize("amplitude", [0.3, 0.62, 0.9])
def test_the_gain_that_reaches_an_amplitude_is_found(amplitude: float) -> None:
    gain = gain_of(lambda gain: gain / (1 + gain), amplitude)
    assert gain / (1 + gain) == pytest.approx(amplitude, abs=NEAR)


def test_an_amplitude_outside_the_range_gives_the_nearest_gain() -> None:
    assert gain_of(lambda gain: gain / (1 + gain), 1.5) == GAINS[-1]
    assert gain_of(lambda gain: gain / (1 + gain), 0.0) == GAINS[0]
