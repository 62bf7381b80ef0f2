"""Blinks of made-up lids, of the demo clip, and of a real clip counted by eye."""

from pathlib import Path

import numpy as np
import pytest

import steadymark as sm
from engine.review.review_tracks import FPS, still_track
from steadymark.engine.metrics.blinks import find_blinks
from steadymark.engine.metrics.eye_mouth_opening import LEFT, RIGHT
from steadymark.models.face.schema import assets_root

DEMO = assets_root() / "clips" / "demo_truth.csv"


def close_lids(
    points: np.ndarray, frames: slice, share: float, eyes: tuple[tuple[int, int], ...]
) -> None:
    """Move upper lids towards the lower ones by a share of their distance."""
    for upper, lower in eyes:
        points[frames, upper] += share * (points[frames, lower] - points[frames, upper])


def test_a_blink_is_found_with_its_depth_and_duration() -> None:
    track = still_track()
    close_lids(track.xy, slice(50, 54), 0.8, (*RIGHT, *LEFT))
    (found,) = find_blinks(track.xy, track.time_s)
    assert found.depth == pytest.approx(0.8, abs=1e-3)
    assert found.duration_s == pytest.approx(4 / FPS, abs=1e-3)
    assert 50 / FPS <= found.deepest_s < 54 / FPS


@pytest.mark.parametrize(
    ("frames", "share", "eyes"),
    [
        (slice(50, 54), 0.2, (*RIGHT, *LEFT)),  # lids that hardly move
        (slice(50, 54), 0.9, RIGHT),  # a wink
        (slice(40, 70), 0.9, (*RIGHT, *LEFT)),  # eyes that stay shut
        (slice(95, 100), 0.9, (*RIGHT, *LEFT)),  # the video ends before they open
    ],
)
def test_what_is_no_blink_is_not_counted(
    frames: slice, share: float, eyes: tuple[tuple[int, int], ...]
) -> None:
    track = still_track()
    close_lids(track.xy, frames, share, eyes)
    assert find_blinks(track.xy, track.time_s) == []


def test_a_blink_beside_frames_without_the_face_is_left_out() -> None:
    track = still_track()
    close_lids(track.xy, slice(50, 54), 0.8, (*RIGHT, *LEFT))
    track.xy[54:60] = np.nan
    assert find_blinks(track.xy, track.time_s) == []


def test_the_true_landmarks_of_the_demo_clip_have_five_blinks() -> None:
    truth = sm.read_truth(DEMO)
    blinks = find_blinks(truth, np.arange(len(truth)) / 30)
    assert [round(blink.deepest_s * 30) for blink in blinks] == [13, 145, 178, 207, 289]


@pytest.mark.data
def test_two_blinks_of_a_real_clip_that_were_counted_by_eye(data: Path) -> None:
    result = sm.track_video(
        data / "clips_train" / "expr_liveportrait_d18.mp4", start_s=2.5, end_s=6.6
    )
    blinks = find_blinks(result.landmarks[:, 0], result.timestamp_s)
    assert [round(30 * blink.deepest_s) for blink in blinks] == pytest.approx([95, 187], abs=2)
