"""The median score in the report of a pipeline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from steadymark.engine.core.types import FaceState, Landmarks, TrackedFace
from steadymark.engine.pipeline.pipeline_report import Stats
from support.fakes.fake_results import track_result, tracked_face


def scored(face_id: int, *, face: float, landmarks: list[float]) -> TrackedFace:
    """Return a face whose landmarks have these scores in turn."""
    found = tracked_face(face_id, score=face)
    assert found.stabilized is not None
    scores = np.resize(np.array(landmarks, np.float32), len(found.stabilized.score))
    return replace(found, stabilized=Landmarks(found.stabilized.xy_px, scores))


def test_the_median_score_is_that_of_the_landmarks_of_the_best_face() -> None:
    stats = Stats()
    assert stats.report.median_score == 0.0
    lost = TrackedFace(0, FaceState.LOST, 0.0)
    for index, scores in enumerate(([0.9, 0.9], [0.8, 0.7], [0.1, np.nan])):
        best = scored(0, face=0.99, landmarks=scores)
        stats.count(track_result(index, best, scored(1, face=0.5, landmarks=[0.2])), 1.0)
    stats.count(track_result(3, lost), 1.0)
    report = stats.report
    assert report.median_score == pytest.approx(0.8)
    assert (report.frames, report.with_face) == (4, 3)
