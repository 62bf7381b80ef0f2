"""The face that a mirror shows: another person, whose right is the left of the first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.pupils import Pupils
from steadymark.engine.core.types import HEAD_POSE, Landmarks
from steadymark.engine.expressions.expression_settings import mirrored_pose
from steadymark.models.face.schema import IBUG68, load_schema

if TYPE_CHECKING:
    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.types import FaceAttributes, TrackedFace

_FLIP = np.array([-1.0, 1.0, 1.0])


def mirrored_face(face: TrackedFace, width: int) -> TrackedFace:
    """Return the face that the tracker would have found in the mirrored picture.

    Args:
        face: A face with iBUG's 68 landmarks.
        width: Width of the picture in pixels.

    Returns:
        The face with mirrored stabilized landmarks, head pose, 3D face and pupils. It has no other
            attributes, and no raw landmarks of its own.
    """
    if face.stabilized is None:
        return face
    order = load_schema(IBUG68).mirror
    xy = face.stabilized.xy_px[order] * np.array([-1, 1], np.float32) + np.array(
        [width - 1, 0], np.float32
    )
    points = Landmarks(xy, face.stabilized.score[order])
    attributes = None if face.attributes is None else _attributes(face, face.attributes, width)
    return replace(face, stabilized=points, attributes=attributes)


def _attributes(face: TrackedFace, attributes: FaceAttributes, width: int) -> FaceAttributes:
    context, pose = attributes.context, face.pose
    fit = None if context.fit is None else _fit(context.fit)
    pupils = None if context.pupils is None else _pupils(context.pupils, width)
    values = {} if pose is None else {HEAD_POSE: mirrored_pose(pose).values}
    return replace(attributes, context=replace(context, fit=fit, pupils=pupils), values=values)


def _fit(fit: FaceFit) -> FaceFit:
    return replace(
        fit,
        rotation=fit.rotation * np.outer(_FLIP, _FLIP),
        position=fit.position * _FLIP,
        shape=fit.shape[load_schema(IBUG68).mirror] * _FLIP,
    )


def _pupils(pupils: Pupils, width: int) -> Pupils:
    return Pupils(pupils.xy_px[::-1] * (-1, 1) + (width - 1, 0), pupils.score[::-1])
