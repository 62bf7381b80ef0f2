"""The landmarks of the 3D scheme of photos whose labels follow the visible edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.faces.face_mesh import face_mesh
from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model
from steadymark.models.synthesis.faces.head_rotation import turn_head, turn_head_3d
from steadymark.models.synthesis.faces.hidden_jaw import with_hidden_jaw

if TYPE_CHECKING:
    from numpy.typing import NDArray


def head(yaw_deg: float) -> NDArray[np.float64]:
    """Return the landmarks (68, 2) of the average head in pixels, turned to the image's left."""
    yaw = np.radians(yaw_deg)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    projected: NDArray[np.float64] = (load_face_model().neutral[:LANDMARKS] @ turn.T)[:, :2]
    return projected * 12 + 160


def with_visible_edge(points: NDArray[np.float64], yaw_deg: float) -> NDArray[np.float64]:
    """Move the far side of the jaw outwards to where the cheek ends, as annotators label it."""
    edge, far = points.copy(), slice(0, 6) if yaw_deg > 0 else slice(11, 17)
    edge[far, 0] -= np.sign(yaw_deg) * 25 * abs(np.sin(np.radians(yaw_deg)))
    return edge


def jaw_distances(points: NDArray[np.floating], yaw_deg: float) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = np.linalg.norm(points[:17, :2] - head(yaw_deg)[:17], axis=1)
    return distances


@pytest.mark.parametrize("yaw_deg", [-45.0, -30.0, 30.0, 45.0])
def test_the_far_jaw_moves_from_the_visible_edge_to_the_head(yaw_deg: float) -> None:
    labels = with_visible_edge(head(yaw_deg), yaw_deg)
    found = with_hidden_jaw(face_mesh(labels).rest[:LANDMARKS])
    assert jaw_distances(labels, yaw_deg).max() > 12
    assert jaw_distances(found, yaw_deg).max() < 1
    kept = [*range(8, 68)] if yaw_deg > 0 else [*range(9), *range(17, 68)]
    np.testing.assert_allclose(found[kept, :2], labels[kept], atol=1.0)


def test_the_jaw_of_a_face_that_looks_ahead_stays() -> None:
    labels = with_visible_edge(head(4), 4)
    found = with_hidden_jaw(face_mesh(labels).rest[:LANDMARKS])
    np.testing.assert_allclose(found[:, :2], labels, atol=0.5)


def test_a_turned_photo_keeps_its_hidden_landmarks_on_the_head() -> None:
    image = np.random.default_rng(0).integers(0, 255, (320, 320, 3), np.uint8)
    points = head(0).astype(np.float32)
    photo, visible = turn_head(image, points, -50.0, 0.0)
    same_photo, hidden_too = turn_head_3d(image, points, -50.0, 0.0)
    np.testing.assert_array_equal(photo, same_photo)
    truth = head(50)
    truth += hidden_too.mean(0) - truth.mean(0)
    assert np.linalg.norm(hidden_too - truth, axis=1).max() < 4
    assert np.linalg.norm(visible[:7] - truth[:7], axis=1).max() > 8
    schema = load_schema("ibug68_3d")
    _, mirrored = turn_head_3d(image, schema.mirrored(points, 320).astype(np.float32), 50.0, 0.0)
    np.testing.assert_allclose(schema.mirrored(mirrored, 320), hidden_too, atol=1.5)
