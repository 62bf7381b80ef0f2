"""Stabilizers over points alone: the numbers are those that tracking gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import steadymark as sm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("method", sm.POINT_STABILIZERS)
def test_smoothed_raw_landmarks_are_those_of_tracking_with_it(
    raw: sm.VideoLandmarks, video: Path, method: str
) -> None:
    wanted = sm.track_video(video, stabilizer=method, end_s=1)
    alone = sm.smooth(raw.raw_landmarks, raw.timestamp_s, method)
    one = sm.smooth(raw.raw_landmarks[:, 0], raw.timestamp_s, method)
    whole = raw.smooth(method)
    np.testing.assert_array_equal(alone, wanted.landmarks)
    np.testing.assert_array_equal(one, wanted.landmarks[:, 0])
    np.testing.assert_array_equal(whole.landmarks, wanted.landmarks)
    np.testing.assert_array_equal(whole.head_poses, wanted.head_poses)
    assert not np.array_equal(wanted.landmarks, raw.landmarks)


def test_a_smoothed_video_is_written_as_if_tracked_so(
    raw: sm.VideoLandmarks, video: Path, tmp_path: Path
) -> None:
    raw.smooth("butterworth").to_csv(tmp_path / "a.csv")
    sm.track_video(video, stabilizer="butterworth", end_s=1).to_csv(tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_parameters_reach_the_filter(raw: sm.VideoLandmarks) -> None:
    points, times = raw.raw_landmarks[:, 0], raw.timestamp_s
    motion = {
        hz: np.abs(np.diff(sm.smooth(points, times, "butterworth", cutoff_hz=hz), axis=0)).mean()
        for hz in (1.0, 5.0)
    }
    assert motion[1.0] < motion[5.0]
    strong = sm.smooth(points, times, "one-euro", min_cutoff_hz=0.1, beta=0)
    weak = sm.smooth(points, times, "one-euro", min_cutoff_hz=10, beta=0)
    assert np.abs(np.diff(strong, axis=0)).mean() < np.abs(np.diff(weak, axis=0)).mean()


def test_a_filter_begins_anew_where_the_face_was_gone() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(100, 3, (20, 5, 2))
    points[9] = np.nan
    out = sm.smooth(points, np.arange(20) / 30, "one-euro")
    assert np.isnan(out[9]).all()
    np.testing.assert_allclose(out[10], points[10], rtol=1e-6)
    assert not np.allclose(out[11], points[11])


def test_a_filter_begins_anew_after_a_pause() -> None:
    points = np.random.default_rng(0).normal(100, 3, (20, 5, 2))
    times = np.arange(20) / 30
    times[10:] += 0.6
    out = sm.smooth(points, times, "one-euro")
    np.testing.assert_allclose(out[10], points[10], rtol=1e-6)


def test_numbers_keep_their_precision() -> None:
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
def test_what_does_not_fit_is_refused_in_a_sentence(
    points: tuple[int, ...], times: int, method: str, parameters: dict[str, float], words: str
) -> None:
    with pytest.raises(sm.UsageError, match=words):
        sm.smooth(np.zeros(points), np.arange(times) / 30, method, **parameters)


def test_times_that_do_not_rise_are_refused() -> None:
    with pytest.raises(sm.UsageError, match="each later than the one before"):
        sm.smooth(np.zeros((3, 4, 2)), [0.0, 0.2, 0.1])


def test_a_table_without_the_pictures_size_loses_poses_that_would_be_wrong(
    raw: sm.VideoLandmarks, tmp_path: Path
) -> None:
    raw.to_csv(tmp_path / "a.csv")
    blind = sm.read_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(blind.head_poses, raw.head_poses, atol=0.01)
    assert np.isnan(blind.smooth().head_poses).all()
    seeing = sm.read_csv(tmp_path / "a.csv", image_size=(640, 480))
    np.testing.assert_allclose(seeing.smooth().head_poses, raw.smooth().head_poses, atol=0.05)
    assert seeing.faces(0)[0].head_pose is not None
    assert blind.faces(0)[0].head_pose is None


def test_a_table_of_openface_is_smoothed_as_it_is(raw: sm.VideoLandmarks, tmp_path: Path) -> None:
    raw.to_csv(tmp_path / "a.csv", style="openface")
    table = sm.read_csv(tmp_path / "a.csv")
    assert np.isnan(table.raw_landmarks).all()
    smooth = table.smooth("butterworth", cutoff_hz=3)
    assert np.isnan(smooth.raw_landmarks).all()
    assert np.abs(smooth.landmarks - table.landmarks).max() > 0.01
    wanted = sm.smooth(table.landmarks, table.timestamp_s, cutoff_hz=3)
    np.testing.assert_array_equal(smooth.landmarks, wanted)
