"""The remaining time of tracking and exports."""

from __future__ import annotations

import pytest

from steadymark.app.session.remaining_time import RemainingTime


def test_the_remaining_time_follows_the_speed_of_the_last_seconds() -> None:
    remaining = RemainingTime()
    assert remaining.update(0.0, 100.0) is None
    assert remaining.update(0.01, 101.0) is None  # too early to tell
    for second in range(2, 11):
        left = remaining.update(second / 100, 100.0 + second)
    assert left == pytest.approx(90)
    for second in range(11, 40):  # twice as fast
        left = remaining.update(0.1 + (second - 10) * 0.02, 100.0 + second)
    assert left == pytest.approx((1 - 0.68) / 0.02, rel=0.05)


def test_nothing_is_told_without_progress_or_after_a_new_start() -> None:
    remaining = RemainingTime()
    for second in range(5):
        assert remaining.update(0.5, float(second)) is None
    assert remaining.update(0.6, 5.0) is not None
    assert remaining.update(0.1, 6.0) is None  # tracked again from the beginning
    remaining.update(0.2, 9.0)
    remaining.reset()
    assert remaining.update(0.3, 20.0) is None
