"""Fixed validation splits: the name of a photo decides whether it is held back from training."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_NUMBERED = re.compile(r"(.*image_\d+|.*?)(_\d+)?")  # photos of LFPW and iBUG are named image_0001
_SIDES = ("left", "top", "right", "bottom")
HELD_BACK = {"train": 0.06, "crowds": 0.15, "none": 0.20}


def photo_of(stem: str) -> str:
    """Return the photo that a face of 300W comes from.

    AFW and HELEN number the faces of one photo by a suffix, which is removed.
    """
    found = _NUMBERED.fullmatch(stem)
    return found[1] if found else stem


def is_held_back(photo: str, share: float) -> bool:
    """Return whether a photo or video is in the `share` (0 to 1) held back for validation."""
    digest = hashlib.sha256(photo.encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def read_boxes(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Read boxes.csv of a folder of photos.

    Args:
        folder: Folder with .jpg photos and boxes.csv.

    Returns:
        (n, 4) left, top, right, bottom in 0-based pixels, by file name. Photos without a row have
        (0, 4).

    Raises:
        DataError: There is no such folder, or a row is malformed.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder: name the data that holds it")
    rows: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    table = folder / "boxes.csv"
    if table.is_file():
        for number, line in _lines(table):
            where = f"{table}, line {number}"
            if "image" not in line:
                raise DataError(f"{where}, names no image: write a column of that name")
            rows[line["image"]].append(_box(line, where))
    names = sorted(p.name for p in folder.iterdir() if p.suffix == ".jpg")
    return {name: np.array(rows[name], np.float32).reshape(-1, 4) for name in names}


def _lines(table: Path) -> list[tuple[int, dict[str, str]]]:
    """Return each row with its line number."""
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            return [(reader.line_num, line) for line in reader]
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{table} cannot be read ({error}): write it again") from error


def _box(line: dict[str, str], where: str) -> NDArray[np.float32]:
    try:
        box = np.array([float(line[side]) for side in _SIDES], np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{where}, holds not a number for each of {', '.join(_SIDES)}") from error
    if not np.isfinite(box).all() or (box[2:] <= box[:2]).any():
        raise DataError(f"{where}, holds no box: right and bottom lie beyond left and top")
    return box


def photos(data: Path, name: str, *, held_back: bool) -> dict[str, NDArray[np.float32]]:
    """Return the boxes of the training or held-back part of faces/`name`, see `read_boxes`."""
    share = HELD_BACK[name]
    all_boxes = read_boxes(data / "faces" / name)
    stems = {file: file.rsplit(".", 1)[0] for file in all_boxes}
    sources = {f: photo_of(stem) if name == "train" else stem for f, stem in stems.items()}
    return {
        f: boxes for f, boxes in all_boxes.items() if is_held_back(sources[f], share) == held_back
    }
