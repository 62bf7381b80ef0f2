"""The 3D face that is fitted to landmarks, see `engine.face3d`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FaceFit:
    """The 3D face of one frame, in millimetres; for the axes, see `HeadPose`.

    Attributes:
        rotation: (3, 3) rotation from the face's axes to the camera's.
        position: (3,) position of the origin of the face's axes in the camera's.
        identity: (M,) coefficients of the identity modes, in standard deviations.
        expression: (E,) strengths of `FaceBasis.names`, 0 to 1.
        shape: (68, 3) landmarks in the face's axes.
        precision: (M, M) precision of the identity that this frame adds, given what is unknown
            of pose and expression; None if the identity was not fitted.
    """

    rotation: Floats
    position: Floats
    identity: Floats
    expression: Floats
    shape: Floats
    precision: Floats | None = None
