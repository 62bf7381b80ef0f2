"""Open a data set of any known layout; the layout is detected from the files at the path."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.models.datasets.cofw import read_cofw
from steadymark.models.datasets.image_folders import (
    is_two_schemed,
    label_folders,
    read_300w,
    read_aflw2000,
    read_two_schemes,
)
from steadymark.models.datasets.image_loaders import SUFFIXES as IMAGE_SUFFIXES
from steadymark.models.datasets.label_tables import hrnet_points, read_hrnet_csv, read_wflw
from steadymark.models.datasets.video_datasets import CSV_START, read_300vw, read_steadymark_csv
from steadymark.models.datasets.video_frames import SUFFIXES as VIDEO_SUFFIXES
from steadymark.models.errors import DataError
from steadymark.models.face.schema import IBUG68, SCHEMA_OF_UNNAMED

if TYPE_CHECKING:
    from steadymark.models.datasets.labelled_face import Dataset

_KNOWN_LAYOUTS = (
    "300W (NAME.pts beside NAME.jpg), 300VW (a video beside annot), AFLW2000-3D (NAME.mat or"
    " NAME.3d.pts beside NAME.jpg), WFLW (list_98pt_….txt), COFW (COFW_…_color.mat), a table of"
    " HRNet's or a Steadymark CSV"
)


def open_dataset(
    path: Path,
    *,
    images: Path | None = None,
    schema: str | None = None,
    part: str | None = None,
) -> Dataset:
    """Read a data set of any known layout.

    Args:
        path: A folder or a file, see the readers in this package.
        images: Folder with the images of a list, or the video of a CSV; by default it is searched
            for near `path`.
        schema: Schema of .pts files and HRNet tables if it is not the usual one; of data with
            labels in several schemes, the one to read.
        part: Part of a data set that has parts, see `read_two_schemes`.

    Returns:
        The faces, and the defects of what was left out.

    Raises:
        DataError: The layout is unknown; the message lists the known ones. Or the data set has no
            parts, but one was named.
    """
    if path.is_dir() and is_two_schemed(path):
        return read_two_schemes(path, schema or IBUG68, part or "all")
    if part is not None:
        raise DataError(f"{path} has no parts: leave the part '{part}' out")
    if path.is_dir():
        return _open_folder(path, schema)
    if not path.is_file():
        raise DataError(f"{path} does not exist: check the name and the folder")
    if path.suffix.lower() == ".mat":
        return read_cofw(path)
    if path.suffix.lower() == ".txt":
        return read_wflw(path, images or _images_near(path, "WFLW_images", "images"))
    if path.suffix.lower() == ".csv":
        return _open_csv(path, images, schema)
    raise DataError(f"{path} is no data set that is known here: {_KNOWN_LAYOUTS}")


def is_image_dataset(path: Path) -> bool:
    """Return whether a path is a data set of labelled images, not of videos.

    Args:
        path: A folder or a file, see `open_dataset`.
    """
    if path.is_dir():
        return any(path.glob("*.pts")) or _is_aflw2000(path) or bool(label_folders(path))
    suffix = path.suffix.lower()
    return path.is_file() and (suffix in (".mat", ".txt") or (suffix == ".csv" and _is_hrnet(path)))


def _is_aflw2000(folder: Path) -> bool:
    mats = folder.glob("*.mat")
    return any(mat.with_suffix(suffix).is_file() for mat in mats for suffix in IMAGE_SUFFIXES)


def _is_hrnet(table: Path) -> bool:
    with table.open(encoding="utf-8-sig", errors="replace") as file:
        first = next(file, "")
    return bool(hrnet_points([name.strip() for name in next(csv.reader([first]), [])]))


def _open_folder(folder: Path, schema: str | None) -> Dataset:
    if any((part / "annot").is_dir() for part in (folder, *folder.glob("*"))):
        return read_300vw(folder)
    if next(folder.glob("*.pts"), None):
        return read_300w(folder, schema or SCHEMA_OF_UNNAMED)
    if _is_aflw2000(folder):
        return read_aflw2000(folder)
    candidates = [
        *sorted(folder.glob("*.mat")),
        *sorted(folder.rglob("list_98pt*.txt")),
        *sorted(folder.glob("*.csv")),
    ]
    if candidates:
        raise DataError(
            f"{folder} is no data set itself: name a file in it, such as {candidates[0]}"
        )
    raise DataError(f"{folder} holds no data set that is known here: {_KNOWN_LAYOUTS}")


def _open_csv(path: Path, images: Path | None, schema: str | None) -> Dataset:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first, second = next(file, ""), next(file, "")
    if first.startswith(CSV_START):
        return read_steadymark_csv(path, images or _video_near(path, second))
    if _is_hrnet(path):
        return read_hrnet_csv(path, images or _images_near(path, "images"), schema)
    raise DataError(f"{path} is no table that is known here: {_KNOWN_LAYOUTS}")


def _images_near(table: Path, *names: str) -> Path:
    """Find a folder of one of these names in the three folders above the table, nearest first."""
    candidates = [parent / name for parent in list(table.absolute().parents)[:3] for name in names]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise DataError(f"no folder {' or '.join(names)} near {table}: name where its pictures are")


def _video_near(table: Path, header: str) -> Path:
    """Find the video beside the table by the name in its header, or by the table's own name."""
    try:
        name = json.loads(header.removeprefix("#"))["source"]["name"]
    except (ValueError, KeyError, TypeError):
        name = ""
    candidates = [table.with_suffix(suffix) for suffix in VIDEO_SUFFIXES]
    if isinstance(name, str) and name:
        candidates.insert(0, table.parent / Path(name).name)
    for video in candidates:
        if video.is_file():
            return video
    raise DataError(f"the video of {table} is not beside it: name it")
