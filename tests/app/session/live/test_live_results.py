"""The results of the last minute of a live view, and its latency."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.app.session.live.latency import LatencyMeter
from steadymark.app.session.live.live_results import LiveResults
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points, lost_face, track_result, tracked_face


def add_frames(results: LiveResults, frames: int, *, every: int = 3) -> None:
    """Add every third frame of a 30 fps camera with two faces; the second is sometimes lost."""
    for i in range(frames):
        second = lost_face(7) if i % 5 == 2 else tracked_face(7, points=face_points(i, 20))
        faces = (tracked_face(2, points=face_points(10.0 + i, 60)), second)
        results.append(
            track_result(every * i, *faces, pts_s=every * i / 30, restarted=i in (0, 500))
        )


def test_results_are_found_by_the_frame_number_of_the_source() -> None:
    results = LiveResults(load_schema("ibug68"), capacity=64, window_s=2)
    add_frames(results, 30)
    faces = results.faces(27)
    assert faces is not None
    assert faces[0].raw is not None
    assert np.allclose(faces[0].raw.xy_px, face_points(10.0 + 9, 60))
    assert results.faces(28) is None
    assert results.faces(90) is None
    assert results.trails(28, over_s=1) == {}
    assert results.fps == pytest.approx(10)


def test_a_small_capacity_keeps_the_same_last_seconds_as_a_large_one() -> None:
    short, endless = (
        LiveResults(load_schema("ibug68"), capacity=64, window_s=2),
        LiveResults(load_schema("ibug68"), capacity=900, window_s=2),
    )
    for results in (short, endless):
        add_frames(results, 800)
    rows, times, tracked = short.window()
    endless_rows, endless_times, _ = endless.window()
    assert len(times) == 21
    assert tracked.shape == times.shape
    assert tracked.all()
    assert np.array_equal(times, endless_times)
    for name in ("frame", "previous_row", "face_id", "state", "raw", "stabilized", "point_score"):
        assert np.array_equal(getattr(rows, name), getattr(endless_rows, name), equal_nan=True), (
            name
        )
    assert short.faces(0) is None
    last = 3 * 799
    for raw in (True, False):
        trails = [r.trails(last, over_s=1, raw=raw) for r in (short, endless)]
        assert np.array_equal(trails[0][2].xy_px, trails[1][2].xy_px)
        assert len(trails[0][2].xy_px) == 11
    assert len(short.times_s) <= 64


def test_earlier_snapshots_do_not_change_when_old_frames_are_dropped() -> None:
    results = LiveResults(load_schema("ibug68"), capacity=64, window_s=2)
    add_frames(results, 64)
    rows, times, _ = results.window()
    copies = rows.raw.copy(), rows.frame.copy(), times.copy()
    for i in range(64, 140):
        face = tracked_face(2, points=face_points(0, 0))
        results.append(track_result(3 * i, face, pts_s=i / 10))
    assert np.array_equal(rows.raw, copies[0], equal_nan=True)
    assert np.array_equal(rows.frame, copies[1])
    assert np.array_equal(times, copies[2])


def test_latency_is_measured_at_the_first_paint_of_each_frame() -> None:
    meter = LatencyMeter(pictures=100)
    assert math.isnan(meter.figures(0.0).p95_ms)
    for i in range(90):
        captured_s = i / 30
        late_s = 0.1 if i % 10 == 9 else 0.01
        meter.painted(i, captured_s, captured_s + late_s)
        meter.painted(i, captured_s, captured_s + 5)  # the same frame again, in a resized window
    figures = meter.figures(3.07)
    assert figures.p50_ms == pytest.approx(10)
    assert figures.p95_ms == pytest.approx(100)
    assert figures.fps == pytest.approx(30, abs=1.5)
    assert meter.figures(10.0).fps == 0
