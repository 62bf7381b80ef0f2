"""The registry of per-face attributes, and their values as vectors.

All attributes together have C columns, in the order of the registry. Tables and arrays hold the
values of a face as a vector of C numbers, in which unknown values are NaN.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.pupil_values import pupils_in
from steadymark.engine.core.errors import TrackingError, UsageError
from steadymark.engine.core.gaze import GAZE
from steadymark.engine.core.pupils import PUPILS
from steadymark.engine.core.types import (
    ACTION_UNITS,
    EXPRESSIONS,
    HEAD_POSE,
    FaceAttributes,
    Landmarks,
)
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.face3d.identity import follow_identity
from steadymark.engine.gaze.line_of_sight import gaze_of
from steadymark.models.choice_registry import Registry
from steadymark.models.errors import ContentError
from steadymark.models.face.schema import IBUG_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steadymark.engine.attributes.face_attribute import AttributeColumn, FaceAttribute, Shapes
    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.gaze import Gaze
    from steadymark.engine.core.types import AttributeValues, FaceContext, TrackedFace


class AttributeRegistry(Registry["FaceAttribute"]):
    """The attributes of faces, whose columns and drawings have different names."""

    def add(self, entry: FaceAttribute) -> FaceAttribute:
        """Add an attribute.

        Args:
            entry: The attribute.

        Returns:
            The same attribute.

        Raises:
            ContentError: There is another attribute, column or drawing of the same name.
        """
        for other in self._entries.values():
            for name in _names(entry) & _names(other):
                raise ContentError(
                    "the face attributes '{entry}' and '{other}' share the name '{name}'",
                    entry=entry.name,
                    other=other.name,
                    name=name,
                )
        return super().add(entry)


_BUILT_IN = (HEAD_POSE, EXPRESSIONS, ACTION_UNITS, PUPILS, GAZE)
ATTRIBUTES = AttributeRegistry("face attribute", "steadymark.engine.attributes", first=_BUILT_IN)


def attribute_columns() -> tuple[AttributeColumn, ...]:
    """Return the C columns of all attributes."""
    return tuple(column for attribute in ATTRIBUTES.all() for column in attribute.columns)


def attribute_slices() -> dict[str, slice]:
    """Return the place of each attribute's values in the vector of all, by name."""
    slices, first = {}, 0
    for attribute in ATTRIBUTES.all():
        slices[attribute.name] = slice(first, first + len(attribute.columns))
        first += len(attribute.columns)
    return slices


def attributes_of(landmarks: Landmarks, context: FaceContext) -> FaceAttributes:
    """Compute all attributes of one face.

    The 3D face is fitted, and the gaze computed, once for all attributes.

    Args:
        landmarks: The stabilized landmarks.
        context: What the attributes are computed from besides; its `fit` and `gaze` are ignored.

    Returns:
        The attributes that are known, with the context that has the fit and the gaze.

    Raises:
        TrackingError: An attribute cannot be computed.
    """
    fit = fitted_face(landmarks, context)
    fitted = replace(context, fit=fit, gaze=_gaze(landmarks, context, fit))
    values: dict[str, AttributeValues] = {}
    for attribute in ATTRIBUTES.all():
        if attribute.schemas and context.schema not in attribute.schemas:
            continue
        value = _computed(attribute, landmarks, fitted)
        if value is not None:
            values[attribute.name] = value
    return FaceAttributes(fitted, values)


def fitted_face(landmarks: Landmarks, context: FaceContext) -> FaceFit | None:
    """Fit the 3D face to landmarks.

    Args:
        landmarks: The landmarks. Scores that are NaN count as 1: tables may have no scores.
        context: The camera, and the identity of the person if it is known; otherwise the identity
            is found from these landmarks alone.

    Returns:
        The fit; None if the camera is unknown, the landmarks are not those of iBUG, or none fits.
    """
    if context.camera is None or context.schema not in IBUG_ORDER:
        return None
    landmarks = Landmarks(landmarks.xy_px, np.nan_to_num(landmarks.score, nan=1.0))
    identity = context.identity
    if identity is None:
        learned = follow_identity(None, landmarks, context.camera, context.time_s)
        if learned is None:
            return None
        identity = learned.used
    return fit_face(landmarks, context.camera, identity)


def with_points(face: TrackedFace, stabilized: Landmarks) -> TrackedFace:
    """Replace a face's stabilized landmarks, and compute its attributes from the new ones.

    Args:
        face: The face.
        stabilized: The new landmarks.

    Returns:
        The face with the new landmarks; it has attributes only if `face` has. Gaze stays as it is
        if the pupils are unknown, from which it is computed, as in tables of OpenFace.
    """
    known = face.attributes
    if known is None:
        return replace(face, stabilized=stabilized)
    attributes = attributes_of(stabilized, known.context)
    if known.context.pupils is None and GAZE in known.values:
        values = {**attributes.values, GAZE: known.values[GAZE]}
        attributes = FaceAttributes(attributes.context, values)
    return replace(face, stabilized=stabilized, attributes=attributes)


def vector_of(attributes: FaceAttributes | None) -> list[float]:
    """Return the C values of all attributes; unknown values are NaN."""
    vector: list[float] = []
    for attribute in ATTRIBUTES.all():
        known = None if attributes is None else attributes.values.get(attribute.name)
        vector += (math.nan,) * len(attribute.columns) if known is None else known
    return vector


def attributes_from(vector: Sequence[float], context: FaceContext) -> FaceAttributes:
    """Return the attributes of a face from the C values of all attributes.

    Args:
        vector: The values; an attribute whose values are all NaN is unknown.
        context: What they were computed from; its pupils are replaced by those of the values.

    Returns:
        The attributes that are known.
    """
    values: dict[str, AttributeValues] = {}
    for name, part in attribute_slices().items():
        value = tuple(float(v) for v in vector[part])
        if not all(map(math.isnan, value)):
            values[name] = value
    return FaceAttributes(replace(context, pupils=pupils_in(values), gaze=None), values)


def plugin_attributes() -> dict[str, object]:
    """Return what a table's header says about the attributes of plug-ins; empty without any."""
    others = [name for name in ATTRIBUTES.names() if name not in _BUILT_IN]
    return {"attributes": others} if others else {}


def drawing_names() -> tuple[str, ...]:
    """Return the names of the drawings of all attributes that are drawn."""
    return tuple(a.drawing.name for a in ATTRIBUTES.all() if a.drawing is not None)


def checked_drawings(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of drawings, without repetitions and in the order of the registry.

    Args:
        names: Names of drawings.

    Returns:
        The names.

    Raises:
        UsageError: A name is unknown.
    """
    wanted, known = set(names), drawing_names()
    for name in sorted(wanted.difference(known)):
        raise UsageError(
            "no face attribute is drawn as '{name}': choose one of {known}",
            name=name,
            known=", ".join(known),
        )
    return tuple(name for name in known if name in wanted)


def drawn_attributes(face: TrackedFace, names: Sequence[str]) -> Iterator[Shapes]:
    """Yield what to draw of a face.

    Args:
        face: The face.
        names: Names of drawings.

    Yields:
        The shapes of each attribute that is known.
    """
    if not names or face.attributes is None or face.stabilized is None:
        return
    values, context = face.attributes.values, face.attributes.context
    for attribute in ATTRIBUTES.all():
        drawing = attribute.drawing
        if drawing is not None and drawing.name in names and attribute.name in values:
            yield drawing.shapes(values[attribute.name], face.stabilized, context)


def _names(attribute: FaceAttribute) -> set[str]:
    drawing = attribute.drawing
    return {c.name for c in attribute.columns} | ({drawing.name} if drawing is not None else set())


def _gaze(landmarks: Landmarks, context: FaceContext, fit: FaceFit | None) -> Gaze | None:
    if fit is None or context.camera is None or context.pupils is None:
        return None
    return gaze_of(fit, landmarks, context.pupils, context.camera, context.gaze_calibration)


def _computed(
    attribute: FaceAttribute, landmarks: Landmarks, context: FaceContext
) -> AttributeValues | None:
    try:
        values = attribute.compute(landmarks, context)
        if values is not None and len(values) != len(attribute.columns):
            raise ContentError(
                "{values} values for {columns} columns",
                values=len(values),
                columns=len(attribute.columns),
            )
        return values
    except Exception as error:
        raise TrackingError(
            "the face attribute '{name}' cannot be computed ({kind}: {error})",
            name=attribute.name,
            kind=type(error).__name__,
            error=error,
        ) from error
