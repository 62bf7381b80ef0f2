"""Read and write .pts files, the landmark files of 300W and other annotated datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.bounded_read import read_bounded_text
from steadymark.models.errors import LandmarkFileError
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.models.face.crop import Points


_MOST_PX = 1e9  # larger coordinates are not of a point in an image


def read_pts(path: str | Path) -> Points:
    """Read the landmarks of a .pts file.

    The files count pixels from 1; the returned points count from 0, as this project does.

    Args:
        path: The .pts file.

    Returns:
        (K, 2) float32, pixels.

    Raises:
        LandmarkFileError: The file cannot be read or is not a .pts file; the message says where.
    """
    path = Path(path)
    try:
        lines = read_bounded_text(path, encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise LandmarkFileError("cannot read {path}: {error}", path=path, error=error) from error
    start, end = _brace(path, lines, "{"), _brace(path, lines, "}")
    rows = [(i + 1, lines[i].split()) for i in range(start + 1, end) if lines[i].strip()]
    xy = np.array([_point(path, number, fields) for number, fields in rows], np.float64)
    stated_counts = [
        line.removeprefix("n_points").strip(" :\t")
        for line in lines[:start]
        if line.startswith("n_points")
    ]
    if stated_counts and stated_counts[0] != str(len(rows)):
        raise LandmarkFileError(
            UserText.counted(
                "{path}: it has 1 point instead of {wanted}",
                "{path}: it has {count} points instead of {wanted}",
                path=path,
                count=len(rows),
                wanted=stated_counts[0],
            )
        )
    if not rows:
        raise LandmarkFileError("{path} contains no points", path=path)
    return (xy - 1).astype(np.float32)


def pts_text(xy_px: Points) -> str:
    """Return landmarks as the text of a .pts file, see `read_pts`.

    Args:
        xy_px: (K, 2) landmarks in pixels, counted from 0.

    Returns:
        The text; its pixels count from 1.
    """
    lines = [f"{x + 1:.3f} {y + 1:.3f}" for x, y in xy_px.tolist()]
    return "\n".join(["version: 1", f"n_points: {len(lines)}", "{", *lines, "}"]) + "\n"


def _brace(path: Path, lines: list[str], brace: str) -> int:
    """Return the index of the only line that consists of this brace."""
    found = [i for i, line in enumerate(lines) if line.strip() == brace]
    if len(found) != 1:
        raise LandmarkFileError(
            "{path}: {count} lines contain '{brace}' instead of one",
            path=path,
            count=len(found),
            brace=brace,
        )
    return found[0]


def _point(path: Path, number: int, fields: list[str]) -> tuple[float, float]:
    try:
        x, y = (float(field) for field in fields)
        is_point = abs(x) < _MOST_PX and abs(y) < _MOST_PX
    except ValueError:
        is_point = False
    if not is_point:
        raise LandmarkFileError(
            "{path}, line {number}: '{text}' is not a point: write x and y in pixels",
            path=path,
            number=number,
            text=" ".join(fields)[:40],
        )
    return x, y
