"""Frames processed and frames with a face are two figures."""

from __future__ import annotations

import math

import pytest

from steadymark.engine.core.face_frames import FaceFrames, no_face_found, percent_of


def test_the_share_with_a_face_is_unknown_without_frames() -> None:
    assert FaceFrames(40, 30).share == 0.75
    assert math.isnan(FaceFrames().share)
    assert not FaceFrames().none_found


def test_a_source_without_a_face_is_told_from_one_with_few_faces() -> None:
    assert FaceFrames(40, 0).none_found
    assert not FaceFrames(40, 1).none_found
    assert no_face_found("talk.mp4", 472) == "No face was found in talk.mp4 (472 frames)."
    assert no_face_found("a.png", 1) == "No face was found in a.png (1 frame)."


@pytest.mark.parametrize(
    ("share", "digits", "percent"),
    [
        (0.0, 1, 0.0),
        (1.0, 1, 100.0),
        (0.43, 0, 43.0),
        (0.99996, 1, 99.9),
        (0.996, 0, 99.0),
        (0.00001, 1, 0.1),
    ],
)
def test_a_percentage_never_claims_all_or_nothing_wrongly(
    share: float, digits: int, percent: float
) -> None:
    assert percent_of(share, digits) == pytest.approx(percent)
    assert math.isnan(percent_of(math.nan))
