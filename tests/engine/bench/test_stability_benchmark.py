"""The stability benchmark distinguishes stable, shaking and delayed trackers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from steadymark.engine.bench.scenes.scene_files import write_scene
from steadymark.engine.bench.scenes.scene_presets import (
    Scene,
    SceneConfig,
    make_scene,
    preset,
    rigid,
)
from steadymark.engine.bench.scenes.stability_benchmark import StabilityConfig, run_stability
from steadymark.engine.bench.scenes.stability_scores import (
    TruthDetector,
    score_tracks,
    track_scene,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.stability import mav_of_positions
from steadymark.engine.stabilizers.filter_runner import run_filter
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.stabilizers.one_euro import OneEuro
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import SquareNetwork, frame

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = load_schema("ibug68")


@pytest.fixture(scope="module")
def rigid_scenes() -> list[Scene]:
    points = (SCHEMA.mean_shape * 170 + 160).astype(np.float32)
    image = np.full((320, 320, 3), 70, np.uint8)
    config = rigid(frames=40)
    return [make_scene(image, points, SCHEMA, n, config=config) for n in (0, 1)]


def test_exact_shaking_and_delayed_trackers_get_different_scores(rigid_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(0)
    exact = score_tracks(rigid_scenes, [s.truth + np.float64(1) for s in rigid_scenes])
    shaking = score_tracks(
        rigid_scenes, [s.truth + rng.normal(0, 1, s.truth.shape) for s in rigid_scenes]
    )
    delayed = score_tracks(
        rigid_scenes, [np.concatenate((s.truth[:1], s.truth[:-1])) for s in rigid_scenes]
    )
    assert exact.mav == pytest.approx(0, abs=1e-6)
    assert shaking.mav > 1
    assert exact.lag_frames == pytest.approx(0, abs=0.05)
    assert delayed.lag_frames == pytest.approx(1, abs=0.1)
    assert delayed.nrmse_fast > 3 * delayed.nrmse_rest
    assert (exact.fr8, exact.lost) == (0, 0)


def test_a_lost_frame_counts_as_failure_and_filters_restart_after_it(
    rigid_scenes: list[Scene],
) -> None:
    found = [s.truth.astype(np.float64) for s in rigid_scenes]
    found[0][10:14] = np.nan
    scores = score_tracks(rigid_scenes, found)
    assert scores.lost == pytest.approx(100 * 4 / 80)
    assert scores.fr8 == pytest.approx(scores.lost)
    assert scores.nrmse == pytest.approx(0, abs=1e-6)
    delayed = run_filter(OneEuro(0.05, 0.0), found[0], rigid_scenes[0].times_s)
    assert np.isnan(delayed[10:14]).all()
    np.testing.assert_allclose(delayed[14], found[0][14], atol=1e-3)
    unfiltered = run_filter(NoStabilizer(), found[1], rigid_scenes[1].times_s)
    np.testing.assert_array_equal(unfiltered, rigid_scenes[1].truth)


def test_a_filter_restarts_where_it_is_reset(rigid_scenes: list[Scene]) -> None:
    raw = rigid_scenes[0].truth.astype(np.float64)
    restarts = np.zeros(len(raw), bool)
    restarts[20] = True
    delayed = run_filter(OneEuro(0.05, 0.0), raw, rigid_scenes[0].times_s, restarts)
    np.testing.assert_allclose(delayed[20], raw[20], atol=1e-3)
    assert np.abs(delayed[19] - raw[19]).max() > 1


def talking(scene: Scene, open_px: np.ndarray) -> Scene:
    """Return the scene with its lower inner lip lowered by `open_px` (T,) pixels."""
    ground_truth = scene.truth.copy()
    ground_truth[:, [65, 66, 67], 1] += open_px[:, None].astype(np.float32)
    return replace(scene, truth=ground_truth)


def test_reduced_and_delayed_lip_motion_is_measured(rigid_scenes: list[Scene]) -> None:
    wave = 12 * np.sin(np.arange(40) / 3.0) ** 2
    scenes = [talking(s, wave) for s in rigid_scenes]
    exact = [s.truth.astype(np.float64) for s in scenes]
    frozen = [talking(s, wave * 0.5).truth.astype(np.float64) for s in rigid_scenes]
    delayed = [
        talking(s, np.append(wave[:1], wave[:-1])).truth.astype(np.float64) for s in rigid_scenes
    ]
    scores = [score_tracks(scenes, points, exact) for points in (exact, frozen, delayed)]
    assert [round(t.mouth, 2) for t in scores] == [1, 0.5, 1]
    assert [round(t.lip_lag_frames, 1) for t in scores] == [0, 0, 1]
    assert np.isnan(scores[0].eyes)  # the lids of these scenes are still
    assert scores[0].furthest == 0
    assert scores[1].furthest == scores[1].furthest_truth > 3
    assert scores[0].nmf == 0 < scores[1].nmf
    assert np.isnan(score_tracks(rigid_scenes, exact).mouth)


def test_positions_are_measured_as_in_the_paper(rigid_scenes: list[Scene]) -> None:
    scores = score_tracks(rigid_scenes, [s.truth.astype(np.float64) for s in rigid_scenes])
    assert scores.mav == 0 < scores.mav_positions  # true motion counts
    assert scores.mcv_positions > 0
    assert scores.mav_positions == pytest.approx(mav_of_positions([s.truth for s in rigid_scenes]))


def test_one_euro_lags_more_with_a_lower_cut_off(rigid_scenes: list[Scene]) -> None:
    rng = np.random.default_rng(1)
    raw = [s.truth.astype(np.float64) + rng.normal(0, 1, s.truth.shape) for s in rigid_scenes]
    low, high = (
        score_tracks(
            rigid_scenes,
            [
                run_filter(OneEuro(hz, 0.0), p, s.times_s)
                for p, s in zip(raw, rigid_scenes, strict=True)
            ],
        )
        for hz in (0.3, 30.0)
    )
    assert low.lag_frames > high.lag_frames + 0.2


def test_a_tracker_starts_from_the_true_box() -> None:
    detector = TruthDetector(SCHEMA)
    assert detector.detect(np.zeros((4, 4, 3), np.uint8)) == ()
    tracker = Tracker(detector, SquareNetwork(), NoStabilizer(), SCHEMA)
    squares = [(100 + 4 * i, 100, 60) for i in range(12)]
    images = np.stack([frame(i, square).image for i, square in enumerate(squares)])
    ground_truth = np.stack([SCHEMA.mean_shape * 60 + (x, y) for x, y, _ in squares]).astype(
        np.float32
    )
    raw, steady = track_scene(Scene("square", images, ground_truth, 25, None), tracker, detector)
    assert np.isfinite(raw).all()
    np.testing.assert_array_equal(raw, steady)
    assert np.linalg.norm(raw.mean(1) - ground_truth.mean(1), axis=-1).max() < 12


def test_a_written_scene_keeps_the_times_of_its_frames(tmp_path: Path) -> None:
    points = (SCHEMA.mean_shape * 170 + 160).astype(np.float32)
    image = np.full((320, 320, 3), 70, np.uint8)
    config = SceneConfig(30, expressions=0, turns_deg=0, drops=1, fps=(25,), codecs=("none",))
    scene = make_scene(image, points, SCHEMA, 1, config=config)
    assert np.diff(scene.places).max() > 1
    write_scene(tmp_path, "gaps", scene)
    with av.open(str(tmp_path / "gaps.mkv")) as video:
        frames = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)]
    np.testing.assert_allclose([time for time, _ in frames], scene.times_s, atol=1e-3)
    np.testing.assert_array_equal([image for _, image in frames], scene.images)


def test_living_scenes_are_the_default_and_rigid_ones_an_option() -> None:
    assert preset(StabilityConfig().scenes, 12, 2) == SceneConfig(12, 2)
    assert not preset("rigid", 12, 2).moving
    with pytest.raises(UsageError, match="choose one of living, rigid"):
        preset("dead", 12, 2)


def test_the_benchmark_gives_a_row_for_each_stabilizer_and_noise_level(tmp_path: Path) -> None:
    points = SCHEMA.mean_shape * 170 + 160
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    (tmp_path / "a_1.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    cv2.imwrite(str(tmp_path / "a_1.png"), np.full((320, 320, 3), 90, np.uint8))
    config = StabilityConfig(2, 12, (1, 2), choices=("none", "one-euro", "butterworth"))
    progress: list[tuple[int, int]] = []
    table = list(
        run_stability(
            tmp_path, TrackSettings(), config, report=lambda a, b: progress.append((a, b))
        )
    )
    plain = [(row.noise, row.choice) for row in table if not row.setting]
    assert plain == [(n, c) for n in (1, 2) for c in config.choices]
    curves = {(row.noise, row.choice): 0 for row in table if row.setting}
    assert set(curves) == {(2, "one-euro"), (2, "butterworth")}
    assert progress[-1] == (192, 192)
    with pytest.raises(UsageError, match="noise level 9"):
        next(run_stability(tmp_path, TrackSettings(), StabilityConfig(noise=(9,))))
    with pytest.raises(UsageError, match="12 frames"):
        next(run_stability(tmp_path, TrackSettings(), StabilityConfig(frames=3)))
