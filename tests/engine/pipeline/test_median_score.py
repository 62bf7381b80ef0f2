"""The median score in the report of a pipeline."""

from __future__ import annotations

import pytest

from steadymark.engine.core.types import FaceState, TrackedFace
from steadymark.engine.pipeline.pipeline_report import Stats
from support.fakes.fake_results import track_result, tracked_face


def test_the_median_score_is_that_of_the_best_face_in_the_frames_with_a_face() -> None:
    stats = Stats()
    assert stats.report.median_score == 0.0
    lost = TrackedFace(0, FaceState.LOST, 0.0)
    for index, score in enumerate((0.9, 0.8, 0.5)):
        faces = (tracked_face(score=score), tracked_face(1, score=0.1))
        stats.count(track_result(index, *faces), 1.0)
    stats.count(track_result(3, lost), 1.0)
    report = stats.report
    assert report.median_score == pytest.approx(0.8)
    assert (report.frames, report.with_face) == (4, 3)
