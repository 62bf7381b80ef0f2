"""The last minute of a live view, and how late it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.app.session.live.latency import LatencyMeter
from steadymark.app.session.live.live_results import LiveResults
from support.fakes.fake_results import face_points, lost_face, track_result, tracked_face


def filled(results: LiveResults, frames: int, *, every: int = 3) -> None:
    """Every third picture of a camera of 30 a second; two faces, the second now and then lost."""
    for i in range(frames):
        second = lost_face(7) if i % 5 == 2 else tracked_face(7, points=face_points(i, 20))
        faces = (tracked_face(2, points=face_points(10.0 + i, 60)), second)
        results.append(
            track_result(every * i, *faces, pts_s=every * i / 30, restarted=i in (0, 500))
        )


def test_frames_are_found_by_their_sources_numbers() -> None:
    results = LiveResults(capacity=64, window_s=2)
    filled(results, 30)
    faces = results.faces(27)
    assert faces is not None
    assert faces[0].raw is not None
    assert np.allclose(faces[0].raw.xy_px, face_points(10.0 + 9, 60))
    assert results.faces(28) is None
    assert results.faces(90) is None
    assert results.trails(28, over_s=1) == {}
    assert results.fps == pytest.approx(10)


def test_only_the_last_seconds_are_kept_and_are_those_of_an_endless_memory() -> None:
    short, endless = LiveResults(capacity=64, window_s=2), LiveResults(capacity=900, window_s=2)
    for results in (short, endless):
        filled(results, 800)
    rows, times, tracked = short.window()
    others, other_times, _ = endless.window()
    assert len(times) == 21
    assert tracked.shape == times.shape
    assert tracked.all()
    assert np.array_equal(times, other_times)
    for name in ("frame", "before", "face_id", "state", "raw", "steady", "point_score"):
        assert np.array_equal(getattr(rows, name), getattr(others, name), equal_nan=True), name
    assert short.faces(0) is None
    last = 3 * 799
    for raw in (True, False):
        ways = [r.trails(last, over_s=1, raw=raw) for r in (short, endless)]
        assert np.array_equal(ways[0][2].xy_px, ways[1][2].xy_px)
        assert len(ways[0][2].xy_px) == 11
    assert len(short.times_s) <= 64


def test_what_was_taken_before_is_not_changed_when_older_frames_are_forgotten() -> None:
    results = LiveResults(capacity=64, window_s=2)
    filled(results, 64)
    rows, times, _ = results.window()
    copies = rows.raw.copy(), rows.frame.copy(), times.copy()
    for i in range(64, 140):
        face = tracked_face(2, points=face_points(0, 0))
        results.append(track_result(3 * i, face, pts_s=i / 10))
    assert np.array_equal(rows.raw, copies[0], equal_nan=True)
    assert np.array_equal(rows.frame, copies[1])
    assert np.array_equal(times, copies[2])


def test_lateness_is_of_the_first_paint_of_each_picture() -> None:
    meter = LatencyMeter(pictures=100)
    assert math.isnan(meter.figures(0.0).p95_ms)
    for i in range(90):
        captured_s = i / 30
        late_s = 0.1 if i % 10 == 9 else 0.01
        meter.painted(i, captured_s, captured_s + late_s)
        meter.painted(i, captured_s, captured_s + 5)  # the same, for a resized window
    figures = meter.figures(3.07)
    assert figures.p50_ms == pytest.approx(10)
    assert figures.p95_ms == pytest.approx(100)
    assert figures.fps == pytest.approx(30, abs=1.5)
    assert meter.figures(10.0).fps == 0
