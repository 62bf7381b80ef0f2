"""Pictures of the 3D face: a shaded mesh, drawn from the farthest triangle to the nearest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.face3d.face_mesh import load_face_mesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.face3d.face_basis import Floats
    from steadymark.engine.face3d.face_mesh import FaceMesh, PersonMesh
    from steadymark.models.face.crop import Image

_FINE = 2  # pixels of the drawing for each pixel of the picture, along each side
_SHIFT = 4  # binary digits of fractions of a pixel
_DISTANCE_MM = 900.0  # of the eye that looks at the face
_HALF_MM = 138.0  # from the middle of the picture to its nearer edges
_MIDDLE = np.array([0.0, 14.0, -55.0])  # what the picture is centred on: the middle of the head
_LIGHT = np.array([-0.35, 0.5, 0.8]) / np.linalg.norm([-0.35, 0.5, 0.8])
_AMBIENT = 0.48
_SKIN, _LIPS = np.array([178.0, 196.0, 222.0]), np.array([142.0, 138.0, 205.0])  # BGR
_MOUTH, _BROWS = (42.0, 32.0, 68.0), (62.0, 74.0, 92.0)
_SCLERA, _IRIS, _PUPIL = (238.0, 240.0, 240.0), (120.0, 98.0, 76.0), (24.0, 22.0, 20.0)
_IRIS_MM, _PUPIL_MM = 5.9, 2.4  # radii
_LIPS_MM = 10.0  # by which lips may lie behind the landmarks
_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)), 1)
_OUTER_LIP = slice(48, 60)
_SEEN = 0.1  # least cosine between the viewer and the normal of a brow's point that is drawn
_BROW_POINTS = (range(17, 22), range(22, 27))


@dataclass(frozen=True, slots=True, eq=False)
class ShownFace:
    """A face to draw.

    Attributes:
        person: The person's mesh.
        strengths: (52,) strengths of ARKit's shapes; None for the face at rest.
        rotation: (3, 3) rotation from the face's axes, those of `FaceMesh`, to the picture's, in
            which x points right, y up and z to the viewer.
        gaze: (2, 3) directions in which the person's left and right eye look, in the face's axes;
            None if they are not known: then they look straight ahead.
    """

    person: PersonMesh
    strengths: Floats | None
    rotation: Floats
    gaze: Floats | None = None


def draw_face(face: ShownFace, width: int, height: int, background: tuple[int, int, int]) -> Image:
    """Return a picture of a face.

    Args:
        face: The face.
        width: Width of the picture in pixels.
        height: Its height.
        background: Colour around the face: blue, green and red.

    Returns:
        (height, width, 3) BGR.
    """
    fine = _empty(_FINE * width, _FINE * height, background).copy()
    view = _View(face.rotation, fine)
    turned = view.turned(face.person.vertices(face.strengths))
    xy = view.project(turned)
    mesh = face.person.mesh
    for three in _fixed(xy[mesh.mouth]):
        cv2.fillConvexPoly(fine, three, _MOUTH, cv2.LINE_8, _SHIFT)
    for eye in range(2):
        _draw_eye(view, face, eye)
    _draw_skin(fine, turned, xy, mesh)
    picture: Image = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return picture


@lru_cache(maxsize=4)
def _empty(width: int, height: int, colour: tuple[int, int, int]) -> Image:
    """Return a picture of one colour, which is copied faster than it is filled."""
    return np.full((height, width, 3), colour, np.uint8)


class _View:
    """Where points of the turned face lie in the picture.

    Args:
        rotation: See `ShownFace`.
        fine: The picture.
    """

    def __init__(self, rotation: Floats, fine: Image) -> None:
        height, width = fine.shape[:2]
        self.rotation, self.picture = rotation, fine
        self._centre = np.array([width, height]) / 2
        self.scale = min(width, height) / 2 / _HALF_MM

    def turned(self, points: Floats) -> Floats:
        """Return points (n, 3) of the face in the picture's axes, around the middle of the head."""
        around: Floats = (points - _MIDDLE) @ self.rotation.T
        return around

    def project(self, turned: Floats) -> Floats:
        """Return (n, 2) pixels of turned points."""
        zoom = self.scale * _DISTANCE_MM / (_DISTANCE_MM - turned[:, 2:])
        pixels: Floats = turned[:, :2] * (1, -1) * zoom + self._centre
        return pixels


def _draw_skin(fine: Image, turned: Floats, xy: Floats, mesh: FaceMesh) -> None:
    """Draw the triangles that face the viewer, the farthest first, and the brows."""
    normals, fixed = mesh.normals(turned), _fixed(xy)
    a, b, c = xy[mesh.skin.T]
    facing = np.flatnonzero(
        (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) < (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    )
    depth = turned[:, 2].take(mesh.skin[facing]).sum(1)
    facing = facing[depth.argsort()]
    triangles = mesh.skin[facing]
    light = ((normals @ _LIGHT) * ((1 - _AMBIENT) / 3)).take(triangles).sum(1).clip(0)
    colours = ((_AMBIENT + light)[:, None] * _colours()[facing]).tolist()
    for three, colour in zip(fixed[triangles], colours, strict=True):
        cv2.fillConvexPoly(fine, three, colour, cv2.LINE_8, _SHIFT)
    thickness = max(1, round(fine.shape[0] / 110))
    for brow in _BROW_POINTS:
        seen = [fixed[[i for i in brow if normals[i, 2] > _SEEN]]]
        cv2.polylines(fine, seen, False, _BROWS, thickness, cv2.LINE_8, _SHIFT)


def _draw_eye(view: _View, face: ShownFace, eye: int) -> None:
    """Draw an eyeball with iris and pupil; the skin around it is drawn over it."""
    centre, radius = face.person.eye_centres[eye], face.person.mesh.eye_radius
    straight = np.array([0.0, 0.0, 1.0])
    gaze = straight if face.gaze is None else face.gaze[eye]
    middle = view.turned(centre[None])
    at = view.project(middle)[0]
    size = radius * view.scale * _DISTANCE_MM / (_DISTANCE_MM - middle[0, 2])
    cv2.circle(view.picture, _point(at), round(size * 2**_SHIFT), _SCLERA, -1, cv2.LINE_8, _SHIFT)
    for part_mm, colour in ((_IRIS_MM, _IRIS), (_PUPIL_MM, _PUPIL)):
        ring = view.turned(centre + _cap(gaze, radius, part_mm))
        if ring[:, 2].mean() > middle[0, 2]:
            edge = _fixed(view.project(ring))
            cv2.fillConvexPoly(view.picture, edge, colour, cv2.LINE_8, _SHIFT)


def _cap(direction: Floats, radius: float, part_mm: float) -> Floats:
    """Return the (24, 3) edge of the part of a sphere around a direction."""
    x, y, z = direction / np.linalg.norm(direction)
    level = math.hypot(x, z) or 1.0
    forward = np.array([x, y, z])
    side = np.array([z, 0.0, -x]) / level
    up = np.array([-x * y, level * level, -y * z]) / level
    around = _CIRCLE @ np.stack((side, up))
    edge: Floats = forward * math.sqrt(max(0.0, radius**2 - part_mm**2)) + part_mm * around
    return edge


def _point(at: Floats) -> tuple[int, int]:
    x, y = _fixed(at).tolist()
    return x, y


def _fixed(points: Floats) -> NDArray[np.int32]:
    """Return pixels with `_SHIFT` binary digits of fractions, as OpenCV takes them."""
    fixed: NDArray[np.int32] = np.rint((points - 0.5) * 2**_SHIFT).astype(np.int32)
    return fixed


@cache
def _colours() -> Floats:
    """Return the (T, 3) colours of the triangles: lips within the outer lip's landmarks."""
    mesh = load_face_mesh()
    outline = mesh.neutral[_OUTER_LIP, :2].astype(np.float32)
    centres = mesh.neutral[mesh.skin].mean(1)
    least_z = float(mesh.neutral[_OUTER_LIP, 2].min()) - _LIPS_MM
    lips = [
        z > least_z and cv2.pointPolygonTest(outline, (x, y), False) > 0
        for x, y, z in centres.tolist()
    ]
    return np.where(np.array(lips)[:, None], _LIPS, _SKIN)
