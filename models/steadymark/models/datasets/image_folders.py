"""Readers of folders that hold label files beside each image: 300W and AFLW2000-3D."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from steadymark.models.datasets.hard_faces import faces_of_part
from steadymark.models.datasets.image_loaders import ImageBesideLabel, ImageFile
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
from steadymark.models.face.schema import IBUG68, IBUG68_3D, SCHEMA_OF_UNNAMED

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


def is_two_schemed(folder: Path) -> bool:
    """Return whether a folder holds labels of both schemes, see `read_two_schemes`."""
    return next(folder.glob("*.3d.pts"), None) is not None


def read_two_schemes(folder: Path, schema: str = IBUG68, part: str = "all") -> Dataset:
    """Read a folder whose images have labels in two schemes, such as DATA/aflw2000.

    Beside NAME.jpg, NAME.pts holds the landmarks of ibug68 and NAME.3d.pts those of ibug68_3d.
    index.csv holds the yaw of each face, and how exact its labels are.

    Args:
        folder: The folder.
        schema: The scheme to read.
        part: One of `hard_faces.PARTS`.

    Raises:
        DataError: The scheme or the part is unknown, or index.csv lists no face of the part.
    """
    endings = {IBUG68: ".pts", IBUG68_3D: ".3d.pts"}
    if schema not in endings:
        raise DataError(f"{folder} has landmarks of {' and '.join(endings)}, not of {schema}")
    try:
        yaw_of = faces_of_part(folder, part)
    except ValueError as error:
        raise DataError(str(error)) from error
    if not yaw_of:
        raise DataError(f"{folder / 'index.csv'} lists no face of the part '{part}'")

    def read(stem: str) -> LabelledFace:
        label, image = folder / f"{stem}{endings[schema]}", folder / f"{stem}.jpg"
        return LabelledFace(
            stem, stem, ImageFile(image), read_label(label), schema, yaw_deg=yaw_of[stem]
        )

    stems = sorted(yaw_of)
    return collect(
        LabelEntry(str(folder / f"{stem}{endings[schema]}"), partial(read, stem)) for stem in stems
    )


def read_aflw2000(folder: Path) -> Dataset:
    """Read every NAME.mat with NAME.jpg of AFLW2000-3D, in name order.

    The landmarks are projected 3D points of the schema ibug68_3d. MATLAB counts pixels from 1; the
    landmarks returned count from 0.

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
    angles = read_table(path, "Pose_Para")  # pitch, yaw and roll in radians, and other values
    yaw = None if angles is None or angles.size < 2 else math.degrees(float(angles.flat[1]))
    return LabelledFace(
        path.stem,
        path.stem,
        ImageBesideLabel(path),
        as_points(xyz[:2].T - 1),
        IBUG68_3D,
        depth=as_points(xyz[2]),
        yaw_deg=yaw,
    )
