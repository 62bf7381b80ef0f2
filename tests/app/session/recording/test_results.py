from __future__ import annotations

from dataclasses import replace

import numpy as np

from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.engine.tracking.head_pose import head_pose
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import lost_face, moving_results, track_result, tracked_face


def results_of(frames: int = 20) -> Results:
    results = Results(np.arange(frames) / 25, load_schema("ibug68"))
    for result in moving_results(frames):
        results.add(replace(result, restarted=result.frame.index == 0))
    return results


def test_what_was_tracked_comes_back_as_it_was() -> None:
    results = results_of()
    for given in moving_results(20):
        faces = results.faces(given.frame.index)
        assert faces is not None
        assert [f.face_id for f in faces] == [f.face_id for f in given.faces]
        for face, before in zip(faces, given.faces, strict=True):
            assert (face.state, face.score) == (before.state, before.score)
            if before.raw is None or before.stabilized is None:
                assert face.raw is None
                continue
            assert face.raw is not None
            assert face.stabilized is not None
            np.testing.assert_array_equal(face.raw.xy_px, before.raw.xy_px)
            np.testing.assert_array_equal(face.stabilized.xy_px, before.stabilized.xy_px)
            np.testing.assert_array_equal(face.stabilized.score, before.stabilized.score)
            assert face.crop == before.crop
            assert face.box == before.box


def test_an_untracked_frame_has_no_faces_and_one_without_faces_has_an_empty_tuple() -> None:
    results = Results(np.arange(3) / 25, load_schema("ibug68"))
    results.add(track_result(1, restarted=True))
    assert results.faces(0) is None
    assert results.faces(1) == ()


def test_a_frame_counts_once() -> None:
    results = Results(np.arange(3) / 25, load_schema("ibug68"))
    results.add(track_result(1, tracked_face(), restarted=True))
    results.add(track_result(1, restarted=True))
    assert len(results.faces(1) or ()) == 1


def test_rows_grow_beyond_the_first_block_and_older_snapshots_stay() -> None:
    results = Results(np.arange(2000) / 25, load_schema("ibug68"))
    results.add(track_result(0, tracked_face(), restarted=True))
    early = results.rows()
    for i in range(1, 2000):
        results.add(track_result(i, tracked_face()))
    assert len(early) == 1
    rows = results.rows()
    assert len(rows) == 2000
    np.testing.assert_array_equal(rows.frame, np.arange(2000))
    np.testing.assert_array_equal(rows.before, np.arange(2000) - 1)


def test_rows_are_linked_to_the_same_face_one_frame_before_unless_memory_began() -> None:
    results = Results(np.arange(5) / 25, load_schema("ibug68"))
    results.add(track_result(0, tracked_face(0), tracked_face(1), restarted=True))
    results.add(track_result(1, tracked_face(1)))
    results.add(track_result(2, tracked_face(1), restarted=True))
    results.add(track_result(4, tracked_face(1)))
    assert results.rows().before.tolist() == [-1, -1, 1, -1, -1]


def test_gaps_are_given_from_where_they_are_wanted_then_from_the_beginning() -> None:
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
    assert results.known().tolist() == [
        FrameStatus.TRACKED if i in (2, 3, 7) else FrameStatus.DAMAGED for i in range(10)
    ]


def test_frames_are_ready_until_the_first_unknown_one() -> None:
    results = Results(np.arange(6) / 25, load_schema("ibug68"))
    for i in (1, 2, 3):
        results.add(track_result(i, lost_face(), restarted=True))
    assert [results.ready_until(i) for i in range(6)] == [-1, 3, 3, 3, 3, 4]


def test_stabilized_points_can_be_replaced_and_the_version_tells() -> None:
    results = results_of()
    before = results.version
    moved = results.rows().raw + 1
    results.set_steady(moved)
    assert results.version != before
    np.testing.assert_array_equal(results.rows().steady, moved)


def test_poses_come_back_as_they_were_and_follow_the_stabilized_points() -> None:
    results = Results(np.arange(3) / 25, load_schema("ibug68"))
    face = tracked_face(2)
    results.add(track_result(0, face, lost_face(4), restarted=True))
    (kept, gone) = results.faces(0) or ()
    assert kept.pose == face.pose
    assert kept.pose is not None
    assert gone.pose is None
    bigger = (results.rows().steady - 80) * 2 + 80
    results.set_steady(bigger)
    (moved, gone) = results.faces(0) or ()
    assert moved.stabilized is not None
    assert moved.pose == head_pose(moved.stabilized, kept.pose.camera)
    assert moved.pose != kept.pose
    assert gone.pose is None
    Results(np.arange(3) / 25, load_schema("ibug68")).set_steady(bigger[:0])
