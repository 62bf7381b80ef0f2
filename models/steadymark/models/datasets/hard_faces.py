"""Which hard faces are held back from every training, so that they measure how right it is there.

Held back are the photos of the hardest tenth of AFW's faces in 300w/train, and of aflw2000 all
faces of the alignment `exact` and half of the others.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.datasets.photo_splits import is_held_back, photo_of
from steadymark.models.errors import DataError
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from steadymark.models.face.crop import Points

_HARDEST = 0.10  # of AFW's faces
TURNED_HELD_BACK = 0.5  # of the faces of aflw2000 whose alignment is not exact


def hard_photos(data: Path) -> set[str]:
    """The photos of AFW's hardest faces, by the names that `splits.photo_of` gives.

    A face is the harder, the further its landmarks lie from the mean shape after a similarity fit:
    turned, pitched and grimacing faces come first. Photos are taken from the hardest on, with all
    their faces, until a tenth of AFW's faces is reached. Empty where 300w/train is missing.
    """
    hardness: dict[str, list[float]] = defaultdict(list)
    for path in sorted((data / "300w" / "train").glob("afw_*.pts")):
        hardness[photo_of(path.stem)].append(shape_distance(read_pts(path)))
    return _hardest(hardness, _HARDEST)


def _hardest(hardness: Mapping[str, list[float]], share: float) -> set[str]:
    wanted = share * sum(len(faces) for faces in hardness.values())
    chosen: set[str] = set()
    count = 0
    for photo in sorted(hardness, key=lambda name: (-max(hardness[name]), name)):
        if count >= wanted:
            break
        chosen.add(photo)
        count += len(hardness[photo])
    return chosen


def shape_distance(points: Points) -> float:
    """Mean distance of landmarks (68, 2) from the mean shape fitted to them, in sides of the fit.

    The fit is the similarity of least squares, see `cropping.fit_crop`.
    """
    mean = load_schema().mean_shape
    z = (mean - mean.mean(0)) @ np.array([1, 1j])
    w = (points - points.mean(0)) @ np.array([1, 1j])
    turn = complex(np.vdot(z, w) / np.vdot(z, z))
    return float(np.abs(w - turn * z).mean() / max(abs(turn), 1e-9))


def turned_faces(data: Path, *, held_back: bool) -> dict[str, float]:
    """Faces of aflw2000 by stem, with their yaw in degrees: to train on, or those held back.

    Faces whose alignment is exact are in neither part: they are for reports alone, see
    `exact_faces`. Empty where the folder is missing.

    Raises:
        DataError: index.csv is not of the form that the data's description gives.
    """
    return {
        stem: yaw
        for stem, yaw, alignment in _turned(data)
        if alignment != "exact" and is_held_back(f"aflw2000/{stem}", TURNED_HELD_BACK) == held_back
    }


def exact_faces(data: Path) -> dict[str, float]:
    """Faces of aflw2000 by stem, with their yaw, whose landmarks are exact: report them only."""
    return {stem: yaw for stem, yaw, alignment in _turned(data) if alignment == "exact"}


def _turned(data: Path) -> list[tuple[str, float, str]]:
    table = data / "aflw2000" / "index.csv"
    if not table.is_file():
        return []
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return [
                (row["file"].rsplit(".", 1)[0], float(row["yaw_deg"]), row["alignment"])
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{table} needs the columns file, yaw_deg, alignment: {error}") from error
