"""How exactly action units are found, on random faces with truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.face3d.face3d_benchmark import is_neutral, true_shapes
from steadymark.engine.expressions.action_units import UNITS, lips_apart_mm, unit_intensities
from steadymark.engine.expressions.arkit import arkit_shapes
from steadymark.engine.face3d.face_basis import face_basis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from steadymark.engine.bench.face3d.face3d_benchmark import MeasuredFace
    from steadymark.engine.expressions.action_units import ActionUnit
    from steadymark.engine.face3d.face_basis import Floats

CLEAR = 2.0  # true intensity from which a unit should be found, FACS' level B


@dataclass(frozen=True, slots=True)
class UnitRow:
    """How an action unit is found.

    Attributes:
        unit: The unit.
        correlation: Correlation of its intensity with the truth.
        error: Mean absolute error of its intensity on faces with expressions.
        false_share: Share of neutral faces on which it is present.
        found_share: Share of faces with a true intensity of `CLEAR` on which it is present.
    """

    unit: ActionUnit
    correlation: float
    error: float
    false_share: float
    found_share: float


def unit_rows(faces: Sequence[MeasuredFace]) -> list[UnitRow]:
    """Return a row for each action unit.

    The truth is computed from the true strengths of the expressions as the intensities are from
    the fitted ones.

    Args:
        faces: Random faces, see `measure_faces`.
    """
    truth = np.array([_true_intensities(face) for face in faces])
    found = np.array(
        [
            unit_intensities(arkit_shapes(f.fit.expression), lips_apart_mm(f.fit.expression))
            for f in faces
        ]
    )
    neutral = is_neutral(faces)
    return [
        _row(unit, truth[:, place], found[:, place], neutral) for place, unit in enumerate(UNITS)
    ]


def _row(unit: ActionUnit, truth: Floats, found: Floats, neutral: NDArray[np.bool_]) -> UnitRow:
    known = np.isfinite(found)
    present = found >= unit.present_from
    clear = known & (truth >= CLEAR)
    varies = truth[known].std() > 0 and found[known].std() > 0
    moving = known & ~neutral
    return UnitRow(
        unit,
        float(np.corrcoef(truth[known], found[known])[0, 1]) if varies else np.nan,
        float(np.abs(found - truth)[moving].mean()) if moving.any() else np.nan,
        float(present[neutral].mean()) if neutral.any() else np.nan,
        float(present[clear].mean()) if clear.any() else np.nan,
    )


def _true_intensities(face: MeasuredFace) -> Floats:
    strengths = face.truth.strengths
    expression = np.array([strengths.get(name, 0.0) for name in face_basis().names])
    return unit_intensities(true_shapes(strengths), lips_apart_mm(expression))
