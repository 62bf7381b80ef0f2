"""Action units of FACS, from the expressions of a fitted 3D face.

ARKit's shapes were made after FACS (Ekman, Friesen and Hager: Facial Action Coding System, 2002),
so that most action units have a shape of their own. The pairs are those of Melinda Ozel's "ARKit
to FACS cheat sheet". The units, their names and the range of 0 to 5 are those of OpenFace.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.hidden_side import seen_shapes
from steadymark.engine.face3d.face_basis import face_basis
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.gaze import Gaze
    from steadymark.engine.face3d.face_basis import Floats

FULL = 5.0  # the largest intensity, FACS' level E
_TRACE = 1.0  # FACS' level A
_LIPS = ((61, 67), (62, 66), (63, 65))  # inner upper and lower lip
_OPEN_MM = 25.0  # distance of the inner lips that is the full intensity of AU25
_SHUT_MM = 1.5  # distance that closed lips reach


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """An action unit of FACS.

    Attributes:
        name: Its name in OpenFace's columns, without `_r` and `_c`.
        label: Its name in FACS.
        shapes: The shapes of ARKit whose mean strength it is; shapes of both sides of the face
            without `Left` and `Right`. Empty for AU25, which is a distance.
        present_from: The intensity from which it is present: FACS' level A, or what 2 % of the
            frames of real clips exceed in which another program sees nothing of it, if that is
            more (docs/decisions/face3d.md).
        is_hint: Whether landmarks show it so badly that it should be taken as a hint.
        has_intensity: Whether it has an intensity. OpenFace tells only the presence of AU28.
    """

    name: str
    label: UserText
    shapes: tuple[str, ...]
    present_from: float = _TRACE
    is_hint: bool = False
    has_intensity: bool = True


UNITS = (
    ActionUnit("AU01", UserText("inner brow raiser"), ("browInnerUp",)),
    ActionUnit("AU02", UserText("outer brow raiser"), ("browOuterUp",), 1.5),
    ActionUnit("AU04", UserText("brow lowerer"), ("browDown",), 1.3),
    ActionUnit("AU05", UserText("upper lid raiser"), ("eyeWide",), is_hint=True),
    ActionUnit("AU06", UserText("cheek raiser"), ("cheekSquint",), is_hint=True),
    ActionUnit("AU07", UserText("lid tightener"), ("eyeSquint",), is_hint=True),
    ActionUnit("AU09", UserText("nose wrinkler"), ("noseSneer",)),
    ActionUnit("AU10", UserText("upper lip raiser"), ("mouthUpperUp",)),
    ActionUnit("AU12", UserText("lip corner puller"), ("mouthSmile",)),
    ActionUnit("AU14", UserText("dimpler"), ("mouthDimple",), is_hint=True),
    ActionUnit("AU15", UserText("lip corner depressor"), ("mouthFrown",), is_hint=True),
    ActionUnit("AU17", UserText("chin raiser"), ("mouthShrugLower",), 3.5, is_hint=True),
    ActionUnit("AU20", UserText("lip stretcher"), ("mouthStretch",)),
    ActionUnit("AU23", UserText("lip tightener"), ("mouthPress",), is_hint=True),
    ActionUnit("AU25", UserText("lips part"), (), 0.5),
    ActionUnit("AU26", UserText("jaw drop"), ("jawOpen",), 1.3),
    ActionUnit(
        "AU28", UserText("lip suck"), ("mouthRollLower",), 2.4, is_hint=True, has_intensity=False
    ),
    ActionUnit("AU45", UserText("blink"), ("eyeBlink",), 1.2),
)
INTENSITIES = tuple(f"{unit.name}_r" for unit in UNITS if unit.has_intensity)
PRESENCES = tuple(f"{unit.name}_c" for unit in UNITS)


def unit_intensities(shapes: Floats, lips_mm: float) -> Floats:
    """Return the intensities of the action units.

    A unit of two sides is the mean of the sides that are known.

    Args:
        shapes: (52,) strengths of `arkit.SHAPES`, 0 to 1; unknown ones are NaN.
        lips_mm: How far the inner lips are apart, see `lips_apart_mm`.

    Returns:
        (18,) intensities of `UNITS`, 0 to 5; NaN where no shape of the unit is known.
    """
    strengths: Floats = _means() @ shapes[_used()]
    if np.isnan(strengths).any():  # NaN in a shape makes all units NaN that it belongs to
        known = np.isfinite(shapes)
        with np.errstate(invalid="ignore"):
            strengths = (_shares() @ np.where(known, shapes, 0)) / (_shares() @ known)
    strengths[_lips_place()] = (lips_mm - _SHUT_MM) / (_OPEN_MM - _SHUT_MM)
    return FULL * strengths.clip(0, 1)


def lips_apart_mm(expression: Floats) -> float:
    """Return how far the inner lips are apart, beyond their distance on the face at rest.

    Args:
        expression: (E,) strengths of `FaceBasis.names`.
    """
    return float(expression @ _lip_moves())


def values_of_units(fit: FaceFit, gaze: Gaze | None = None) -> Floats:
    """Return the values of all columns.

    Args:
        fit: The fitted face.
        gaze: Where its eyes look. No unit depends on it, but the shapes that are already known with
            it are not computed again.

    Returns:
        (35,) intensities in the order of `INTENSITIES`, then presences, 0 or 1, in that of
        `PRESENCES`. What is unknown is NaN.
    """
    all_units = unit_intensities(seen_shapes(fit, gaze), lips_apart_mm(fit.expression))
    presences = np.where(np.isnan(all_units), np.nan, all_units >= _present_from())
    return np.concatenate((all_units[_has_intensity()], presences))


@cache
def _lips_place() -> int:
    return next(place for place, unit in enumerate(UNITS) if not unit.shapes)


@cache
def _present_from() -> Floats:
    return np.array([unit.present_from for unit in UNITS])


@cache
def _has_intensity() -> NDArray[np.bool_]:
    return np.array([unit.has_intensity for unit in UNITS])


@cache
def _shares() -> Floats:
    """Return the (18, 52) matrix that is 1 where a shape belongs to a unit."""
    shares = np.zeros((len(UNITS), len(SHAPES)))
    for place, unit in enumerate(UNITS):
        for name in unit.shapes:
            sides = (name,) if name in SHAPES else (f"{name}Left", f"{name}Right")
            shares[place, [SHAPES.index(side) for side in sides]] = 1
    return shares


@cache
def _used() -> NDArray[np.intp]:
    """Return the places of the shapes that belong to a unit."""
    return np.flatnonzero(_shares().any(0))


@cache
def _means() -> Floats:
    """Return the matrix from the shapes of `_used` to the mean of each unit's shapes."""
    shares = _shares()[:, _used()]
    means: Floats = shares / np.maximum(shares.sum(1, keepdims=True), 1)
    return means


@cache
def _lip_moves() -> Floats:
    """Return by how many millimetres each expression moves the inner lips apart, (E,)."""
    down = face_basis().expressions[:, :, 1]
    moves: Floats = np.mean([down[:, lower] - down[:, upper] for upper, lower in _LIPS], axis=0)
    return moves
