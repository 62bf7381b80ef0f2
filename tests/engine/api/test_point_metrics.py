"""`sm.metrics` gives the numbers of `steadymark evaluate` and refuses invalid arguments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

import steadymark as sm
from steadymark.app.cli import main as cli
from steadymark.engine.metrics.tracker_tables import prepare_video
from steadymark.engine.metrics.video_ground_truth import find_videos
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FACE = load_schema("ibug68").mean_shape * 100
STILL_FRAMES = np.tile(FACE, (60, 1, 1)).astype(np.float64)


def test_metrics_equal_those_of_evaluate(
    raw: sm.VideoLandmarks, video: Path, tmp_path: Path
) -> None:
    raw.to_csv(tmp_path / "a.csv")
    found = tmp_path / "found.json"
    arguments = ["evaluate", "--data", video, "--csv", tmp_path / "a.csv", "--json", found]
    result = CliRunner().invoke(cli.app, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    expected = json.loads(found.read_text())["models"]["a"]
    (labelled,) = find_videos(video)
    ground_truth = prepare_video(labelled, load_schema()).truth
    assert ground_truth is not None
    points, ground_truth = sm.read_csv(tmp_path / "a.csv").landmarks[:, 0], ground_truth[:30]
    errors = sm.metrics.nme(points, ground_truth)
    tracked_errors = errors[np.isfinite(errors)]
    close: Callable[[float], Any] = lambda value: pytest.approx(value, rel=1e-9)  # noqa: E731
    assert tracked_errors.mean() == close(expected["nrmse"])
    assert sm.metrics.auc(tracked_errors) == close(expected["auc8"])
    assert sm.metrics.auc(tracked_errors, bound=10) == close(expected["auc10"])
    assert sm.metrics.failure_rate(tracked_errors) == close(expected["fr8"])
    for name in ("inter_pupil", "box_diagonal", "box_size"):
        mean = np.nanmean(sm.metrics.nme(points, ground_truth, normalise=name))
        assert mean == close(expected[f"nrmse_{name}"])
    stability = expected["stability"]
    assert sm.metrics.mav(points, ground_truth) == close(stability["mav"])
    assert sm.metrics.mcv(points, ground_truth) == close(stability["mcv"])
    assert sm.metrics.lag(points, ground_truth) == close(stability["lag_frames"])


def test_a_shift_by_a_tenth_of_the_eye_distance_is_ten_percent_error() -> None:
    eyes = np.linalg.norm(FACE[36] - FACE[45])
    shifted = FACE + np.array([0.1 * eyes, 0])
    assert float(sm.metrics.nme(shifted, FACE)) == pytest.approx(10, rel=1e-5)
    assert sm.metrics.point_errors(shifted, FACE).shape == (68,)
    assert sm.metrics.nme(STILL_FRAMES, STILL_FRAMES).tolist() == [0.0] * 60


def test_other_schemas_have_other_eye_corners() -> None:
    wflw = load_schema("wflw98")
    face = wflw.mean_shape * 100
    right, left = wflw.eyes
    shifted = face + np.array([0.1 * np.linalg.norm(face[right] - face[left]), 0])
    assert float(sm.metrics.nme(shifted, face)) == pytest.approx(10, rel=1e-5)
    with pytest.raises(sm.UsageError, match="schema ibug68 has 68 landmarks, but there are 98"):
        sm.metrics.nme(shifted, face, schema="ibug68")


def test_noise_counts_as_jitter_and_a_still_face_has_none() -> None:
    noisy = STILL_FRAMES + np.random.default_rng(0).normal(0, 0.5, STILL_FRAMES.shape)
    assert sm.metrics.mav(STILL_FRAMES) == 0
    assert sm.metrics.mav(noisy) > 0.1
    assert sm.metrics.mav(noisy, STILL_FRAMES) == pytest.approx(sm.metrics.mav(noisy), rel=0.05)
    assert sm.metrics.mean_motion(noisy) > 0.5
    assert sm.metrics.mcv_still(noisy) > 10
    times = np.arange(60) / 30
    (still,) = sm.metrics.still_frames(STILL_FRAMES, times)
    assert still.stop - still.start > 15
    assert sm.metrics.still_frames(STILL_FRAMES[:1], times[:1]) == []


def test_the_lag_of_a_delayed_motion_is_its_delay() -> None:
    motion = np.sin(np.arange(80) / 6)
    moving = FACE + motion[:, None, None] * 20
    assert sm.metrics.lag(moving[2:-4], moving[4:-2]) == pytest.approx(2, abs=0.05)
    assert sm.metrics.lag(motion[:-3], motion[3:]) == pytest.approx(3, abs=0.05)


def test_mouth_and_eye_openings_and_their_amplitude() -> None:
    opened, closed = FACE.astype(np.float64).copy(), FACE.astype(np.float64)
    opened[[65, 66, 67]] += (0, 20)
    video = np.stack([closed, opened] * 20)
    opening = sm.metrics.mouth_opening(video)
    assert opening[1] > opening[0]
    assert sm.metrics.eye_opening(video)[0] == sm.metrics.eye_opening(video)[1]
    half = sm.metrics.mouth_opening(np.stack([closed, (closed + opened) / 2] * 20))
    assert sm.metrics.kept_amplitude(half, opening) == pytest.approx(0.5, abs=0.02)
    assert sm.metrics.amplitude(half) == pytest.approx(sm.metrics.amplitude(opening) / 2, rel=0.05)
    assert sm.metrics.cumulative_curve([1.0, 3.0], [2.0, 4.0]).tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sm.metrics.nme(FACE, FACE[:60]), r"points is \(68, 2\), but truth is \(60, 2\)"),
        (lambda: sm.metrics.nme(FACE[:50], FACE[:50]), "no schema of 50 landmarks is known"),
        (lambda: sm.metrics.nme(FACE, FACE, normalise="nose"), "unknown length 'nose'"),
        (lambda: sm.metrics.nme(FACE, FACE, schema="x"), "unknown landmark schema 'x'"),
        (
            lambda: sm.metrics.nme(FACE[:50], FACE[:50], normalise="inter_pupil"),
            "defined for 68 landmarks, not 50",
        ),
        (lambda: sm.metrics.auc([]), r"errors is \(0,\): it must be \(N,\) with N ≥ 1"),
        (lambda: sm.metrics.auc([1.0], bound=0), "bound must be above 0"),
        (lambda: sm.metrics.failure_rate([[1.0]]), r"errors is \(1, 1\)"),
        (lambda: sm.metrics.mav(STILL_FRAMES[:, :50]), r"this measure needs \(T, 68, 2\)"),
        (lambda: sm.metrics.mav(FACE), r"must be \(T, K, 2\)"),
        (lambda: sm.metrics.mcv(STILL_FRAMES, STILL_FRAMES[1:]), "but truth is"),
        (lambda: sm.metrics.lag([1.0, 2.0], [1.0]), "has 2 frames, but the reference has 1"),
        (lambda: sm.metrics.nme([[1, 2], [3]], FACE), "points must be an array of numbers"),
    ],
)
def test_invalid_arguments_are_refused_with_a_reason(
    call: Callable[[], object], words: str
) -> None:
    with pytest.raises(sm.UsageError, match=words):
        call()
