"""Difficult faces that no training may use, so that they measure accuracy on such faces.

These are the photos of the hardest tenth of AFW's faces in 300w/train. Of aflw2000 these are all
faces whose alignment is `exact` and half of the others.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back, photo_of
from steadymark.models.errors import DataError
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import IBUG68, load_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from steadymark.models.face.crop import Points

_HARDEST = 0.10  # share of AFW's faces that is held back
TURNED_HELD_BACK = 0.5  # share of the aflw2000 faces with inexact alignment
AFLW2000 = "aflw2000"  # the folder's name
HALF_OF_AFLW2000 = "half of the faces whose alignment is not exact"  # the part for training
PARTS = ("all", "exact", "held-back", "training")  # parts of aflw2000, see `faces_of_part`


def hard_photos(data: Path) -> set[str]:
    """Return the photos of AFW's hardest faces, by the names that `photo_splits.photo_of` gives.

    A face is harder if its landmarks lie further from the mean shape after a similarity fit, so
    turned, pitched and grimacing faces come first. Photos are taken with all their faces, hardest
    first, until a tenth of AFW's faces is reached.

    Args:
        data: The data folder.

    Returns:
        Names of photos; empty if 300w/train is missing.
    """
    hardness: dict[str, list[float]] = defaultdict(list)
    for path in sorted((data / "300w" / "train").glob("afw_*.pts")):
        hardness[photo_of(path.stem)].append(shape_distance(read_pts(path)))
    return _hardest(hardness, _HARDEST)


def is_for_training(stem: str, hard: set[str]) -> bool:
    """Return whether trainings may use a face of 300w/train that is neither held back nor hard.

    Args:
        stem: Stem of the face's file.
        hard: The photos of `hard_photos`.
    """
    photo = photo_of(stem)
    return photo not in hard and not is_held_back(photo, HELD_BACK["train"])


def _hardest(hardness: Mapping[str, list[float]], share: float) -> set[str]:
    target_count = share * sum(len(faces) for faces in hardness.values())
    chosen: set[str] = set()
    count = 0
    for photo in sorted(hardness, key=lambda name: (-max(hardness[name]), name)):
        if count >= target_count:
            break
        chosen.add(photo)
        count += len(hardness[photo])
    return chosen


def shape_distance(points: Points) -> float:
    """Return the mean distance of landmarks (68, 2) from the mean shape that is fitted to them.

    The fit is the least-squares similarity of `crop.fit_crop`. The distance is in sides of the
    fitted shape.
    """
    mean = load_schema(IBUG68).mean_shape
    shape_complex = (mean - mean.mean(0)) @ np.array([1, 1j])
    points_complex = (points - points.mean(0)) @ np.array([1, 1j])
    scaled_rotation = complex(
        np.vdot(shape_complex, points_complex) / np.vdot(shape_complex, shape_complex)
    )
    return float(
        np.abs(points_complex - scaled_rotation * shape_complex).mean()
        / max(abs(scaled_rotation), 1e-9)
    )


def turned_faces(data: Path, *, held_back: bool) -> dict[str, float]:
    """Return the yaw in degrees of aflw2000's faces, by file stem.

    Faces with exact alignment are in neither part, because they are only for reports; see
    `exact_faces`.

    Args:
        data: The data folder.
        held_back: Whether to return the faces held back, or those for training.

    Returns:
        Yaw by file stem; empty if the folder is missing.

    Raises:
        DataError: index.csv lacks a column, or a value is not a number.
    """
    return faces_of_part(data / AFLW2000, "held-back" if held_back else "training")


def exact_faces(data: Path) -> dict[str, float]:
    """Return the yaw in degrees of aflw2000's faces with exact landmarks, by file stem.

    Use them only for reports, never for tuning.
    """
    return faces_of_part(data / AFLW2000, "exact")


def faces_of_part(folder: Path, part: str) -> dict[str, float]:
    """Return the yaw in degrees of the faces of a part of aflw2000, by file stem.

    Args:
        folder: The folder aflw2000, with its index.csv.
        part: `exact` for the faces with exact landmarks, `training` and `held-back` for the two
            halves of the others, or `all`.

    Returns:
        Yaw by file stem; empty if there is no index.csv.

    Raises:
        ValueError: There is no such part.
        DataError: index.csv lacks a column, or a value is not a number.
    """
    if part not in PARTS:
        raise ValueError(f"unknown part '{part}': choose one of {', '.join(PARTS)}")
    return {
        stem: yaw
        for stem, yaw, alignment in _rows(folder / "index.csv")
        if part in ("all", _part_of(stem, alignment))
    }


def _part_of(stem: str, alignment: str) -> str:
    if alignment == "exact":
        return "exact"
    is_kept = is_held_back(f"{AFLW2000}/{stem}", TURNED_HELD_BACK)
    return "held-back" if is_kept else "training"


def _rows(table: Path) -> list[tuple[str, float, str]]:
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
