"""A small folder like DATA/aflw2000, whose images have labels in two schemes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import square_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = load_schema("ibug68").mean_shape
JAW_PX = 6.0  # shift to the right of the jaw's landmarks in the 3D scheme


def write_pts(path: Path, points: NDArray[np.floating]) -> None:
    """Write a .pts file, which counts pixels from 1."""
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n")


def scheme_points(x: float, *, hidden_jaw: bool) -> NDArray[np.float64]:
    """Return the landmarks (68, 2) of a square at `x` in one of the two schemes."""
    points = SHAPE.astype(np.float64) * 79 + (x - 0.5, 109.5)
    points[:17, 0] += JAW_PX * hidden_jaw
    return points


def write_two_schemes(folder: Path, count: int = 40) -> Path:
    """Write `count` squares with yaws from 0 to 78 degrees, of which every eighth is exact."""
    folder.mkdir(parents=True)
    lines = ["file,yaw_deg,alignment"]
    for i in range(count):
        stem = folder / f"{i:04}"
        x = 120.0 + i % 60
        cv2.imwrite(str(stem.with_suffix(".jpg")), square_image((x, 110, 80)))
        write_pts(stem.with_suffix(".pts"), scheme_points(x, hidden_jaw=False))
        write_pts(stem.with_suffix(".3d.pts"), scheme_points(x, hidden_jaw=True))
        yaw = (-1) ** i * (2 * i % 80)
        lines.append(f"{i:04}.jpg,{yaw},{'exact' if i % 8 == 0 else 'good'}")
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    return folder
