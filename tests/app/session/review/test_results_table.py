"""The window reviews the numbers that its tables hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.recording.results import Results
from steadymark.app.session.review.doubts_worker import doubtful_of
from steadymark.app.session.review.results_table import whole_table
from steadymark.engine.core.types import FrameTime, TrackResult
from steadymark.engine.output.csv.landmark_table import LandmarkTable, read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.review.doubtful_stretches import DoubtLimits, find_doubtful
from steadymark.engine.review.person_track import tracks_of
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points, lost_face, source_info, tracked_face

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

FRAMES = 60
SCHEMA = load_schema("ibug68")
LIMITS = DoubtLimits(off=frozenset({"hidden", "low_score"}))  # half of the fake scores are low


def result(index: int) -> TrackResult:
    """Return a frame: one face is lost and gone for a while, another comes and jumps."""
    faces = []
    if index == 20:
        faces.append(lost_face(0))
    elif not 20 < index < 30:
        faces.append(tracked_face(0, points=face_points(80.0 + index)))
    if index >= 40:
        faces.insert(0, tracked_face(3, points=face_points(360.0 if index == 50 else 300.0)))
    return TrackResult(FrameTime(index, index / 30), tuple(faces))


def results_of(frames: Container[int]) -> Results:
    """Return results that have only these frames."""
    results = Results(np.arange(FRAMES) / 30, SCHEMA)
    for index in range(FRAMES):
        if index in frames:
            results.add(result(index))
    return results


def written(path: Path, frames: Container[int]) -> LandmarkTable:
    """Return the table of the same frames, after it was written to a file and read again."""
    sink = NativeCsvSink(path, Header(source_frames=FRAMES), SCHEMA)
    sink.open(source_info())
    for index in range(FRAMES):
        if index in frames:
            sink.write(result(index))
    sink.close(complete=True)
    return read_landmarks(path)


def test_the_table_of_results_is_the_exported_one(tmp_path: Path) -> None:
    table = whole_table(results_of(range(FRAMES)), {})
    read = written(tmp_path / "a.csv", range(FRAMES))
    for name in ("frame", "face_id", "state", "image"):
        assert (getattr(table, name) == getattr(read, name)).all(), name
    for name in ("timestamp_s", "score", "box", "attributes", "xy_px", "raw_xy_px", "point_score"):
        np.testing.assert_allclose(
            getattr(table, name), getattr(read, name), atol=6e-3, err_msg=name
        )


@pytest.mark.parametrize(
    "damaged", [range(0), range(10, 11), range(33, 38), range(4), range(59, 60)]
)
def test_stretches_of_results_are_those_of_the_exported_table(
    tmp_path: Path, damaged: range
) -> None:
    frames = [index for index in range(FRAMES) if index not in damaged]
    results = results_of(frames)
    results.mark_damaged(0, FRAMES)
    found = doubtful_of(results, LIMITS)
    read = find_doubtful(list(tracks_of(written(tmp_path / "a.csv", frames))), LIMITS)
    assert [(s.face_id, s.first, s.last) for s in found] == [
        (s.face_id, s.first, s.last) for s in read
    ]
    assert [[d.kind for d in s.doubts] for s in found] == [[d.kind for d in s.doubts] for s in read]
    assert {(s.face_id, s.first) for s in found} >= {(0, 20), (3, 50)}
    after = {s.first for s in found if "damaged" in [d.kind for d in s.doubts]}
    assert after == ({min(damaged.stop, 58)} if damaged else set())


def test_frames_that_are_not_tracked_yet_are_no_doubts() -> None:
    results = results_of([*range(15), *range(45, 60)])
    assert {(s.face_id, s.first) for s in doubtful_of(results, LIMITS)} == {(3, 50)}


def test_results_without_any_face_have_no_stretches() -> None:
    results = Results(np.arange(3) / 30, SCHEMA)
    for index in range(3):
        results.add(TrackResult(FrameTime(index, index / 30), ()))
    assert doubtful_of(results, LIMITS) == []
    assert len(whole_table(results, {})) == 3
