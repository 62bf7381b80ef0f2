from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from steadymark.app.session.state import (
    ComparisonLayout,
    LiveState,
    Phase,
    ShownLandmarks,
    SourceState,
    UserState,
    clock_text,
    duration_s,
    frame_at_time,
    parse_frame,
    resolve_display,
)

TIMES = np.arange(100) / 25
RECORDING = SourceState(
    phase=Phase.TRACKING, name="a.mp4", times_s=TIMES, shown_frame=10, share=0.4
)


def test_without_a_recording_no_action_is_possible() -> None:
    display = resolve_display(UserState(playing=True), SourceState())
    assert not display.has_recording
    assert not display.playing
    possible = (display.can_step_forward, display.can_export, display.can_track, display.can_record)
    assert not any(possible)


@pytest.mark.parametrize(
    ("phase", "can_track", "can_pause"),
    [
        (Phase.TRACKING, False, True),
        (Phase.PAUSED, True, False),
        (Phase.FAILED, True, False),
        (Phase.FINISHED, False, False),
    ],
)
def test_tracking_can_be_continued_or_paused_in_matching_phases(
    phase: Phase, can_track: bool, can_pause: bool
) -> None:
    display = resolve_display(UserState(), replace(RECORDING, phase=phase))
    assert (display.can_track, display.can_pause) == (can_track, can_pause)


def test_stepping_stops_at_the_first_and_last_frame() -> None:
    first, last = (resolve_display(UserState(), replace(RECORDING, shown_frame=i)) for i in (0, 99))
    assert (first.can_step_back, first.can_step_forward) == (False, True)
    assert (last.can_step_back, last.can_step_forward) == (True, False)


def test_a_comparison_layout_applies_only_when_both_landmark_sets_are_shown() -> None:
    user_state = UserState(shown_landmarks=ShownLandmarks.RAW, layout=ComparisonLayout.WIPE)
    assert resolve_display(user_state, RECORDING).layout is ComparisonLayout.TOGETHER
    assert (
        resolve_display(replace(user_state, shown_landmarks=ShownLandmarks.BOTH), RECORDING).layout
        is ComparisonLayout.WIPE
    )


def test_a_recording_lasts_until_its_last_frame_ends() -> None:
    assert duration_s(TIMES) == pytest.approx(4.0)
    assert duration_s(np.zeros(1)) == 0.0


def test_the_frame_at_a_time_is_the_one_shown_then() -> None:
    assert [frame_at_time(TIMES, t) for t in (-1, 0, 0.039, 0.04, 3.99, 99)] == [0, 0, 0, 1, 99, 99]


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "0:00.000"), (61.5, "1:01.500"), (3599.9996, "1:00:00.000"), (3725.25, "1:02:05.250")],
)
def test_times_are_written_to_the_millisecond(time_s: float, text: str) -> None:
    assert clock_text(time_s) == text


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("50", 50),
        ("f 7", 7),
        ("F12", 12),
        ("0:01", 25),
        ("0:01.04", 26),
        ("2s", 50),
        ("1.0", 25),
        ("5000", 99),
        ("1:00:00", 99),
        ("abc", None),
        ("-3", None),
        ("1:x", None),
        ("", None),
        ("nan.s", None),
        ("inf s", None),
    ],
)
def test_a_position_is_parsed_as_a_frame_or_a_time(text: str, frame: int | None) -> None:
    assert parse_frame(text, TIMES) == frame


@pytest.mark.parametrize(
    ("phase", "can_record"),
    [(Phase.LIVE, True), (Phase.RECONNECTING, True), (Phase.STOPPED, False)],
)
def test_a_running_live_view_can_be_recorded_and_its_plots_can_be_exported(
    phase: Phase, *, can_record: bool
) -> None:
    display = resolve_display(UserState(), SourceState(phase=phase, live=LiveState(mirrored=True)))
    assert display.newest_only
    assert display.mirrored
    assert display.can_record is can_record
    assert display.can_export_plots
    assert not display.can_export
    film = resolve_display(UserState(playing=True), RECORDING)
    assert (film.newest_only, film.mirrored, film.can_record) == (False, False, False)
    assert film.can_export_plots
