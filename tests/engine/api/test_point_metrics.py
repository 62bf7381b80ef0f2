"""`sm.metrics`: the numbers of `steadymark evaluate`, and refusals in a sentence."""

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
SIXTY = np.tile(FACE, (60, 1, 1)).astype(np.float64)


def test_measures_are_those_of_the_evaluation(
    raw: sm.VideoLandmarks, video: Path, tmp_path: Path
) -> None:
    raw.to_csv(tmp_path / "a.csv")
    found = tmp_path / "found.json"
    arguments = ["evaluate", "--data", video, "--csv", tmp_path / "a.csv", "--json", found]
    result = CliRunner().invoke(cli.app, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    wanted = json.loads(found.read_text())["models"]["a"]
    (labelled,) = find_videos(video)
    truth = prepare_video(labelled, load_schema("ibug68")).truth
    assert truth is not None
    points, truth = sm.read_csv(tmp_path / "a.csv").landmarks[:, 0], truth[:30]
    errors = sm.metrics.nme(points, truth)
    there = errors[np.isfinite(errors)]
    close: Callable[[float], Any] = lambda value: pytest.approx(value, rel=1e-9)  # noqa: E731
    assert there.mean() == close(wanted["nrmse"])
    assert sm.metrics.auc(there) == close(wanted["auc8"])
    assert sm.metrics.auc(there, bound=10) == close(wanted["auc10"])
    assert sm.metrics.failure_rate(there) == close(wanted["fr8"])
    for name in ("inter_pupil", "box_diagonal", "box_size"):
        mean = np.nanmean(sm.metrics.nme(points, truth, normalise=name))
        assert mean == close(wanted[f"nrmse_{name}"])
    stability = wanted["stability"]
    assert sm.metrics.mav(points, truth) == close(stability["mav"])
    assert sm.metrics.mcv(points, truth) == close(stability["mcv"])
    assert sm.metrics.lag(points, truth) == close(stability["lag_frames"])


def test_points_that_are_off_by_a_tenth_of_the_eyes_have_ten_percent_error() -> None:
    eyes = np.linalg.norm(FACE[36] - FACE[45])
    off = FACE + np.array([0.1 * eyes, 0])
    assert float(sm.metrics.nme(off, FACE)) == pytest.approx(10, rel=1e-5)
    assert sm.metrics.point_errors(off, FACE).shape == (68,)
    assert sm.metrics.nme(SIXTY, SIXTY).tolist() == [0.0] * 60


def test_other_schemas_have_other_eye_corners() -> None:
    wflw = load_schema("wflw98")
    face = wflw.mean_shape * 100
    right, left = wflw.eyes
    off = face + np.array([0.1 * np.linalg.norm(face[right] - face[left]), 0])
    assert float(sm.metrics.nme(off, face)) == pytest.approx(10, rel=1e-5)
    with pytest.raises(sm.UsageError, match="schema ibug68 has 68 landmarks, but there are 98"):
        sm.metrics.nme(off, face, schema="ibug68")


def test_noise_is_jitter_and_a_still_face_is_not() -> None:
    noisy = SIXTY + np.random.default_rng(0).normal(0, 0.5, SIXTY.shape)
    assert sm.metrics.mav(SIXTY) == 0
    assert sm.metrics.mav(noisy) > 0.1
    assert sm.metrics.mav(noisy, SIXTY) == pytest.approx(sm.metrics.mav(noisy), rel=0.05)
    assert sm.metrics.mean_motion(noisy) > 0.5
    assert sm.metrics.mcv_still(noisy) > 10
    times = np.arange(60) / 30
    (still,) = sm.metrics.still_frames(SIXTY, times)
    assert still.stop - still.start > 15
    assert sm.metrics.still_frames(SIXTY[:1], times[:1]) == []


def test_a_delayed_motion_has_its_delay_as_lag() -> None:
    way = np.sin(np.arange(80) / 6)
    moving = FACE + way[:, None, None] * 20
    assert sm.metrics.lag(moving[2:-4], moving[4:-2]) == pytest.approx(2, abs=0.05)
    assert sm.metrics.lag(way[:-3], way[3:]) == pytest.approx(3, abs=0.05)


def test_openings_and_their_amplitude() -> None:
    open_, shut = FACE.astype(np.float64).copy(), FACE.astype(np.float64)
    open_[[65, 66, 67]] += (0, 20)
    video = np.stack([shut, open_] * 20)
    opening = sm.metrics.mouth_opening(video)
    assert opening[1] > opening[0]
    assert sm.metrics.eye_opening(video)[0] == sm.metrics.eye_opening(video)[1]
    half = sm.metrics.mouth_opening(np.stack([shut, (shut + open_) / 2] * 20))
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
        (lambda: sm.metrics.mav(SIXTY[:, :50]), r"this measure needs \(T, 68, 2\)"),
        (lambda: sm.metrics.mav(FACE), r"must be \(T, K, 2\)"),
        (lambda: sm.metrics.mcv(SIXTY, SIXTY[1:]), "but truth is"),
        (lambda: sm.metrics.lag([1.0, 2.0], [1.0]), "has 2 frames, but the reference has 1"),
        (lambda: sm.metrics.nme([[1, 2], [3]], FACE), "points must be an array of numbers"),
    ],
)
def test_what_cannot_be_measured_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(sm.UsageError, match=words):
        call()
