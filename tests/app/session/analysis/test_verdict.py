"""The verdict on the landmarks of a face names its reason."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from steadymark.app.session.analysis.tracking_figures import UNKNOWN_FIGURES, TrackingFigures
from steadymark.app.session.analysis.verdict import Quality, judge
from steadymark.engine.core.face_frames import FaceFrames

STABILIZED = TrackingFigures(
    face_frames=FaceFrames(100, 98),
    score=0.95,
    fast_raw=0.3,
    fast_stabilized=0.1,
    apart=0.8,
    apart_px=0.7,
    fps=25.0,
)


def test_a_face_that_is_found_certain_and_steady_is_good() -> None:
    verdict = judge(STABILIZED)
    assert verdict.quality is Quality.GOOD
    assert verdict.reason == "the face is found, and its landmarks are certain and steady"


@pytest.mark.parametrize(
    ("change", "quality", "reason"),
    [
        ({"face_frames": FaceFrames(100, 43)}, Quality.LOST, "57 % of the frames lack the face"),
        ({"score": 0.2}, Quality.LOST, "guesses (median score 0.20)"),
        (
            {"face_frames": FaceFrames(100, 85)},
            Quality.DOUBTFUL,
            "15 % of the frames lack the face",
        ),
        ({"score": 0.5}, Quality.DOUBTFUL, "uncertain (median score 0.50)"),
        ({"fast_stabilized": 1.2}, Quality.DOUBTFUL, "1.2 % of the eye distance, faster than 5 Hz"),
        ({"apart": 5.0}, Quality.DOUBTFUL, "5.0 % of the eye distance apart"),
    ],
)
def test_each_figure_beyond_its_limit_is_the_reason(
    change: dict[str, Any], quality: Quality, reason: str
) -> None:
    verdict = judge(replace(STABILIZED, **change))
    assert verdict.quality is quality
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("change", "quality"),
    [
        ({"face_frames": FaceFrames(100, 50)}, Quality.DOUBTFUL),
        ({"face_frames": FaceFrames(100, 90)}, Quality.GOOD),
        ({"score": 0.3}, Quality.DOUBTFUL),
        ({"score": 0.6}, Quality.GOOD),
        ({"fast_stabilized": 1.0}, Quality.GOOD),
        ({"apart": 4.0}, Quality.GOOD),
    ],
)
def test_a_figure_at_its_limit_belongs_to_the_better_side(
    change: dict[str, Any], quality: Quality
) -> None:
    assert judge(replace(STABILIZED, **change)).quality is quality


def test_several_doubts_are_all_named() -> None:
    reason = judge(replace(STABILIZED, face_frames=FaceFrames(100, 70), score=0.4)).reason
    assert "lack the face" in reason
    assert "uncertain" in reason


def test_unknown_jitter_is_not_called_steady() -> None:
    verdict = judge(replace(STABILIZED, fast_raw=math.nan, fast_stabilized=math.nan))
    assert verdict.quality is Quality.GOOD
    assert verdict.reason.endswith("jitter is not known")


def test_nothing_processed_is_not_called_good() -> None:
    assert judge(UNKNOWN_FIGURES).quality is Quality.DOUBTFUL


def test_the_figures_say_why_fast_motion_is_unknown() -> None:
    slow = replace(STABILIZED, fast_stabilized=math.nan, fps=10.0)
    assert slow.why_no_fast_motion == "The video has 10 frames per second; 15 are needed."
    short = replace(STABILIZED, fast_stabilized=math.nan)
    assert short.why_no_fast_motion == "The face is never followed for half a second."
