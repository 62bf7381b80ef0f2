"""Open a data set of any known layout; the layout is detected from the files at the path."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.models.datasets.cofw import read_cofw
from steadymark.models.datasets.image_folders import read_300w, read_aflw2000
from steadymark.models.datasets.image_loaders import SUFFIXES as PICTURES
from steadymark.models.datasets.label_tables import hrnet_points, read_hrnet_csv, read_wflw
from steadymark.models.datasets.video_datasets import CSV_START, read_300vw, read_steadymark_csv
from steadymark.models.datasets.video_frames import SUFFIXES as VIDEOS
from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from steadymark.models.datasets.labelled_face import Dataset

_KNOWN = (
    "300W (NAME.pts beside NAME.jpg), 300VW (a video beside annot), AFLW2000-3D (NAME.mat beside"
    " NAME.jpg), WFLW (list_98pt_….txt), COFW (COFW_…_color.mat), a table of HRNet's or a"
    " Steadymark CSV"
)


def open_dataset(path: Path, *, pictures: Path | None = None, schema: str | None = None) -> Dataset:
    """Read a data set of any known layout.

    Args:
        path: A folder or a file, see the readers in this package.
        pictures: Folder with the images of a list, or the video of a CSV; by default it is searched
            for near `path`.
        schema: Schema of .pts files and HRNet tables if it is not the usual one.

    Returns:
        The faces, and the defects of what was left out.

    Raises:
        DataError: The layout is unknown; the message lists the known ones.
    """
    if path.is_dir():
        return _open_folder(path, schema)
    if not path.is_file():
        raise DataError(f"{path} does not exist: check the name and the folder")
    if path.suffix.lower() == ".mat":
        return read_cofw(path)
    if path.suffix.lower() == ".txt":
        return read_wflw(path, pictures or _images_near(path, "WFLW_images", "images"))
    if path.suffix.lower() == ".csv":
        return _open_csv(path, pictures, schema)
    raise DataError(f"{path} is no data set that is known here: {_KNOWN}")


def _open_folder(folder: Path, schema: str | None) -> Dataset:
    if any((part / "annot").is_dir() for part in (folder, *folder.glob("*"))):
        return read_300vw(folder)
    if next(folder.glob("*.pts"), None):
        return read_300w(folder, schema or "ibug68")
    mats = sorted(folder.glob("*.mat"))
    if any(mat.with_suffix(suffix).is_file() for mat in mats for suffix in PICTURES):
        return read_aflw2000(folder)
    parts = [*mats, *sorted(folder.rglob("list_98pt*.txt")), *sorted(folder.glob("*.csv"))]
    if parts:
        raise DataError(f"{folder} is no data set itself: name a file in it, such as {parts[0]}")
    raise DataError(f"{folder} holds no data set that is known here: {_KNOWN}")


def _open_csv(path: Path, pictures: Path | None, schema: str | None) -> Dataset:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first, second = next(file, ""), next(file, "")
    if first.startswith(CSV_START):
        return read_steadymark_csv(path, pictures or _video_near(path, second))
    if hrnet_points([name.strip() for name in next(csv.reader([first]), [])]):
        return read_hrnet_csv(path, pictures or _images_near(path, "images"), schema)
    raise DataError(f"{path} is no table that is known here: {_KNOWN}")


def _images_near(table: Path, *names: str) -> Path:
    """Find a folder of one of these names in the three folders above the table, nearest first."""
    near = [parent / name for parent in list(table.absolute().parents)[:3] for name in names]
    for folder in near:
        if folder.is_dir():
            return folder
    raise DataError(f"no folder {' or '.join(names)} near {table}: name where its pictures are")


def _video_near(table: Path, header: str) -> Path:
    """Find the video beside the table by the name in its header, or by the table's own name."""
    try:
        name = json.loads(header.removeprefix("#"))["source"]["name"]
    except (ValueError, KeyError, TypeError):
        name = ""
    near = [table.with_suffix(suffix) for suffix in VIDEOS]
    if isinstance(name, str) and name:
        near.insert(0, table.parent / Path(name).name)
    for video in near:
        if video.is_file():
            return video
    raise DataError(f"the video of {table} is not beside it: name it")
