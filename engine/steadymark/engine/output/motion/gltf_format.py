"""The table format `gltf`: a binary glTF file with the moving faces of a video.

The scene has the axes of glTF (x to the right of the picture, which is the person's left, y up, z
towards the camera) and metres, with the camera at its origin. Each face is a node with the
person's mesh, whose morph targets are ARKit's shapes, and with an eye on each side below it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.face3d.face_mesh import EYES, load_face_mesh
from steadymark.engine.output.motion.glb_file import VERTICES, GlbBuilder
from steadymark.engine.output.motion.motion_sink import MotionSink
from steadymark.engine.output.table_formats import TABLE_FORMATS, TableFormat
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.core.types import Intrinsics
    from steadymark.engine.output.motion.head_motion import HeadMotion

    Floats = NDArray[np.float64]

_M = 1e-3  # per millimetre
_COPYRIGHT = (
    "The meshes are derived from ICT-FaceKit, Copyright (c) 2020 USC Institute for Creative "
    "Technologies, MIT licence"
)
# name, colour (linear red, green, blue) and roughness
_MATERIALS = (
    ("skin", (0.74, 0.53, 0.42), 0.6),
    ("mouth", (0.08, 0.02, 0.03), 0.9),
    ("pupil", (0.01, 0.01, 0.01), 0.1),
    ("iris", (0.10, 0.15, 0.24), 0.2),
    ("sclera", (0.86, 0.85, 0.83), 0.3),
)
_SKIN, _MOUTH, _PUPIL, _IRIS, _SCLERA = range(len(_MATERIALS))
_FLAT = 1e-9  # twice the area of a triangle without area, of a sphere of radius 1
_SEGMENTS = 16  # of an eyeball around its axis
# Angles from the axis of an eyeball to its rings of vertices, up to pupil, iris, and the back.
_RINGS_DEG = ((0.0, 12.0), (12.0, 31.0), (31.0, 55.0, 80.0, 110.0, 145.0, 180.0))


def gltf_files(path: Path, motions: list[HeadMotion]) -> dict[Path, bytes]:
    """Return the content of the file with all moving faces, by its path."""
    return {path: gltf_content(motions)}


def gltf_content(motions: list[HeadMotion]) -> bytes:
    """Return a binary glTF file with the moving faces.

    Args:
        motions: One or more faces.
    """
    scene = _Scene()
    for motion in motions:
        scene.add_face(motion)
    camera = next((motion.camera for motion in motions if motion.camera is not None), None)
    if camera is not None:
        scene.add_camera(camera)
    return scene.content()


class _Scene:
    """A glTF scene with one animation."""

    def __init__(self) -> None:
        self._glb = GlbBuilder()
        asset = {"generator": "Steadymark", "copyright": _COPYRIGHT}
        self._glb.document["asset"] |= asset
        self._roots: list[int] = []
        self._samplers: list[dict[str, Any]] = []
        self._channels: list[dict[str, Any]] = []
        for name, colour, roughness in _MATERIALS:
            surface = {
                "baseColorFactor": [*colour, 1.0],
                "metallicFactor": 0.0,
                "roughnessFactor": roughness,
            }
            self._glb.append("materials", {"name": name, "pbrMetallicRoughness": surface})
        self._eye = self._add_eye_mesh()

    def content(self) -> bytes:
        """Return the content of the file."""
        animation = {"name": "motion", "samplers": self._samplers, "channels": self._channels}
        self._glb.document |= {"scene": 0, "scenes": [{"nodes": self._roots}]}
        self._glb.document["animations"] = [animation]
        return self._glb.content()

    def add_face(self, motion: HeadMotion) -> None:
        """Add a face with its motion."""
        person = load_face_mesh().person(motion.identity)
        eyes = [
            self._glb.append(
                "nodes",
                {
                    "name": f"{motion.name} {side} eye",
                    "mesh": self._eye,
                    "translation": (_M * centre).tolist(),
                },
            )
            for side, centre in zip(EYES, person.eye_centres, strict=True)
        ]
        position, rotation = motion.position_m, motion.rotation
        node = self._glb.append(
            "nodes",
            {
                "name": motion.name,
                "mesh": self._add_face_mesh(motion.name, person.rest),
                "children": eyes,
                "translation": position[0].tolist(),
                "rotation": rotation[0].tolist(),
            },
        )
        self._roots.append(node)
        times, rows = motion.keys()
        at = self._glb.floats(times)
        self._animate(node, "translation", at, position[rows])
        self._animate(node, "rotation", at, rotation[rows])
        if np.isfinite(motion.strengths).any():
            self._animate(node, "weights", at, motion.shown_strengths[rows].ravel())
        turns = motion.eye_rotation
        if turns is not None:
            for eye, turn in zip(eyes, turns, strict=True):
                self._animate(eye, "rotation", at, turn[rows])

    def add_camera(self, camera: Intrinsics) -> None:
        """Add the camera that saw the faces, which looks along the negative z axis."""
        lens = {
            "yfov": 2 * math.atan(camera.height / 2 / camera.focal),
            "aspectRatio": camera.width / camera.height,
            "znear": 0.01,
        }
        place = self._glb.append("cameras", {"type": "perspective", "perspective": lens})
        self._roots.append(self._glb.append("nodes", {"name": "Camera", "camera": place}))

    def _animate(self, node: int, path: str, at: int, values: Floats) -> None:
        sampler = {"input": at, "interpolation": "LINEAR", "output": self._glb.floats(values)}
        self._samplers.append(sampler)
        target = {"node": node, "path": path}
        self._channels.append({"sampler": len(self._samplers) - 1, "target": target})

    def _add_face_mesh(self, name: str, rest: Floats) -> int:
        mesh, glb = load_face_mesh(), self._glb
        attributes = {
            "POSITION": glb.floats(_M * rest, target=VERTICES),
            "NORMAL": glb.floats(mesh.normals(rest), target=VERTICES),
        }
        targets = [{"POSITION": glb.floats(_M * move, target=VERTICES)} for move in mesh.shapes]
        primitives = [
            {
                "attributes": attributes,
                "indices": glb.indices(triangles),
                "material": material,
                "targets": targets,
            }
            for triangles, material in ((mesh.skin, _SKIN), (mesh.mouth, _MOUTH))
        ]
        content = {
            "name": name,
            "primitives": primitives,
            "weights": [0.0] * len(SHAPES),
            "extras": {"targetNames": list(SHAPES)},
        }
        return glb.append("meshes", content)

    def _add_eye_mesh(self) -> int:
        """Add the mesh of an eyeball that looks along z, and return its index."""
        glb = self._glb
        rings = sorted({angle for part in _RINGS_DEG for angle in part})
        polar = np.radians(rings)[:, None]
        around = np.linspace(0, 2 * np.pi, _SEGMENTS, endpoint=False)
        flat = np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around)
        normals = np.stack((*flat, np.cos(polar) + 0 * around), axis=-1).reshape(-1, 3)
        attributes = {
            "POSITION": glb.floats(_M * load_face_mesh().eye_radius * normals, target=VERTICES),
            "NORMAL": glb.floats(normals, target=VERTICES),
        }
        primitives = []
        for part, material in zip(_RINGS_DEG, (_PUPIL, _IRIS, _SCLERA), strict=True):
            triangles = _between_rings([rings.index(angle) for angle in part])
            a, b, c = normals[triangles.T]
            is_flat = np.linalg.norm(np.cross(b - a, c - a), axis=1) < _FLAT  # at the poles
            indices = glb.indices(triangles[~is_flat])
            primitives.append({"attributes": attributes, "indices": indices, "material": material})
        return glb.append("meshes", {"name": "eye", "primitives": primitives})


def _between_rings(rings: list[int]) -> NDArray[np.int64]:
    """Return the (t, 3) triangles between neighbouring rings, counter-clockwise from outside."""
    here = np.arange(_SEGMENTS)
    after = np.roll(here, -1)
    found = []
    for first, second in pairwise(ring * _SEGMENTS for ring in rings):
        found.append(np.column_stack((first + here, second + here, second + after)))
        found.append(np.column_stack((first + here, second + after, first + after)))
    return np.concatenate(found)


TABLE_FORMATS.add(
    TableFormat(
        "gltf",
        UserText("moving 3D face (glTF)"),
        UserText("Moving 3D faces with ARKit's shapes, for Blender, game engines and the web."),
        lambda path, header, _: MotionSink(path, gltf_files, header.expressions),
        suffix=".glb",
        schemas=IBUG_ORDER,
        animation=True,
    )
)
