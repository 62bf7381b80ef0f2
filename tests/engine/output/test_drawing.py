"""Drawing is accurate to fractions of a pixel and never fails on odd input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from steadymark.engine.core.types import HEAD_POSE, Landmarks
from steadymark.engine.output.video.drawing import DrawOptions, draw
from support.fakes.fake_results import face_points, lost_face, track_result, tracked_face

POINTS_ONLY = DrawOptions(contours=False, face_id=False, status=False, schema="ibug68")


def test_drawing_does_not_change_the_frame() -> None:
    result = track_result(0, tracked_face())
    image = draw(result, DrawOptions(box=True, schema="ibug68"))
    assert (result.frame_with_image.image == 90).all()
    assert (image != 90).any()


@pytest.mark.parametrize("x", [20.0, 20.25, 20.5, 20.9])
def test_a_point_is_drawn_at_its_position(x: float) -> None:
    landmarks = Landmarks(np.array([[x, 30.25]] * 2, np.float32), np.ones(2, np.float32))
    face = replace(tracked_face(), raw=landmarks, stabilized=landmarks)
    change = np.abs(draw(track_result(0, face), POINTS_ONLY).astype(float) - 90).sum(-1)
    rows, columns = np.indices(change.shape)
    assert (change * columns).sum() / change.sum() == pytest.approx(x, abs=0.15)
    assert (change * rows).sum() / change.sum() == pytest.approx(30.25, abs=0.15)


def test_the_size_of_dots_grows_with_the_face() -> None:
    def changed_pixels(size_px: float) -> int:
        face = tracked_face(points=face_points(500, 500, size_px))
        image = draw(track_result(0, face, size=(1000, 1000)), POINTS_ONLY)
        return int((image != 90).any(-1).sum())

    assert changed_pixels(800) > 8 * changed_pixels(100)


def test_the_colour_depends_on_the_score() -> None:
    landmarks = Landmarks(np.array([[20, 20], [90, 90]], np.float32), np.array([0.1, 1], "f4"))
    face = replace(tracked_face(), raw=landmarks, stabilized=landmarks)
    image = draw(track_result(0, face), POINTS_ONLY)
    assert image[20, 20].tolist() != image[90, 90].tolist()


@pytest.mark.parametrize("size_px", [60.0, 700.0])
def test_points_with_a_low_score_are_hollow(size_px: float) -> None:
    xy = np.array([[100, 100], [100 + size_px, 100]], np.float32)
    landmarks = Landmarks(xy, np.array([0.5, 0.7], "f4"))
    face = replace(tracked_face(), raw=landmarks, stabilized=landmarks)
    image = draw(track_result(0, face, size=(1000, 300)), POINTS_ONLY)
    low, high = (image[96:105, x - 4 : x + 5] for x in (100, round(100 + size_px)))
    assert (low[4, 4] == 90).all()
    assert (low != 90).any()
    assert (high[4, 4] != 90).any()


def test_lost_faces_and_points_outside_the_image_are_skipped() -> None:
    nowhere = np.full((68, 2), np.nan, np.float32)
    far = face_points(1e9, -1e9, 100)
    faces = (lost_face(1), tracked_face(points=nowhere), tracked_face(points=far))
    draw(track_result(0, *faces), DrawOptions(box=True, schema="ibug68"))


def test_another_number_of_landmarks_is_drawn_as_points_only() -> None:
    face = tracked_face(points=face_points()[:5])
    assert (draw(track_result(0, face), DrawOptions(schema="ibug68")) != 90).any()


def test_head_axes_are_drawn_as_the_pose_projects_them() -> None:
    face = tracked_face()
    assert face.pose is not None
    only = replace(POINTS_ONLY, points=False)
    assert (draw(track_result(0, face), only) == 90).all()
    image = draw(track_result(0, face), replace(only, attributes=("axes",)))
    centre, right, down, _ = face.pose.axes_px()
    for end in (right, down):
        x, y = np.rint(centre + 0.7 * (end - centre)).astype(int)
        assert (image[y, x] != 90).any()
    assert face.attributes is not None
    behind = replace(
        face,
        attributes=replace(
            face.attributes, values={HEAD_POSE: (0.0, 0.0, -100.0, *face.pose.rotation_rad)}
        ),
    )
    assert (draw(track_result(0, behind), replace(only, attributes=("axes",))) == 90).all()
