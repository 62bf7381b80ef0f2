"""Faces of the 3D model that look somewhere, with exact pupils."""

from __future__ import annotations

import math

import numpy as np

from steadymark.engine.attributes.attribute_registry import attributes_of
from steadymark.engine.core.gaze import gaze_angles, gaze_vectors
from steadymark.engine.core.pupils import Pupils
from steadymark.engine.core.types import (
    FaceBox,
    FaceContext,
    FaceState,
    HeadPose,
    Intrinsics,
    Landmarks,
    TrackedFace,
)
from steadymark.engine.face3d.face_basis import Floats, face_basis
from steadymark.engine.gaze.eyeballs import RADIUS_MM, eyeball_basis
from steadymark.engine.gaze.line_of_sight import AVERAGE_PERSON
from steadymark.models.face.schema import IBUG68

CAMERA = Intrinsics(640, 480)
AVERAGE = np.zeros(len(face_basis().identity))


def pose_at(yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> HeadPose:
    """A head 600 mm before the camera."""
    return HeadPose(
        (20.0, -10.0, 600.0), (math.radians(pitch_deg), math.radians(yaw_deg), 0.05), CAMERA
    )


def landmarks_at(pose: HeadPose) -> Landmarks:
    """The landmarks of the average face at rest."""
    return Landmarks(pose.project(face_basis().neutral).astype(np.float32), np.ones(68, np.float32))


def eyeballs_at(pose: HeadPose) -> Floats:
    """(2, 3) centres of the eyeballs in the camera's axes, in millimetres."""
    placed: Floats = eyeball_basis().neutral @ pose.matrix.T + pose.position_mm
    return placed


def pupils_at(pose: HeadPose, directions: Floats) -> Pupils:
    """Both pupils of an average person who looks in directions (3,) or (2, 3) of the camera."""
    sight = gaze_angles(np.tile(directions, (2, 1))[-2:] @ pose.matrix)
    axes = gaze_vectors(sight - np.radians(AVERAGE_PERSON.offset_deg))
    return pupils_on_axes(pose, axes @ pose.matrix.T)


def pupils_on_axes(pose: HeadPose, axes: Floats) -> Pupils:
    """Both pupils of eyes whose axes have directions (3,) or (2, 3) in the camera's axes."""
    places = eyeballs_at(pose) + RADIUS_MM * axes
    rays = places[:, :2] / places[:, 2:]
    return Pupils(rays * CAMERA.focal + CAMERA.matrix[:2, 2], np.ones(2))


def head_gaze(pose: HeadPose, left_deg: float, down_deg: float) -> Floats:
    """(3,) direction in the camera's axes of a gaze relative to the head."""
    direction: Floats = pose.matrix @ gaze_vectors(np.radians([left_deg, down_deg]))
    return direction


def gazing_face(
    pose: HeadPose,
    place_mm: tuple[float, float, float],
    offset_deg: Floats,
    *,
    face_id: int = 0,
    eyes_closed: bool = False,
) -> TrackedFace:
    """A tracked face that looks at a place. Its eyes deviate by (2, 2) from an average person's."""
    points = landmarks_at(pose)
    in_head = gaze_angles((np.array(place_mm) - eyeballs_at(pose)) @ pose.matrix)
    pupils = pupils_at(pose, gaze_vectors(in_head - np.radians(offset_deg)) @ pose.matrix.T)
    return TrackedFace(
        face_id,
        FaceState.TRACKED,
        0.9,
        FaceBox(200, 150, 200, 200, 0.9),
        points,
        points,
        attributes=attributes_of(points, context_of(None if eyes_closed else pupils)),
    )


def context_of(pupils: Pupils | None) -> FaceContext:
    """What the attributes of the average face are computed from."""
    return FaceContext(IBUG68, CAMERA, identity=AVERAGE, pupils=pupils)
