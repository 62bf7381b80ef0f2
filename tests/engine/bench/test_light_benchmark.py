"""The light benchmark: its limits on made tracks whose figures are known."""

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
    judged,
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


def track(kept: float = 0.2, noise_px: float = 0.5, seed: int = 0) -> ClipTrack:
    noise = np.random.default_rng(seed).normal(0, noise_px, STILL.shape)
    nothing = np.zeros(FRAMES, np.bool_)
    times = np.arange(FRAMES) / 25
    return ClipTrack(STILL + noise, STILL + kept * noise, times, nothing, nothing.copy())


def verdict(lit: ClipTrack, choice: str = "convlstm") -> LightRow:
    return judged("a.mp4", "flash", choice, track(), lit, FACTS)


def test_a_stabilizer_that_light_does_not_touch_passes() -> None:
    told = verdict(track())
    assert told.failed == ()
    assert told.gain == told.gain_steady == pytest.approx(1 - 0.2**2, abs=1e-3)
    assert told.furthest == told.furthest_steady
    assert told.motion == pytest.approx(0.2 * told.raw_motion)
    assert (told.tracked, told.resets, told.cuts) == (100, 0, 0)


def test_one_point_of_one_frame_that_strays_breaks_the_limit() -> None:
    lit = track()
    lit.steady[33, 51, 0] += 0.3 * EYES
    told = verdict(lit)
    assert told.failed == ("furthest",)
    assert told.furthest == pytest.approx(30, abs=3)
    assert told.badness > 1


def test_what_the_raw_point_itself_does_is_no_fault_of_the_stabilizer() -> None:
    lit = track()
    lit.raw[33, 51, 0] += 0.3 * EYES  # the light misled the network, not the stabilizer
    told = verdict(lit)
    assert told.furthest == pytest.approx(30, abs=3)
    assert told.beyond < 1.3 * told.furthest_steady
    assert told.failed == ()


def test_shaking_and_lost_stillness_are_told() -> None:
    assert verdict(track(kept=0.8)).failed == ("stillness",)
    half = track(kept=0.2)
    half.steady[:] = STILL + 0.7 * (half.raw - STILL)
    assert 0.48 < verdict(half).gain < 0.55  # more than half of 0.96 is kept
    assert "stillness" not in verdict(half).failed
    assert "motion" in verdict(track(kept=1.1)).failed


def test_resets_are_those_that_steady_light_has_not() -> None:
    steady, lit = track(), track()
    for each in (steady, lit):
        each.cuts[20] = True  # a real cut
    lit.cuts[40] = True
    lit.steady[50] = lit.raw[50]
    told = judged("a.mp4", "flash", "convlstm", steady, lit, FACTS)
    assert (told.resets, told.cuts) == (2, 1)
    assert told.failed == ("resets",)
    late = track()
    late.cuts[21] = True
    assert judged("a.mp4", "flash", "convlstm", steady, late, FACTS).resets == 0


def test_the_furthest_limit_is_relative_but_for_what_the_raw_points_do() -> None:
    assert furthest_limit(4.0, 1.0) == pytest.approx(5.2)
    assert furthest_limit(20.0, 1.0) == 15
    assert furthest_limit(20.0, 18.0) == 18
    assert furthest_limit(20.0, float("nan")) == 15


def test_what_is_not_known_breaks_no_limit_but_comes_first_of_those_that_pass() -> None:
    nothing = np.full_like(STILL, np.nan)
    gone = replace(track(), raw=nothing, steady=nothing)
    told = judged("gone.mp4", "flash", "convlstm", gone, gone, FACTS)
    assert told.failed == ()
    assert told.tracked == 0
    lit = track()
    lit.steady[33, 51, 0] += 0.3 * EYES
    ordered = worst_lights_first([verdict(track()), told, verdict(lit)])
    assert [row.passed for row in ordered] == [False, True, True]
    assert ordered[1] is told


def test_every_light_but_the_steady_one_is_tried_and_an_unknown_one_refused() -> None:
    assert set(CHANGING) == set(KINDS) - {"steady"}
    choices = ClipStabilizers(("convlstm",), TrackSettings(), {})
    with pytest.raises(UsageError, match="unknown light 'disco': choose of steady, gain-steps"):
        next(run_light("clip.mp4", choices, ("disco",)))
