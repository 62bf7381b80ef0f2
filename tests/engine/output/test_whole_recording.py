"""A table that is smoothed when tracking has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.attributes.attribute_registry import attributes_of
from steadymark.engine.attributes.attribute_rows import attributes_of_rows, rows_of_table
from steadymark.engine.core.types import Intrinsics, Landmarks, SourceInfo, TrackResult
from steadymark.engine.face3d.face_at_rest import FACE_AT_REST, OF_RECORDING, is_of_recording
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.csv.whole_recording import WholeRecordingSink
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.guarded_filters import GuardedOfflineFilter
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import (
    FAKE_CONTEXT,
    face_points,
    lost_face,
    track_result,
    tracked_face,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.protocols import Sink

INFO = SourceInfo("a", "a", 160, 120, 30.0, None, live=False)
FILTER = GuardedOfflineFilter(Butterworth(3.0))


def native(path: Path) -> Sink:
    return NativeCsvSink(path, Header(), load_schema("ibug68"))


def shaking_faces(frames: int = 60) -> list[TrackResult]:
    """Return results of two jittering faces, one of which is lost at times, at uneven times."""
    rng = np.random.default_rng(0)
    results = []
    for i in range(frames):
        points = rng.normal(0, 1, (2, 68, 2)).astype(np.float32) + 40
        first = tracked_face(0, points=points[0])
        second = lost_face(1) if 20 <= i < 25 else tracked_face(1, points=points[1] + 50)
        results.append(track_result(i, first, second, pts_s=i / 30 + 0.002 * (i % 3)))
    return results


def write(sink: Sink, results: list[TrackResult], *, complete: bool = True) -> Path:
    sink.open(INFO)
    for result in results:
        sink.write(result)
    sink.close(complete=complete)
    from pathlib import Path

    return Path(sink.path)


@pytest.mark.parametrize("complete", [True, False])
def test_only_the_stabilized_points_differ_from_an_unfiltered_table(
    tmp_path: Path, *, complete: bool
) -> None:
    results = shaking_faces()
    plain = read_landmarks(write(native(tmp_path / "plain.csv"), results))
    sink = WholeRecordingSink(tmp_path / "a.csv", native, FILTER)
    path = write(sink, results, complete=complete)
    assert path.name == ("a.csv" if complete else "a.partial.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["plain.csv", path.name])
    table = read_landmarks(path)
    np.testing.assert_array_equal(table.frame, plain.frame)
    np.testing.assert_array_equal(table.timestamp_s, plain.timestamp_s)
    np.testing.assert_array_equal(table.raw_xy_px, plain.raw_xy_px)
    found = np.isfinite(plain.xy_px).all((1, 2))
    np.testing.assert_array_equal(np.isfinite(table.xy_px).all((1, 2)), found)
    second_face = (table.face_id == 1) & (table.frame < 20)
    expected = FILTER.smooth(plain.raw_xy_px[second_face], plain.timestamp_s[second_face])
    np.testing.assert_allclose(table.xy_px[second_face], expected, atol=2e-3)
    assert (
        np.diff(table.xy_px[second_face], axis=0).std()
        < 0.4 * np.diff(plain.xy_px[second_face], axis=0).std()
    )


def test_rows_are_written_to_disk_during_tracking(tmp_path: Path) -> None:
    sink = WholeRecordingSink(tmp_path / "a.csv", native, FILTER)
    sink.open(INFO)
    for result in shaking_faces(10):
        sink.write(result)
    rows = (tmp_path / "a.csv.part").read_text().splitlines()
    assert len(rows) == 3 + 20
    sink.close(complete=True)
    sink.close(complete=True)
    assert (tmp_path / "a.csv").is_file()


def test_openface_tables_are_smoothed_and_empty_tables_stay_empty(tmp_path: Path) -> None:
    def make(path: Path) -> OpenFaceCsvSink:
        return OpenFaceCsvSink(path, load_schema("ibug68"))

    table = read_landmarks(
        write(WholeRecordingSink(tmp_path / "a.csv", make, FILTER), shaking_faces())
    )
    raw = read_landmarks(write(make(tmp_path / "b.csv"), shaking_faces()))
    first_face = table.face_id == 0
    assert (
        np.diff(table.xy_px[first_face], axis=0).std()
        < 0.4 * np.diff(raw.xy_px[first_face], axis=0).std()
    )
    empty = write(WholeRecordingSink(tmp_path / "c.csv", native, FILTER), [])
    assert len(read_landmarks(empty).frame) == 0


def test_poses_are_computed_from_the_smoothed_points(tmp_path: Path) -> None:
    points = face_points()
    rng = np.random.default_rng(1)
    results = [
        track_result(i, tracked_face(points=points + rng.normal(0, 2, (68, 2)).astype(np.float32)))
        for i in range(60)
    ]
    plain = read_landmarks(write(native(tmp_path / "plain.csv"), results))
    table = read_landmarks(write(WholeRecordingSink(tmp_path / "a.csv", native, FILTER), results))
    assert np.diff(table.pose[:, 3:], axis=0).std() < 0.3 * np.diff(plain.pose[:, 3:], axis=0).std()
    smoothed = Landmarks(table.xy_px[30], table.point_score[30])
    expected = attributes_of(smoothed, FAKE_CONTEXT).values["head_pose"]
    np.testing.assert_allclose(table.pose[30, 3:], expected[3:], atol=2e-3)


def test_an_unsmoothed_table_never_has_the_final_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    replace = Path.replace

    def replace_and_kill(path: Path, target: Path) -> Path:
        if path.name == "a.smooth.csv":
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_and_kill)
    with pytest.raises(KeyboardInterrupt):
        write(WholeRecordingSink(tmp_path / "a.csv", native, FILTER), shaking_faces())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.partial.csv", "a.smooth.csv"]


@pytest.mark.parametrize("complete", [True, False])
def test_a_complete_table_has_the_3d_faces_of_the_whole_recording(
    tmp_path: Path, *, complete: bool
) -> None:
    header = Header(settings={FACE_AT_REST: OF_RECORDING, "focal_px": None})

    def final(path: Path) -> Sink:
        return NativeCsvSink(path, header, load_schema("ibug68"))

    def running(path: Path) -> Sink:
        return NativeCsvSink(path, header.while_tracking, load_schema("ibug68"))

    results = [track_result(i, tracked_face(), pts_s=i / 2) for i in range(4)]
    plain = read_landmarks(write(running(tmp_path / "plain.csv"), results))
    (tmp_path / "plain.csv").unlink()
    sink = WholeRecordingSink(tmp_path / "a.csv", running, make_final=final)
    path = write(sink, results, complete=complete)
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv" if complete else "a.partial.csv"]
    table = read_landmarks(path)
    assert is_of_recording(table.header["settings"]) is complete
    np.testing.assert_array_equal(table.xy_px, plain.xy_px)
    expected = plain.attributes
    if complete:
        rows = rows_of_table(table, "ibug68", Intrinsics(160, 120))
        expected = attributes_of_rows(rows, table.xy_px)
        assert np.abs(table.attributes - plain.attributes)[:, :6].max() > 0.1
    np.testing.assert_allclose(table.attributes, expected, atol=0.05)
