"""How a face is rolled, from its 68 landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.models.schema import load_schema

if TYPE_CHECKING:
    from pathlib import Path

Floats = NDArray[np.float32]


def read_pts(path: Path) -> Floats:
    """300W .pts file → (68, 2) 0-based pixels."""
    body = path.read_text(encoding="ascii").split("{")[1].split("}")[0]
    return np.array(body.split(), np.float32).reshape(-1, 2) - 1


def roll_of(points: Floats) -> float:
    """Angle in degrees of the similarity that lays the mean shape over the points (68, 2)."""
    mean = load_schema().mean_shape
    a = mean[:, 0] + 1j * mean[:, 1]
    b = points[:, 0] + 1j * points[:, 1]
    return float(np.degrees(np.angle(np.vdot(a - a.mean(), b - b.mean()))))
