"""The rows of the timeline: when each face is present, absent or lost."""

from __future__ import annotations

import time

import numpy as np

from steadymark.app.gui.timeline.face_row_codes import (
    FacePresence,
    RowStatus,
    presence_of,
    row_codes,
)
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import lost_face, track_result, tracked_face

U, P, A, L, D = RowStatus


def results_of(*frames: str) -> Results:
    """Return results: one text per frame with the ids of its faces, or `?` if not tracked."""
    results = Results(np.arange(len(frames)) / 25, load_schema("ibug68"))
    for index, ids in enumerate(frames):
        if ids != "?":
            faces = [tracked_face(int(each)) for each in ids]
            results.add(track_result(index, *faces, restarted=index == 0))
    return results


def test_a_gap_of_one_face_is_visible_while_another_face_is_present() -> None:
    presence = presence_of(results_of("01", "01", "1", "1", "01", "1"))
    assert presence.ids.tolist() == [0, 1]
    assert row_codes(presence, 0, 6, 6).tolist() == [[P, P, L, L, P, A], [P] * 6]


def test_a_face_that_enters_later_is_absent_before_and_not_lost() -> None:
    presence = presence_of(results_of("0", "0", "02", "02"))
    assert row_codes(presence, 0, 4, 4).tolist() == [[P] * 4, [A, A, P, P]]


def test_a_frame_without_any_face_is_marked_in_all_rows() -> None:
    presence = presence_of(results_of("", "0", "", "1", "?"))
    assert row_codes(presence, 0, 5, 5).tolist() == [[L, P, L, A, U], [L, A, L, P, U]]


def test_a_lost_face_does_not_count_as_present() -> None:
    results = Results(np.arange(3) / 25, load_schema("ibug68"))
    results.add(track_result(0, tracked_face(0), restarted=True))
    results.add(track_result(1, lost_face(0)))
    results.add(track_result(2, tracked_face(0)))
    assert row_codes(presence_of(results), 0, 3, 3).tolist() == [[P, L, P]]


def test_without_any_face_there_is_one_row() -> None:
    results = results_of("", "", "?", "?")
    results.mark_damaged(3, 4)
    assert row_codes(presence_of(results), 0, 4, 4).tolist() == [[L, L, U, D]]


def test_a_column_shows_the_one_frame_that_must_not_be_overlooked() -> None:
    frames = ["01"] * 1000
    frames[500] = "1"
    presence = presence_of(results_of(*frames))
    codes = row_codes(presence, 0, 1000, 10)
    assert codes[0].tolist() == [P] * 5 + [L] + [P] * 4
    assert codes[1].tolist() == [P] * 10


def test_only_the_frames_of_the_shown_part_are_counted() -> None:
    presence = presence_of(results_of("0", "0", "", "0", "0", "0"))
    assert row_codes(presence, 3, 6, 3).tolist() == [[P, P, P]]


def test_the_first_frame_is_not_a_cut() -> None:
    results = results_of("0", "0", "?")
    results.add(track_result(2, tracked_face(1), restarted=True))
    assert presence_of(results).restarts.tolist() == [2]


def test_100_000_frames_with_8_faces_are_aggregated_quickly() -> None:
    frames, faces = 100_000, 8
    presence = FacePresence(
        ids=np.arange(faces),
        face=np.tile(np.arange(faces), frames),
        frame=np.repeat(np.arange(frames), faces),
        first=np.zeros(faces, np.int64),
        last=np.full(faces, frames - 1),
        known=np.full(frames, FrameStatus.TRACKED, np.int8),
        empty=np.zeros(frames, np.bool_),
        restarts=np.zeros(0, np.int64),
    )
    start_s = time.thread_time()
    codes = row_codes(presence, 0, frames, 1300)
    assert time.thread_time() - start_s < 0.25  # about 0.01 s
    assert codes.shape == (faces, 1300)
    assert (codes == P).all()
