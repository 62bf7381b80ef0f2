from __future__ import annotations

import numpy as np
import pytest

from steadymark.app.session.analysis import face_measures
from steadymark.app.session.analysis.face_measures import MeasureSelection, measure_face
from steadymark.app.session.analysis.measure_worker import MeasureRequest, ReviewedValues
from steadymark.app.session.recording.results import Results
from steadymark.engine.core.types import FrameTime
from steadymark.engine.metrics.stability import allan_variance
from steadymark.engine.review import edits
from steadymark.engine.review.project import Project, VideoReference
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points, track_result, tracked_face

FPS = 25.0


def make_results(points: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Results:
    results = Results(np.arange(len(points)) / FPS, load_schema("ibug68"))
    for i, xy in enumerate(points):
        face = tracked_face(0, points=xy, raw_shift_px=0.0)
        results.add(track_result(i, face, restarted=i == 0))
    return results


def noisy_points(
    frames: int, sigma: float = 0.2
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rng = np.random.default_rng(3)
    still = np.repeat(face_points(80, 60, 60)[None], frames, 0)
    return (still + rng.normal(0, sigma, still.shape)).astype(np.float32)


def test_nothing_is_measured_before_a_face_is_found() -> None:
    results = Results(np.arange(5) / FPS, load_schema("ibug68"))
    results.add(track_result(0, restarted=True))
    assert measure_face(results.rows(), results.times_s, results.schema, fps=FPS) is None


def test_faces_are_measured_from_results_without_images() -> None:
    points, results = noisy_points(80), Results(np.arange(80) / FPS, load_schema("ibug68"))
    for i, xy in enumerate(points):
        face = tracked_face(0, points=xy, raw_shift_px=0.0)
        results.add(track_result(i, face, restarted=i == 0).without_image())
    result = results.result(0)
    assert result is not None
    assert result.restarted
    assert result.frame == FrameTime(0, 0.0)
    measured = measure_face(results.rows(), results.times_s, results.schema, fps=FPS)
    expected = measure_face(make_results(points).rows(), results.times_s, results.schema, fps=FPS)
    assert measured is not None
    assert expected is not None
    np.testing.assert_array_equal(measured.jitter_raw, expected.jitter_raw)


def test_jitter_over_a_second_is_the_allan_variance_of_that_second() -> None:
    points = noisy_points(80)
    results = make_results(points)
    measured = measure_face(results.rows(), results.times_s, results.schema, fps=FPS)
    assert measured is not None
    half = round(FPS / 2)
    window = points[40 - half - 1 : 40 + half + 1]
    steps = np.diff(window.astype(np.float64), axis=0) / measured.eye_px * 100
    assert measured.jitter_raw[40] == pytest.approx(float((steps**2).mean() / 2), rel=1e-6)
    assert measured.raw.mav == pytest.approx(allan_variance(points[half:-half]), rel=0.15)


def test_a_jittering_face_counts_as_still_and_a_moving_one_does_not() -> None:
    still = noisy_points(100)
    moving = still + np.linspace(0, 200, 100, dtype=np.float32)[:, None, None]
    for points, is_still in ((still, True), (moving, False)):
        results = make_results(points.astype(np.float32))
        measured = measure_face(results.rows(), results.times_s, results.schema, fps=FPS)
        assert measured is not None
        assert (measured.rest_share > 0.7) == is_still
        assert np.isfinite(measured.raw.mav) == is_still


def test_long_recordings_are_measured_in_parts_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = noisy_points(400)
    points[150:230] += np.linspace(0, 90, 80, dtype=np.float32)[:, None, None]
    results = make_results(points)
    whole = measure_face(results.rows(), results.times_s, results.schema, fps=FPS)
    monkeypatch.setattr(face_measures, "_BLOCK_FRAMES", 37)
    parts = measure_face(results.rows(), results.times_s, results.schema, fps=FPS)
    assert whole is not None
    assert parts is not None
    assert whole.at_rest.any()
    np.testing.assert_array_equal(whole.at_rest, parts.at_rest)
    assert (
        measure_face(results.rows(), results.times_s, results.schema, fps=FPS, stop=lambda: True)
        is None
    )


def test_the_frames_with_the_chosen_face_are_counted_not_those_with_any() -> None:
    results = Results(np.arange(8) / FPS, load_schema("ibug68"))
    for i in range(8):
        faces = (tracked_face(0), tracked_face(4)) if i < 2 else (tracked_face(4),)
        results.add(track_result(i, *faces, restarted=i == 0))
    for face, frames in ((0, 2), (4, 8)):
        chosen = MeasureSelection(face, 8)
        measured = measure_face(
            results.rows(), results.times_s, results.schema, fps=FPS, selection=chosen
        )
        assert measured is not None
        assert (measured.figures.face_frames.processed, measured.figures.face_frames.with_face) == (
            8,
            frames,
        )


def test_the_chosen_landmark_and_face_are_measured() -> None:
    results = Results(np.arange(2) / FPS, load_schema("ibug68"))
    for i in range(2):
        faces = (tracked_face(0), tracked_face(4, points=face_points(30, 30, 20)))
        results.add(track_result(i, *faces, restarted=i == 0))
    measured = measure_face(
        results.rows(), results.times_s, results.schema, fps=FPS, selection=MeasureSelection(4, 8)
    )
    assert measured is not None
    assert measured.faces == (0, 4)
    np.testing.assert_allclose(measured.raw_xy[0], face_points(30, 30, 20)[8])
    fallback = measure_face(
        results.rows(), results.times_s, results.schema, fps=FPS, selection=MeasureSelection(9)
    )
    assert fallback is not None
    assert fallback.face == 0


def test_jitter_of_a_region_uses_only_its_landmarks() -> None:
    points = noisy_points(80)
    mouth = list(load_schema("ibug68").regions["mouth"])
    rng = np.random.default_rng(4)
    points[:, mouth] += rng.normal(0, 0.5, points[:, mouth].shape).astype(np.float32)
    results = make_results(points)
    whole = measure_face(results.rows(), results.times_s, results.schema, fps=FPS)
    of_mouth = measure_face(
        results.rows(),
        results.times_s,
        results.schema,
        fps=FPS,
        selection=MeasureSelection(region="mouth"),
    )
    assert whole is not None
    assert of_mouth is not None
    assert of_mouth.jitter_raw[40] > 1.5 * whole.jitter_raw[40]
    half = round(FPS / 2)
    steps = np.diff(points[40 - half - 1 : 40 + half + 1, mouth].astype(np.float64), axis=0)
    steps *= 100 / of_mouth.eye_px
    assert of_mouth.jitter_raw[40] == pytest.approx(float((steps**2).mean() / 2), rel=1e-6)
    mav = {name: before for name, before, _ in whole.regions}
    assert set(mav) == {"contour", "brows", "nose", "eyes", "mouth"}
    assert mav["mouth"] > 5 * max(mav[name] for name in mav if name != "mouth")
    assert mav["nose"] == pytest.approx(whole.eye_px**-2 * 0.2**2 * 1e4, rel=0.2)


def test_excluded_frames_do_not_count_in_the_figures_of_their_person() -> None:
    results = Results(np.arange(100) / FPS, load_schema("ibug68"))
    for i, xy in enumerate(noisy_points(100, 0.3)):
        score = 0.2 if i >= 60 else 0.9
        faces = [tracked_face(n, points=xy + n, score=score) for n in (0, 4)]
        results.add(track_result(i, *faces, restarted=i == 0))
    project = edits.exclude(Project(VideoReference("a.mp4")), 60 / FPS, 99 / FPS, person=4)
    reviewed = ReviewedValues(project=project)
    request = MeasureRequest(results, FPS, MeasureSelection(), reviewed=reviewed)
    for face, frames in ((0, 100), (4, 60)):
        assert request.excluded(face).sum() == 100 - frames
        measured = measure_face(
            *(results.rows(), results.times_s, results.schema),
            fps=FPS,
            selection=MeasureSelection(face),
            excluded=request.excluded,
        )
        assert measured is not None
        counted = measured.figures.face_frames
        assert (counted.processed, counted.with_face) == (frames, frames)
        assert measured.at_rest[60:].any() == (face == 0)
        assert np.isfinite(measured.score).all()  # the curves are whole


def test_a_moving_face_has_figures_although_it_is_never_at_rest() -> None:
    slide = np.linspace(0, 200, 100, dtype=np.float32)[:, None, None]
    points = noisy_points(100, 0.3) + slide
    results = Results(np.arange(100) / FPS, load_schema("ibug68"))
    for i, xy in enumerate(points):
        faces = (tracked_face(0, points=xy, raw_shift_px=1.0),) if i < 80 else ()
        results.add(track_result(i, *faces, restarted=i == 0))
    rows, times_s, known = results.window()
    measured = measure_face(rows, times_s, results.schema, fps=FPS, known=known)
    assert measured is not None
    assert np.isnan(measured.raw.mav)
    figures = measured.figures
    assert figures.face_share == pytest.approx(0.8)
    assert figures.apart_px == pytest.approx(1.0 * np.sqrt(2), rel=0.5)
    assert figures.apart == pytest.approx(figures.apart_px / measured.eye_px * 100)
    assert 0.1 < figures.fast_stabilized < 3
    assert 0 < figures.score <= 1
