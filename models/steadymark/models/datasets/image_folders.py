"""Readers of folders that hold a label file beside each image: 300W and AFLW2000-3D."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from steadymark.models.datasets.image_loaders import ImageBesideLabel
from steadymark.models.datasets.labelled_face import (
    Dataset,
    LabelEntry,
    LabelledFace,
    as_points,
    collect,
)
from steadymark.models.datasets.matlab5 import read_table
from steadymark.models.datasets.photo_splits import photo_of
from steadymark.models.errors import DataError
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import IBUG68, SCHEMA_OF_UNNAMED

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Points


def read_300w(
    folder: Path, schema: str = SCHEMA_OF_UNNAMED, *, keep_images: bool = False
) -> Dataset:
    """Read every NAME.pts with NAME.jpg or NAME.png of a folder, in name order.

    The files count pixels from 1; the landmarks returned count from 0.

    Args:
        folder: Folder with the .pts files.
        schema: Schema of the landmarks.
        keep_images: Keep all decoded images in memory.

    Raises:
        DataError: The folder has no .pts files.
    """
    files = label_files(folder)

    def read(path: Path) -> LabelledFace:
        return LabelledFace(
            path.stem, photo_of(path.stem), ImageBesideLabel(path), read_label(path), schema
        )

    entries = (LabelEntry(str(path), partial(read, path)) for path in files)
    return collect(entries, keep_images=keep_images)


def label_files(folder: Path) -> list[Path]:
    """List the .pts files of a folder, by name.

    Raises:
        DataError: There are none.
    """
    files = sorted(folder.glob("*.pts"))
    if not files:
        raise DataError(f"no .pts files in {folder}: name a folder with NAME.pts beside NAME.jpg")
    return files


def label_folders(folder: Path) -> list[Path]:
    """List the folders in 300W form of a folder, by name, such as the kinds of the hard set.

    A folder `annot` does not count, because it holds the labels of a video.
    """
    parts = sorted(part for part in folder.iterdir() if part.is_dir() and part.name != "annot")
    return [part for part in parts if any(part.glob("*.pts"))]


def read_label(path: Path) -> Points:
    """Read the landmarks (K, 2) of a .pts file, see `read_pts`.

    Raises:
        LandmarkFileError: The file is not a .pts file.
        ValueError: The file is empty.
    """
    if path.is_file() and not path.stat().st_size:
        raise ValueError("is empty")
    return read_pts(path)


def read_aflw2000(folder: Path) -> Dataset:
    """Read every NAME.mat with NAME.jpg of AFLW2000-3D, in name order.

    The landmarks are projected 3D points in iBUG order. Contour landmarks therefore lie on the head
    and not on the visible edge of the face. MATLAB counts pixels from 1; the landmarks returned
    count from 0.

    Raises:
        DataError: The folder has no .mat files.
    """
    files = sorted(folder.glob("*.mat"))
    if not files:
        raise DataError(f"no .mat files in {folder}: name a folder with NAME.mat beside NAME.jpg")
    return collect(LabelEntry(str(path), partial(_aflw2000, path)) for path in files)


def _aflw2000(path: Path) -> LabelledFace:
    try:
        xyz = read_table(path, "pt3d_68")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error
    if xyz is None or len(xyz) != 3:
        raise ValueError("holds no table pt3d_68 of 3 rows")
    return LabelledFace(
        path.stem,
        path.stem,
        ImageBesideLabel(path),
        as_points(xyz[:2].T - 1),
        IBUG68,
        depth=as_points(xyz[2]),
    )
