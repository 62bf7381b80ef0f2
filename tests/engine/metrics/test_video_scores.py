"""Tables of trackers, scored with and without ground truth of the video."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.accuracy import nrmse
from steadymark.engine.metrics.accuracy_scores import accuracy_of
from steadymark.engine.metrics.stability import allan_variance, mcv_still, mean_motion
from steadymark.engine.metrics.tracker_tables import ScoredVideo, match_table, prepare_video
from steadymark.engine.metrics.video_ground_truth import LabelledVideo
from steadymark.engine.metrics.video_scores import TrackedVideo, shared_still_frames, stability_of
from steadymark.engine.output.csv.landmark_table import LandmarkTable, read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points, source_info, track_result, tracked_face

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from steadymark.engine.core.types import TrackedFace

SCHEMA = load_schema("ibug68")
FRAMES = 120


def swinging_face(late: float = 0.0) -> np.ndarray:
    """Return (FRAMES, 68, 2) points of a swinging face, delayed by `late` frames."""
    t = np.arange(FRAMES) - late
    path = np.stack((30 * np.sin(t / 9), 12 * np.cos(t / 5.3)), axis=-1)
    video: np.ndarray = face_points(300, 200, 150) + path[:, None]
    return video


def scored_video(ground_truth: np.ndarray | None, frames: int | None = FRAMES) -> ScoredVideo:
    return ScoredVideo("clip", None, frames, ground_truth, SCHEMA, tuple(range(68)))


def write_table(
    path: Path,
    faces: Mapping[int, tuple[TrackedFace, ...]],
    *,
    openface: bool = False,
    settings: Mapping[str, object] | None = None,
) -> LandmarkTable:
    """Write a table of these frames with Steadymark's own sink."""
    sink = (
        OpenFaceCsvSink(path, load_schema("ibug68"))
        if openface
        else NativeCsvSink(path, Header(settings=settings or {}), load_schema("ibug68"))
    )
    sink.open(source_info())
    for frame, found_faces in faces.items():
        sink.write(track_result(frame, *found_faces))
    sink.close(complete=True)
    return read_landmarks(path)


def faces_of_points(points: np.ndarray) -> dict[int, tuple[TrackedFace, ...]]:
    """Return one face for each frame, and none where the points are NaN."""
    return {
        t: (tracked_face(points=xy.astype(np.float32), raw_shift_px=0),)
        if np.isfinite(xy).all()
        else ()
        for t, xy in enumerate(points)
    }


def test_openface_tables_score_exactly_like_native_tables(tmp_path: Path) -> None:
    points = np.round(
        swinging_face() + np.random.default_rng(1).normal(0, 2, swinging_face().shape), 1
    )
    points[40:50] = np.nan
    scores = []
    for openface in (False, True):
        table = write_table(
            tmp_path / f"{openface}.csv", faces_of_points(points), openface=openface
        )
        video = match_table(table, scored_video(swinging_face()), name="t")
        compared = video.compared()
        assert compared is not None
        scores.append((accuracy_of(compared), stability_of([video])))
    assert scores[0][0].missed == 10
    assert scores[0][0].nrmse > 1
    for native_scores, openface_scores in zip(*scores, strict=True):
        np.testing.assert_equal(
            asdict(native_scores), asdict(openface_scores)
        )  # NaN is equal to NaN there


def test_the_scores_are_computed_from_the_points(tmp_path: Path) -> None:
    ground_truth = swinging_face()
    points = ground_truth + 1.5
    points[7] = np.nan
    video = match_table(
        write_table(tmp_path / "t.csv", faces_of_points(points)),
        scored_video(ground_truth),
        name="t",
    )
    compared = video.compared()
    assert compared is not None
    each = nrmse(points, ground_truth)
    result = accuracy_of(compared)
    assert (result.faces, result.missed) == (FRAMES, 1)
    assert result.nrmse == pytest.approx(np.nanmean(each), abs=1e-3)
    steady = stability_of([video])
    assert (steady.of, steady.frames, steady.lost_spans) == ("error", FRAMES, 1)
    assert steady.tracked == pytest.approx(1 - 1 / FRAMES)
    assert steady.mav == pytest.approx(0, abs=1e-5)
    assert steady.lag_frames == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("late", [-1, 0, 1, 2, 3])
def test_a_copy_delayed_by_k_frames_has_a_lag_of_k(tmp_path: Path, late: int) -> None:
    table = write_table(tmp_path / "t.csv", faces_of_points(swinging_face(late)))
    steady = stability_of([match_table(table, scored_video(swinging_face()), name="t")])
    assert steady.lag_frames == pytest.approx(late, abs=0.02)
    if late:
        assert steady.nrmse_fast > steady.nrmse_rest > 0


def test_mav_of_the_error_equals_the_variance_of_its_noise(tmp_path: Path) -> None:
    points = swinging_face() + np.random.default_rng(2).normal(0, 1.5, swinging_face().shape)
    table = write_table(tmp_path / "t.csv", faces_of_points(points))
    steady = stability_of([match_table(table, scored_video(swinging_face()), name="t")])
    eyes = float(np.linalg.norm(swinging_face()[0, 45] - swinging_face()[0, 36]))
    assert steady.mav == pytest.approx((150 / eyes) ** 2, rel=0.05)


def test_frames_without_ground_truth_are_ignored(tmp_path: Path) -> None:
    ground_truth = swinging_face()
    ground_truth[30:60] = np.nan
    points = swinging_face()
    points[30:60] += 500
    video = match_table(
        write_table(tmp_path / "t.csv", faces_of_points(points)),
        scored_video(ground_truth),
        name="t",
    )
    compared = video.compared()
    assert compared is not None
    assert len(compared.places) == FRAMES - 30
    assert accuracy_of(compared).nrmse < 0.01
    assert stability_of([video]).mav < 1e-4


def test_of_several_faces_the_one_nearest_the_ground_truth_is_scored(tmp_path: Path) -> None:
    ground_truth = swinging_face()
    faces = {}
    for t, xy in enumerate(ground_truth.astype(np.float32)):
        true = tracked_face(t % 2, points=xy, raw_shift_px=0)  # the ids alternate
        other = tracked_face(1 - t % 2, points=xy + 200, raw_shift_px=0)
        faces[t] = (true, other)
    video = match_table(
        write_table(tmp_path / "t.csv", faces), scored_video(ground_truth), name="t"
    )
    np.testing.assert_allclose(video.points, ground_truth, atol=1e-3)


def test_without_ground_truth_the_most_frequent_face_is_scored(tmp_path: Path) -> None:
    faces = faces_of_points(swinging_face())
    for t in range(40):
        faces[t] = (tracked_face(5, points=face_points(50, 50, 20)), *faces[t])
    video = match_table(write_table(tmp_path / "t.csv", faces), scored_video(None), name="t")
    np.testing.assert_allclose(video.points, swinging_face(), atol=1e-3)


def test_without_ground_truth_only_still_frames_are_scored(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    still = np.repeat(swinging_face()[:1], 70, axis=0) + rng.normal(0, 0.3, (70, 68, 2))
    points = np.concatenate((still, swinging_face()[:50]))
    video = match_table(
        write_table(tmp_path / "t.csv", faces_of_points(points)), scored_video(None), name="t"
    )
    steady = stability_of([video])
    first, end = (int(v) for v in np.flatnonzero(video.still)[[0, -1]] + (0, 1))
    assert 12 <= first < 15
    assert 50 <= end <= 62
    part = video.points[first:end]
    assert steady.of == "still"
    assert steady.still_frames == end - first
    assert steady.mav == pytest.approx(allan_variance(part))
    assert steady.mcv == pytest.approx(mcv_still([part]))
    assert steady.still_motion == pytest.approx(mean_motion(part))
    assert math.isnan(steady.lag_frames)
    assert video.compared() is None


def test_trackers_without_ground_truth_are_compared_on_common_still_frames() -> None:
    def tracked(still: slice, frames: int = FRAMES) -> TrackedVideo:
        mask = np.zeros(frames, np.bool_)
        mask[still] = True
        points = np.zeros((frames, 68, 2))
        found = np.ones(frames, np.bool_)
        return TrackedVideo("v", None, points, None, found, mask, 25.0, SCHEMA, (0,))

    common = shared_still_frames([tracked(slice(10, 60)), tracked(slice(40, 90))])
    assert common is not None
    assert np.flatnonzero(common).tolist() == list(range(40, 60))
    assert shared_still_frames([tracked(slice(0, 9)), tracked(slice(0, 9), 50)]) is None


def test_a_table_of_a_part_of_the_video_is_scored_on_that_part(tmp_path: Path) -> None:
    part = {t: faces for t, faces in faces_of_points(swinging_face()).items() if 30 <= t < 80}
    settings = {"start_s": 1.2, "end_s": None}
    video = match_table(
        write_table(tmp_path / "t.csv", part, settings=settings),
        scored_video(swinging_face()),
        name="t",
    )
    compared = video.compared()
    assert compared is not None
    assert [p.frame for p in compared.places] == list(range(30, 80))
    assert accuracy_of(compared).missed == 0
    np.testing.assert_allclose(compared.found, swinging_face()[30:80], atol=1e-3)


def test_a_table_may_omit_frames_without_a_face(tmp_path: Path) -> None:
    faces = {
        t: f for t, f in faces_of_points(swinging_face()).items() if t not in (0, 50, FRAMES - 1)
    }
    table = write_table(tmp_path / "t.csv", faces, openface=True)
    compared = match_table(table, scored_video(swinging_face()), name="t").compared()
    assert compared is not None
    result = accuracy_of(compared)
    assert (result.faces, result.missed) == (FRAMES, 3)


@pytest.mark.parametrize("frames", [FRAMES - 1, FRAMES + 1])
def test_a_table_of_another_length_is_reported(tmp_path: Path, frames: int) -> None:
    table = write_table(tmp_path / "t.csv", faces_of_points(swinging_face()))
    ground_truth = swinging_face()[[*range(FRAMES), 0]][:frames]
    with pytest.raises(UsageError, match=f"{FRAMES} frames, the video has {frames}"):
        match_table(table, scored_video(ground_truth, frames), name="t")


def test_tables_with_nothing_to_compare_are_reported(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", faces_of_points(swinging_face()))
    nothing = np.full_like(swinging_face(), np.nan)
    with pytest.raises(UsageError, match="no frame that has ground truth"):
        match_table(table, scored_video(nothing), name="t")
    empty = write_table(tmp_path / "e.csv", {})
    with pytest.raises(UsageError, match="no rows"):
        match_table(empty, scored_video(swinging_face()), name="e")
    other = replace(table, xy_px=table.xy_px[:, :66])
    with pytest.raises(UsageError, match="66 landmarks"):
        match_table(other, scored_video(swinging_face()), name="o")


def test_ground_truth_of_84_landmarks_is_scored_by_the_68_of_the_model(tmp_path: Path) -> None:
    shape = load_schema("menpo84").mean_shape * 100 + 200
    rows = [",".join(f"{v:.4f}" for v in (shape + t).ravel()) for t in range(5)]
    (tmp_path / "truth.csv").write_text("\n".join(rows) + "\n")
    video = prepare_video(LabelledVideo("v", None, tmp_path / "truth.csv"), SCHEMA)
    assert video.truth is not None
    expected = SCHEMA.mean_shape * 100 + 200
    np.testing.assert_allclose(video.truth[0], expected, atol=0.02)
    assert video.scored == tuple(range(68))
