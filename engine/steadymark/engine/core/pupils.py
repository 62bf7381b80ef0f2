"""The pupils of a face in one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PUPILS = "pupils"  # name of the attribute with the tracked pupils


@dataclass(frozen=True, slots=True, eq=False)
class Pupils:
    """The centres of a face's pupils.

    The first is that of the person's right eye (iBUG's landmarks 36 to 41), which is on the left of
    a picture that is not mirrored; the second is that of the person's left eye.

    Attributes:
        xy_px: (2, 2) float64 centres in frame pixels; NaN for an eye that is closed or not seen.
        score: (2,) float64 how certain it is that the pupil is seen, 0 to 1.
    """

    xy_px: NDArray[np.float64]
    score: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.xy_px.shape != (2, 2) or self.score.shape != (2,):
            raise ValueError(f"xy_px is {self.xy_px.shape}, score is {self.score.shape}")
