"""The light benchmark: its limits on synthetic tracks whose figures are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from steadymark.engine.bench.clips.clip_tracks import ClipStabilizers, ClipTrack
from steadymark.engine.bench.clips.light_benchmark import (
    CHANGING,
    ClipFacts,
    LightRow,
    furthest_limit,
    light_row_of,
    run_light,
    worst_lights_first,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.synthesis.conditions.lighting import KINDS
from support.fakes.fake_results import face_points

FRAMES = 60
FACE = face_points().astype(np.float64)
EYES = float(np.linalg.norm(FACE[36] - FACE[45]))
STILL = np.repeat(FACE[None], FRAMES, axis=0)
FACTS = ClipFacts([slice(10, 50)], np.repeat(np.eye(2, 3)[None], FRAMES - 1, axis=0), EYES)


def track(remaining_noise: float = 0.2, noise_px: float = 0.5, seed: int = 0) -> ClipTrack:
    noise = np.random.default_rng(seed).normal(0, noise_px, STILL.shape)
    nothing = np.zeros(FRAMES, np.bool_)
    times = np.arange(FRAMES) / 25
    return ClipTrack(STILL + noise, STILL + remaining_noise * noise, times, nothing, nothing.copy())


def judge_against_steady(lit: ClipTrack, choice: str = "convlstm") -> LightRow:
    return light_row_of("a.mp4", "flash", choice, track(), lit, FACTS)


def test_a_stabilizer_that_ignores_light_passes() -> None:
    row = judge_against_steady(track())
    assert row.failed == ()
    assert row.gain == row.gain_steady == pytest.approx(1 - 0.2**2, abs=1e-3)
    assert row.furthest == row.furthest_steady
    assert row.motion == pytest.approx(0.2 * row.raw_motion)
    assert (row.tracked, row.resets, row.cuts) == (100, 0, 0)


def test_one_outlier_point_in_one_frame_exceeds_the_limit() -> None:
    lit = track()
    lit.stabilized[33, 51, 0] += 0.3 * EYES
    row = judge_against_steady(lit)
    assert row.failed == ("furthest",)
    assert row.furthest == pytest.approx(30, abs=3)
    assert row.badness > 1


def test_an_error_of_the_raw_point_does_not_count_against_the_stabilizer() -> None:
    lit = track()
    lit.raw[33, 51, 0] += 0.3 * EYES  # the light misled the network, not the stabilizer
    row = judge_against_steady(lit)
    assert row.furthest == pytest.approx(30, abs=3)
    assert row.beyond < 1.3 * row.furthest_steady
    assert row.failed == ()


def test_jitter_and_lost_stability_fail() -> None:
    assert judge_against_steady(track(remaining_noise=0.8)).failed == ("stillness",)
    half = track(remaining_noise=0.2)
    half.stabilized[:] = STILL + 0.7 * (half.raw - STILL)
    assert 0.48 < judge_against_steady(half).gain < 0.55  # more than half of 0.96 is kept
    assert "stillness" not in judge_against_steady(half).failed
    assert "motion" in judge_against_steady(track(remaining_noise=1.1)).failed


def test_only_resets_that_steady_light_lacks_are_counted() -> None:
    steady, lit = track(), track()
    for each in (steady, lit):
        each.cuts[20] = True  # a real cut
    lit.cuts[40] = True
    lit.stabilized[50] = lit.raw[50]
    row = light_row_of("a.mp4", "flash", "convlstm", steady, lit, FACTS)
    assert (row.resets, row.cuts) == (2, 1)
    assert row.failed == ("resets",)
    late_cut = track()
    late_cut.cuts[21] = True
    assert light_row_of("a.mp4", "flash", "convlstm", steady, late_cut, FACTS).resets == 0


def test_the_furthest_limit_depends_on_steady_light_and_the_raw_points() -> None:
    assert furthest_limit(4.0, 1.0) == pytest.approx(5.2)
    assert furthest_limit(20.0, 1.0) == 15
    assert furthest_limit(20.0, 18.0) == 18
    assert furthest_limit(20.0, float("nan")) == 15


def test_missing_figures_pass_but_are_sorted_before_other_passing_rows() -> None:
    nothing = np.full_like(STILL, np.nan)
    without_face = replace(track(), raw=nothing, stabilized=nothing)
    unknown = light_row_of("gone.mp4", "flash", "convlstm", without_face, without_face, FACTS)
    assert unknown.failed == ()
    assert unknown.tracked == 0
    lit = track()
    lit.stabilized[33, 51, 0] += 0.3 * EYES
    ordered = worst_lights_first(
        [judge_against_steady(track()), unknown, judge_against_steady(lit)]
    )
    assert [each.passed for each in ordered] == [False, True, True]
    assert ordered[1] is unknown


def test_every_changing_light_is_tested_and_an_unknown_one_is_refused() -> None:
    assert set(CHANGING) == set(KINDS) - {"steady"}
    choices = ClipStabilizers(("convlstm",), TrackSettings(), {})
    with pytest.raises(UsageError, match="unknown light 'disco': choose of steady, gain-steps"):
        next(run_light("clip.mp4", choices, ("disco",)))
