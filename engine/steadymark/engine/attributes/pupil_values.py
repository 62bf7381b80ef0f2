"""Pupils as the values of the attribute `pupils`, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.pupils import PUPILS, Pupils

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.core.types import AttributeValues

# The columns of the right eye, then those of the left eye; right and left are the person's.
PUPIL_COLUMNS = tuple(
    f"pupil_{side}_{what}" for side in ("right", "left") for what in ("x", "y", "score")
)


def pupil_values(pupils: Pupils) -> AttributeValues:
    """Return the values of `PUPIL_COLUMNS`."""
    return tuple(np.column_stack((pupils.xy_px, pupils.score)).ravel().tolist())


def pupils_of(values: Sequence[float] | NDArray[np.float64]) -> Pupils | None:
    """Return the pupils from the values of `PUPIL_COLUMNS`; None if all are NaN."""
    rows = np.array(values, np.float64).reshape(2, 3)
    return None if np.isnan(rows).all() else Pupils(rows[:, :2], rows[:, 2])


def pupils_in(values: Mapping[str, AttributeValues]) -> Pupils | None:
    """Return the pupils among the values of a face's attributes; None if they are unknown."""
    return pupils_of(values[PUPILS]) if PUPILS in values else None
