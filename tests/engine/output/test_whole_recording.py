"""A table that is smoothed when tracking has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.attributes.attribute_registry import attributes_of
from steadymark.engine.attributes.attribute_rows import attributes_of_rows, rows_of_table
from steadymark.engine.core.pupils import Pupils
from steadymark.engine.core.types import (
    FaceAttributes,
    FaceContext,
    Intrinsics,
    Landmarks,
    SourceInfo,
    TrackResult,
)
from steadymark.engine.face3d.face_at_rest import FACE_AT_REST, OF_RECORDING, is_of_recording
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.csv.result_file import ResultFile
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


def test_results_come_back_as_they_were_added(tmp_path: Path) -> None:
    pupils = Pupils(np.array([[1.25, 2], [np.nan, np.nan]]), np.array([0.9, 0.1]))
    context = FaceContext("ibug68", Intrinsics(160, 120), 0.4, np.arange(5) / 3, pupils=pupils)
    face = replace(tracked_face(7), attributes=FaceAttributes(context, {}))
    unfiltered = replace(face, face_id=8, stabilized=face.raw, attributes=None)
    added = [
        track_result(3, face, lost_face(2), pts_s=0.1),
        track_result(4),
        track_result(5, unfiltered),
    ]
    file = ResultFile(tmp_path)
    for result in added:
        file.add(result)
    for _ in range(2):  # it can be read again
        found = list(file.results())
        assert [(r.frame.index, r.frame.pts_s, len(r.faces)) for r in found] == [
            (r.frame.index, r.frame.pts_s, len(r.faces)) for r in added
        ]
    again, lost, plain = *found[0].faces, found[2].faces[0]
    assert (again.face_id, again.state, again.score) == (7, face.state, face.score)
    assert again.box == face.box
    for got, expected in ((again.raw, face.raw), (again.stabilized, face.stabilized)):
        assert got is not None
        assert expected is not None
        np.testing.assert_array_equal(got.xy_px, expected.xy_px)
        np.testing.assert_array_equal(got.score, expected.score)
    assert again.attributes is not None
    assert again.attributes is not None
    known = again.attributes.context
    assert (known.schema, known.camera, known.time_s) == ("ibug68", Intrinsics(160, 120), 0.4)
    np.testing.assert_array_equal(known.identity, context.identity)
    assert known.pupils is not None
    np.testing.assert_array_equal(known.pupils.xy_px, pupils.xy_px)
    np.testing.assert_array_equal(known.pupils.score, pupils.score)
    assert (lost.state, lost.raw, lost.attributes) == (lost_face(2).state, None, None)
    assert plain.stabilized is plain.raw
    assert plain.attributes is None
    file.close()
    assert not list(tmp_path.iterdir())
