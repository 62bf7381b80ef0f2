"""Conversion of Qt's SVG output to a form that all programs draw the same way."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np

_NAMESPACE = "http://www.w3.org/2000/svg"
_VECTOR_EFFECT = "vector-effect"
_POINT = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?),(-?[\d.]+(?:e[-+]?\d+)?)")
_POINTS = {f"{{{_NAMESPACE}}}path": "d", f"{{{_NAMESPACE}}}polyline": "points"}


def without_scaled_strokes(svg: bytes) -> bytes:
    """Return Qt's SVG with the transforms applied to the points of the curves.

    Qt scales curves and exempts their strokes from scaling with `vector-effect`. That attribute is
    not
    part of SVG 1.1, so a program that does not know it draws the strokes much too wide.
    """
    ElementTree.register_namespace("", _NAMESPACE)
    root = ElementTree.fromstring(svg)
    for group in root.iter(f"{{{_NAMESPACE}}}g"):
        if any(_VECTOR_EFFECT in shape.attrib for shape in group):
            _apply_transform(group.attrib.pop("transform"), group)
    plain: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return plain


def _apply_transform(transform: str, group: ElementTree.Element) -> None:
    """Apply the transform to the curves of a group, and keep it on its other shapes."""
    a, b, c, d, e, f = map(float, re.findall(r"[-+\d.e]+", transform.removeprefix("matrix")))
    matrix = np.array([[a, c, e], [b, d, f]])
    for shape in group:
        shape.attrib.pop(_VECTOR_EFFECT, None)
        name = _POINTS.get(shape.tag)
        if name is None:
            shape.set("transform", transform)
            continue
        shape.set(name, _POINT.sub(lambda found: _transformed(found, matrix), shape.attrib[name]))


def _transformed(found: re.Match[str], matrix: np.ndarray) -> str:
    x, y = matrix @ np.array([float(found[1]), float(found[2]), 1.0])
    return f"{x:.2f},{y:.2f}"
