"""The zoom of the timeline, and the times that are written on it."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.app.gui.timeline.visible_frames import VisibleFrames, tick_text, time_ticks


def test_zooming_keeps_the_frame_under_the_cursor() -> None:
    whole = VisibleFrames.whole(1000)
    shown = whole
    for _ in range(6):
        shown = shown.zoomed(1.5, 0.3)
    assert shown.span < 100
    assert shown.first + 0.3 * shown.span == pytest.approx(300)
    assert shown.frame_at(0.3001) == 300


def test_zooming_out_ends_with_the_whole_recording() -> None:
    shown = VisibleFrames.whole(1000).zoomed(8, 0.9)
    assert not shown.is_whole
    assert shown.zoomed(1 / 100, 0.2) == VisibleFrames.whole(1000)


def test_zooming_in_stops_at_a_few_frames_and_short_recordings_stay_whole() -> None:
    assert 5 < VisibleFrames.whole(1000).zoomed(1e9, 0.5).span < 30
    assert VisibleFrames.whole(3).zoomed(1e9, 0.5) == VisibleFrames.whole(3)


def test_panning_stops_at_both_ends() -> None:
    shown = VisibleFrames.whole(1000).zoomed(10, 0.5)
    assert shown.panned(-5000).first == 0
    assert shown.panned(5000).first == 900
    assert shown.panned(7).first == shown.first + 7


def test_the_shown_part_follows_the_playback_position_only_when_it_leaves_it() -> None:
    shown = VisibleFrames.whole(1000).zoomed(10, 0.5)
    assert shown.following(int(shown.first) + 50) == shown
    later = shown.following(800)
    assert later.first <= 800 < later.first + 0.2 * later.span


def test_the_edges_show_the_first_and_the_last_frame() -> None:
    whole = VisibleFrames.whole(120)
    assert [whole.frame_at(share) for share in (-1, 0, 1, 9)] == [0, 0, 119, 119]


@pytest.mark.parametrize("seconds", [0.3, 7, 65, 600, 5000, 90_000])
def test_times_are_round_and_not_too_many(seconds: float) -> None:
    times = np.linspace(0, seconds, 2000)
    ticks = time_ticks(times, VisibleFrames.whole(2000), 10)
    assert 3 <= len(ticks) <= 11
    assert ticks[0] == (0, ticks[0][1])
    assert len({text for _, text in ticks}) == len(ticks)


def test_times_are_at_their_frames_when_the_frame_rate_changes() -> None:
    times = np.concatenate([np.arange(0, 10, 0.1), np.arange(10, 21, 1.0)])
    ticks = {text: place for place, text in time_ticks(times, VisibleFrames.whole(111), 30)}
    assert ticks["0:05"] == pytest.approx(50)
    assert ticks["0:15"] == pytest.approx(105)


def test_times_have_the_decimals_that_their_distance_needs() -> None:
    assert tick_text(65.0, 5.0) == "1:05"
    assert tick_text(65.5, 0.5) == "1:05.5"
    assert tick_text(0.02, 0.02) == "0:00.02"
    assert tick_text(3725.0, 60.0) == "1:02:05"
    assert tick_text(59.9999999, 1.0) == "1:00"
