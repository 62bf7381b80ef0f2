"""Filters over points give the same numbers as tracking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import steadymark as sm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("method", sm.POINT_STABILIZERS)
def test_smoothing_raw_landmarks_equals_tracking_with_the_filter(
    raw: sm.VideoLandmarks, video: Path, method: str
) -> None:
    expected = sm.track_video(video, stabilizer=method, end_s=1)
    alone = sm.smooth(raw.raw_landmarks, raw.timestamp_s, method)
    one = sm.smooth(raw.raw_landmarks[:, 0], raw.timestamp_s, method)
    whole = raw.smooth(method)
    np.testing.assert_array_equal(alone, expected.landmarks)
    np.testing.assert_array_equal(one, expected.landmarks[:, 0])
    np.testing.assert_array_equal(whole.landmarks, expected.landmarks)
    np.testing.assert_array_equal(whole.head_poses, expected.head_poses)
    assert not np.array_equal(expected.landmarks, raw.landmarks)


def test_a_smoothed_result_writes_the_same_table_as_tracking(
    raw: sm.VideoLandmarks, video: Path, tmp_path: Path
) -> None:
    raw.smooth("butterworth").to_csv(tmp_path / "a.csv")
    sm.track_video(video, stabilizer="butterworth", end_s=1).to_csv(tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_parameters_change_the_strength_of_the_filter(raw: sm.VideoLandmarks) -> None:
    points, times = raw.raw_landmarks[:, 0], raw.timestamp_s
    motion = {
        hz: np.abs(np.diff(sm.smooth(points, times, "butterworth", cutoff_hz=hz), axis=0)).mean()
        for hz in (1.0, 5.0)
    }
    assert motion[1.0] < motion[5.0]
    strong = sm.smooth(points, times, "one-euro", min_cutoff_hz=0.1, beta=0)
    weak = sm.smooth(points, times, "one-euro", min_cutoff_hz=10, beta=0)
    assert np.abs(np.diff(strong, axis=0)).mean() < np.abs(np.diff(weak, axis=0)).mean()


def test_a_filter_restarts_after_frames_without_a_face() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(100, 3, (20, 5, 2))
    points[9] = np.nan
    smoothed = sm.smooth(points, np.arange(20) / 30, "one-euro")
    assert np.isnan(smoothed[9]).all()
    np.testing.assert_allclose(smoothed[10], points[10], rtol=1e-6)
    assert not np.allclose(smoothed[11], points[11])


def test_a_filter_restarts_after_a_gap_in_time() -> None:
    points = np.random.default_rng(0).normal(100, 3, (20, 5, 2))
    times = np.arange(20) / 30
    times[10:] += 0.6
    smoothed = sm.smooth(points, times, "one-euro")
    np.testing.assert_allclose(smoothed[10], points[10], rtol=1e-6)


def test_smoothing_keeps_the_floating_point_type() -> None:
    points, times = np.ones((8, 4, 2)), np.arange(8)
    assert sm.smooth(points, times).dtype == np.float64
    assert sm.smooth(points.astype(np.float32), times).dtype == np.float32
    assert sm.smooth(points.astype(int).tolist(), times).dtype == np.float64


@pytest.mark.parametrize(
    ("points", "times", "method", "parameters", "words"),
    [
        ((9, 4, 2), 9, "flow", {}, "flow needs the pictures, and not only points"),
        ((9, 4, 2), 9, "kalman", {}, "unknown method 'kalman': choose one-euro, butterworth"),
        ((9, 4, 2), 9, "butterworth", {"beta": 1}, "butterworth has no parameter 'beta'"),
        ((9, 4, 2), 9, "butterworth", {"cutoff_hz": 0}, "cutoff_hz must be 1e-06 or more, not 0"),
        ((9, 4, 2), 9, "butterworth", {"order": 2.5}, "order must be a whole number, not 2.5"),
        ((9, 4, 2), 9, "butterworth", {"order": 11}, "order must be from 1 to 10, not 11"),
        ((9, 4, 2), 9, "one-euro", {"beta": "a"}, "beta must be a finite number"),
        ((9, 4, 2), 8, "butterworth", {}, "there are 9 frames: pass one time a frame"),
        ((9, 4, 3), 9, "butterworth", {}, r"must be \(T, K, 2\) or \(T, N, K, 2\)"),
        ((9, 2), 9, "butterworth", {}, r"points is \(9, 2\)"),
    ],
)
def test_invalid_arguments_are_refused_with_a_reason(
    points: tuple[int, ...], times: int, method: str, parameters: dict[str, float], words: str
) -> None:
    with pytest.raises(sm.UsageError, match=words):
        sm.smooth(np.zeros(points), np.arange(times) / 30, method, **parameters)


def test_times_that_do_not_increase_are_refused() -> None:
    with pytest.raises(sm.UsageError, match="each later than the one before"):
        sm.smooth(np.zeros((3, 4, 2)), [0.0, 0.2, 0.1])


def test_smoothing_without_the_image_size_leaves_the_poses_empty(
    raw: sm.VideoLandmarks, tmp_path: Path
) -> None:
    raw.to_csv(tmp_path / "a.csv")
    without_size = sm.read_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(without_size.head_poses, raw.head_poses, atol=0.01)
    assert np.isnan(without_size.smooth().head_poses).all()
    with_size = sm.read_csv(tmp_path / "a.csv", image_size=(640, 480))
    np.testing.assert_allclose(with_size.smooth().head_poses, raw.smooth().head_poses, atol=0.05)
    assert with_size.faces(0)[0].head_pose is not None
    assert without_size.faces(0)[0].head_pose is None


def test_an_openface_table_is_smoothed_without_raw_landmarks(
    raw: sm.VideoLandmarks, tmp_path: Path
) -> None:
    raw.to_csv(tmp_path / "a.csv", style="openface")
    table = sm.read_csv(tmp_path / "a.csv")
    assert np.isnan(table.raw_landmarks).all()
    smooth = table.smooth("butterworth", cutoff_hz=3)
    assert np.isnan(smooth.raw_landmarks).all()
    assert np.abs(smooth.landmarks - table.landmarks).max() > 0.01
    expected = sm.smooth(table.landmarks, table.timestamp_s, cutoff_hz=3)
    np.testing.assert_array_equal(smooth.landmarks, expected)
