from __future__ import annotations

from dataclasses import replace

import numpy as np

from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import lost_face, moving_results, track_result, tracked_face


def make_results(frames: int = 20) -> Results:
    results = Results(np.arange(frames) / 25, load_schema("ibug68"))
    for result in moving_results(frames):
        results.add(replace(result, restarted=result.frame.index == 0))
    return results


def test_added_faces_are_returned_unchanged() -> None:
    results = make_results()
    for expected in moving_results(20):
        faces = results.faces(expected.frame.index)
        assert faces is not None
        assert [f.face_id for f in faces] == [f.face_id for f in expected.faces]
        for face, face_before in zip(faces, expected.faces, strict=True):
            assert (face.state, face.score) == (face_before.state, face_before.score)
            if face_before.raw is None or face_before.stabilized is None:
                assert face.raw is None
                continue
            assert face.raw is not None
            assert face.stabilized is not None
            np.testing.assert_array_equal(face.raw.xy_px, face_before.raw.xy_px)
            np.testing.assert_array_equal(face.stabilized.xy_px, face_before.stabilized.xy_px)
            np.testing.assert_array_equal(face.stabilized.score, face_before.stabilized.score)
            assert face.crop == face_before.crop
            assert face.box == face_before.box


def test_an_untracked_frame_has_no_faces_and_one_without_faces_has_an_empty_tuple() -> None:
    results = Results(np.arange(3) / 25, load_schema("ibug68"))
    results.add(track_result(1, restarted=True))
    assert results.faces(0) is None
    assert results.faces(1) == ()


def test_a_frame_is_stored_only_once() -> None:
    results = Results(np.arange(3) / 25, load_schema("ibug68"))
    results.add(track_result(1, tracked_face(), restarted=True))
    results.add(track_result(1, restarted=True))
    assert len(results.faces(1) or ()) == 1


def test_rows_grow_beyond_the_first_block_and_earlier_snapshots_stay_valid() -> None:
    results = Results(np.arange(2000) / 25, load_schema("ibug68"))
    results.add(track_result(0, tracked_face(), restarted=True))
    early = results.rows()
    for i in range(1, 2000):
        results.add(track_result(i, tracked_face()))
    assert len(early) == 1
    rows = results.rows()
    assert len(rows) == 2000
    np.testing.assert_array_equal(rows.frame, np.arange(2000))
    np.testing.assert_array_equal(rows.previous_row, np.arange(2000) - 1)


def test_rows_are_linked_to_the_same_face_in_the_previous_frame_without_restart() -> None:
    results = Results(np.arange(5) / 25, load_schema("ibug68"))
    results.add(track_result(0, tracked_face(0), tracked_face(1), restarted=True))
    results.add(track_result(1, tracked_face(1)))
    results.add(track_result(2, tracked_face(1), restarted=True))
    results.add(track_result(4, tracked_face(1)))
    assert results.rows().previous_row.tolist() == [-1, -1, 1, -1, -1]


def test_gaps_are_searched_from_a_frame_on_and_then_from_the_beginning() -> None:
    results = Results(np.arange(10) / 25, load_schema("ibug68"))
    for i in (2, 3, 7):
        results.add(track_result(i, restarted=True))
    assert results.next_gap(0) == range(2)
    assert results.next_gap(2) == range(4, 7)
    assert results.next_gap(5) == range(5, 7)
    assert results.next_gap(8) == range(8, 10)
    results.mark_damaged(8, 10)
    assert results.next_gap(8) == range(2)
    results.mark_damaged(0, 10)
    assert results.next_gap(0) is None
    assert results.frame_status().tolist() == [
        FrameStatus.TRACKED if i in (2, 3, 7) else FrameStatus.DAMAGED for i in range(10)
    ]


def test_frames_are_ready_until_the_first_unknown_one() -> None:
    results = Results(np.arange(6) / 25, load_schema("ibug68"))
    for i in (1, 2, 3):
        results.add(track_result(i, lost_face(), restarted=True))
    assert [results.ready_until(i) for i in range(6)] == [-1, 3, 3, 3, 3, 4]


def test_replacing_stabilized_points_changes_the_version() -> None:
    results = make_results()
    version_before = results.version
    moved = results.rows().raw + 1
    results.set_stabilized(moved)
    assert results.version != version_before
    np.testing.assert_array_equal(results.rows().stabilized, moved)


def test_poses_are_returned_unchanged_and_follow_the_stabilized_points() -> None:
    results = Results(np.arange(3) / 25, load_schema("ibug68"))
    face = tracked_face(2)
    results.add(track_result(0, face, lost_face(4), restarted=True))
    (kept, lost) = results.faces(0) or ()
    assert kept.pose == face.pose
    assert kept.pose is not None
    assert lost.pose is None
    bigger = (results.rows().stabilized - 80) * 2 + 80
    results.set_stabilized(bigger)
    (moved, lost) = results.faces(0) or ()
    assert moved.stabilized is not None
    assert moved.pose == with_points(face, moved.stabilized).pose
    assert moved.pose != kept.pose
    assert lost.pose is None
    Results(np.arange(3) / 25, load_schema("ibug68")).set_stabilized(bigger[:0])


def test_faces_of_the_whole_recording_change_the_attributes_of_all_rows() -> None:
    results = make_results(8)
    results.learns_later = True
    before = results.rows()
    results.set_stabilized(of_recording=True, stop=lambda: True)
    np.testing.assert_array_equal(results.rows().attributes, before.attributes)
    assert (results.complete, results.of_recording) == (False, False)
    results.set_stabilized(of_recording=True)
    assert (results.complete, results.of_recording) == (True, True)
    after = results.rows()
    np.testing.assert_array_equal(after.stabilized, before.stabilized)
    first, *others = np.flatnonzero((after.face_id == 3) & np.isfinite(after.raw[:, 0, 0])).tolist()
    assert all(after.identity[row] is after.identity[first] for row in others)
    for row in (first, *others):
        assert np.abs(after.attributes[row, :3] - before.attributes[row, :3]).max() > 0.1
