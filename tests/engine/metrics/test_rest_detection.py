"""Still frames of faces whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.metrics.rest_detection import segments, still_frames
from support.fakes.fake_results import face_points

FPS = 30.0
FACE = face_points(300, 200, 300).astype(np.float64)
EYE_DISTANCE = float(np.linalg.norm(FACE[45] - FACE[36]))
RNG = np.random.default_rng(6)


def walking_face(still: int = 90, moving: int = 60, step: float = 2.0) -> np.ndarray:
    """Return a face that moves by `step` % of the eye distance a frame, with a pause."""
    steps = np.concatenate((np.full(moving, step), np.zeros(still), np.full(moving, step)))
    x = np.cumsum(steps) / 100 * EYE_DISTANCE
    video: np.ndarray = FACE + np.stack((x, np.zeros_like(x)), -1)[:, None]
    return video


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_exactly_the_still_part_is_found_despite_jitter(jitter: float) -> None:
    noise = RNG.normal(0, jitter / 100 * EYE_DISTANCE / 2, walking_face().shape)
    (found,) = segments(still_frames(walking_face() + noise, FPS, EYE_DISTANCE), FPS)
    assert 60 <= found.start <= 60 + 16  # the half second before must be still, too
    assert 150 - 16 <= found.stop <= 150


def test_a_fast_nodding_face_is_not_still() -> None:
    nod = 6 * np.sin(np.arange(120) * 2 * np.pi / 10) / 100 * EYE_DISTANCE
    video = FACE + np.stack((np.zeros(120), nod), -1)[:, None]
    assert not still_frames(video, FPS, EYE_DISTANCE).any()


def test_a_slowly_drifting_face_is_not_still() -> None:
    assert not still_frames(walking_face(0, 60, step=0.1), FPS, EYE_DISTANCE).any()


def test_frames_near_a_lost_face_are_not_still() -> None:
    video = np.repeat(FACE[None], 120, axis=0)
    video[60] = np.nan
    still = still_frames(video, FPS, EYE_DISTANCE)
    assert still[20:40].all()
    assert still[80:100].all()
    assert not still[50:70].any()


@pytest.mark.parametrize("frames", [0, 1, 29])
def test_a_video_shorter_than_a_second_has_no_still_frame(frames: int) -> None:
    assert not still_frames(np.repeat(FACE[None], frames, axis=0), FPS, EYE_DISTANCE).any()


def test_a_face_that_is_never_found_is_not_still() -> None:
    assert not still_frames(np.full((90, 68, 2), np.nan), FPS, float("nan")).any()


def test_segments_are_runs_of_half_a_second_or_more() -> None:
    mask = np.zeros(80, np.bool_)
    mask[2:16] = mask[20:35] = mask[60:80] = True
    assert segments(mask, FPS) == [slice(20, 35), slice(60, 80)]
