"""Local receivers, for tests of sending."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import (
    EXPRESSIONS,
    HEAD_POSE,
    FaceAttributes,
    FaceContext,
    FaceState,
    HeadPose,
    Intrinsics,
    Landmarks,
    TrackedFace,
)
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.face3d.head_pose import mean_face
from steadymark.models.face.schema import IBUG68

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from steadymark.engine.face3d.head_pose import Array

FRONT = (0.0, 0.0, 0.0)
CAMERA = Intrinsics(640, 480)


@contextmanager
def receiver() -> Iterator[socket.socket]:
    """A bound UDP socket with a timeout."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(10)
        yield bound


def address_of(bound: socket.socket) -> str:
    """The address as HOST:PORT."""
    host, port = bound.getsockname()
    return f"{host}:{port}"


def free_address() -> str:
    """An address without a listener."""
    with receiver() as bound:
        return address_of(bound)


def posed_face(
    rotation_rad: tuple[float, float, float] = FRONT,
    *,
    place_mm: tuple[float, float, float] = (0.0, 0.0, 700.0),
    solid: Array | None = None,
    face_id: int = 0,
) -> TrackedFace:
    """A face seen by a camera; solid: (68, 3) mm, else the mean face."""
    pose = HeadPose(place_mm, rotation_rad, CAMERA)
    projected = pose.project(mean_face() if solid is None else solid)
    points = Landmarks(projected.astype(np.float32), np.linspace(0.3, 1, 68, dtype=np.float32))
    attributes = FaceAttributes(FaceContext(IBUG68, CAMERA), {HEAD_POSE: pose.values})
    return TrackedFace(face_id, FaceState.TRACKED, 0.9, None, points, points, None, attributes)


def expressive_face(
    strengths: Mapping[str, float],
    rotation_rad: tuple[float, float, float] = FRONT,
    *,
    place_mm: tuple[float, float, float] = (0.0, 0.0, 700.0),
    face_id: int = 0,
) -> TrackedFace:
    """A face with known expressions: strengths of ARKit's shapes, the others are 0."""
    face = posed_face(rotation_rad, place_mm=place_mm, face_id=face_id)
    assert face.attributes is not None
    expressions = tuple(strengths.get(name, 0.0) for name in SHAPES)
    values = {**face.attributes.values, EXPRESSIONS: expressions}
    return replace(face, attributes=replace(face.attributes, values=values))
