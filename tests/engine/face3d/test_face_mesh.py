"""The mesh of the 3D face, and pictures of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.expressions.arkit import SHAPES, unseen_shapes
from steadymark.engine.face3d.face3d_picture import ShownFace, draw_face
from steadymark.engine.face3d.face_basis import face_basis, load_label_statistics
from steadymark.engine.face3d.face_mesh import border_loops, face_mesh_path, load_face_mesh
from steadymark.models.synthesis.faces.face_model import load_face_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.face3d.face_basis import Floats
    from steadymark.models.face.crop import Image

MESH = load_face_mesh()
FLIP = np.array([1.0, -1.0, -1.0])  # from the axes of `FaceBasis` to those of the mesh
NOSE_TIP, CHIN = 30, 8
GREY = (100, 100, 100)
AHEAD = np.eye(3)


def strengths(**given: float) -> Floats:
    values = np.zeros(len(SHAPES))
    for name, strength in given.items():
        values[SHAPES.index(name)] = strength
    return values


def turned(yaw_deg: float) -> Floats:
    """Return the rotation of a head that turns to the person's left."""
    angle = math.radians(yaw_deg)
    s, c = math.sin(angle), math.cos(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def picture(rotation: Floats = AHEAD, **given: float) -> Image:
    face = ShownFace(MESH.person(None), strengths(**given), rotation)
    return draw_face(face, 200, 200, GREY)


def test_the_first_vertices_are_the_landmarks_of_the_fit() -> None:
    model = 10 * load_face_model().neutral[:68]
    np.testing.assert_allclose(MESH.neutral[:68], (model - model.mean(0)) * FLIP, atol=0.05)


def test_identities_move_the_mesh_as_they_move_the_fitted_landmarks() -> None:
    identity = np.zeros(len(face_basis().identity))
    identity[:30] = np.linspace(-1.5, 1.5, 30)
    moved = MESH.person(identity).rest[:68] - MESH.neutral[:68]
    pitch_rad = math.radians(load_label_statistics().pitch_deg)
    back = cv2.Rodrigues(np.array([pitch_rad, 0.0, 0.0]))[0]
    of_fit = np.tensordot(identity, face_basis().identity, 1) @ back
    np.testing.assert_allclose(moved, of_fit * FLIP, atol=0.6)
    assert np.abs(moved).max() > 3


def test_the_skin_is_one_closed_surface_but_for_eyes_mouth_and_neck() -> None:
    edges = np.sort(MESH.skin[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    counts = np.unique(edges, axis=0, return_counts=True)[1]
    assert counts.max() == 2
    loops = border_loops(MESH.skin)
    assert len(loops) == 4
    assert sum(map(len, loops)) == (counts == 1).sum()
    lips = max(loops, key=lambda loop: float(MESH.neutral[loop, 2].mean()))
    assert set(MESH.mouth[:, :2].ravel()) == set(lips)
    assert np.unique(MESH.skin).tolist() == list(range(len(MESH.neutral) - 1))


def test_normals_point_outwards() -> None:
    normals = MESH.normals(MESH.neutral)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    assert normals[NOSE_TIP, 2] > 0.8
    ears = np.abs(MESH.neutral[:, 0]).argmax()
    assert normals[ears, 0] * MESH.neutral[ears, 0] > 0


def test_left_shapes_move_the_persons_left() -> None:
    for name in ("eyeBlinkLeft", "mouthSmileLeft", "browOuterUpLeft"):
        moved = np.linalg.norm(MESH.shapes[SHAPES.index(name)], axis=1)
        assert MESH.neutral[moved.argmax(), 0] > 5  # x points to the person's left
        other = MESH.shapes[SHAPES.index(name.replace("Left", "Right"))]
        assert MESH.neutral[np.linalg.norm(other, axis=1).argmax(), 0] < -5


def test_shapes_that_the_model_has_move_the_mesh_and_others_do_not() -> None:
    still = [name for name, move in zip(SHAPES, MESH.shapes, strict=True) if not move.any()]
    assert still == ["tongueOut"]
    assert "tongueOut" in unseen_shapes()


def test_an_open_jaw_lowers_the_chin() -> None:
    opened = MESH.person(None).vertices(strengths(jawOpen=1.0))
    assert opened[CHIN, 1] < MESH.neutral[CHIN, 1] - 10
    assert opened[NOSE_TIP] == pytest.approx(MESH.neutral[NOSE_TIP], abs=1)


def test_the_eyeballs_lie_behind_the_lids() -> None:
    for centre, corners in zip(MESH.eye_centres, (range(42, 48), range(36, 42)), strict=True):
        distance = np.linalg.norm(MESH.neutral[list(corners)] - centre, axis=1)
        assert np.median(distance) == pytest.approx(MESH.eye_radius, abs=1.5)
        assert centre[2] < MESH.neutral[list(corners), 2].min()


def test_the_file_is_small_and_names_its_source() -> None:
    assert face_mesh_path().stat().st_size < 150_000
    with np.load(face_mesh_path()) as data:
        assert "ICT-FaceKit" in str(data["source"])
        assert "MIT" in str(data["source"])


def covered(image: Image) -> NDArray[np.bool_]:
    return np.asarray((image != GREY).any(2))


def test_a_head_that_turns_to_its_left_looks_to_the_right_of_the_picture() -> None:
    ahead, left = picture(), picture(turned(60))
    columns = np.arange(200)
    assert abs((covered(ahead)[100] * columns).sum() / covered(ahead)[100].sum() - 100) < 3
    # The pupils, the darkest part of the upper half, move with the head.
    dark = (left[60:100].sum(2) < 90).nonzero()[1]
    assert dark.mean() > 120


def test_an_open_mouth_is_dark_inside_and_closed_eyes_are_not_seen() -> None:
    dark = [(picture(jawOpen=jaw)[110:170].sum(2) < 160).sum() for jaw in (0.0, 1.0)]
    assert dark[1] > dark[0] + 100
    white = [
        (picture(eyeBlinkLeft=lids, eyeBlinkRight=lids).min(2) > 230).sum() for lids in (0.0, 1.0)
    ]
    assert white[0] > 10 > white[1]


def test_the_eyes_look_where_the_gaze_is() -> None:
    drawn = []
    for x in (-0.4, 0.4):
        gaze = np.tile([x, 0.0, 1.0], (2, 1))
        face = ShownFace(MESH.person(None), None, np.eye(3), gaze)
        pixels = draw_face(face, 200, 200, GREY)[60:100].astype(int)
        drawn.append((pixels.sum(2) < 90).nonzero()[1].mean())
    assert drawn[1] > drawn[0] + 2  # x is the person's left, which is right in the picture


def test_pictures_have_the_wanted_size_and_colour_around_the_face() -> None:
    face = ShownFace(MESH.person(None), None, np.eye(3))
    image = draw_face(face, 160, 90, (1, 2, 3))
    assert image.shape == (90, 160, 3)
    assert image[0, 0].tolist() == [1, 2, 3]
    assert covered(image).mean() > 0.2
