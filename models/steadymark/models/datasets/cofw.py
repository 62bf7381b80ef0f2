"""Reader of COFW: images, 29 landmarks and their occlusion flags in one MATLAB 7.3 file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.datasets.labelled_face import (
    Dataset,
    LabelEntry,
    LabelledFace,
    as_points,
    collect,
)
from steadymark.models.datasets.matlab_hdf5 import open_hdf5, table_of
from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image

_POINTS = 29


@dataclass(frozen=True, slots=True)
class _CellImage:
    """Loader of one image, grey or colour, of the file's cell array."""

    path: Path
    cells: str
    number: int

    def __call__(self) -> Image:
        with open_hdf5(self.path) as file:
            cell = table_of(file, table_of(file, self.cells).ravel()[self.number])
        if cell.dtype != np.uint8 or cell.ndim not in (2, 3) or min(cell.shape) < 1:
            raise DataError(
                f"{self.path}, picture {self.number + 1}, is no readable picture"
                f" ({cell.dtype} of {cell.shape})"
            )
        # MATLAB's (H, W, 3) RGB is stored as (3, W, H)
        planes = cell[None] if cell.ndim == 2 else cell
        image = planes.transpose(2, 1, 0)[..., ::-1]
        return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))


def read_cofw(path: Path) -> Dataset:
    """Read COFW_train_color.mat or COFW_test_color.mat.

    MATLAB counts pixels from 1; the landmarks returned count from 0.

    Args:
        path: The .mat file.

    Returns:
        The faces with 29 landmarks (schema cofw29), visibility and box, and the defects.

    Raises:
        DataError: The file is not a COFW file, or h5py is missing.
    """
    with open_hdf5(path) as file:
        names = set(map(str, file))
        split = next((p for p in ("Tr", "T") if {f"phis{p}", f"Is{p}"} <= names), None)
        if split is None:
            found = ", ".join(sorted(names)) or "nothing"
            raise DataError(
                f"{path} holds no phisTr and IsTr (or phisT and IsT), but {found}: name COFW's"
                " COFW_train_color.mat or COFW_test_color.mat"
            )
        rows = table_of(file, f"phis{split}").astype(np.float64).T  # (N, 87)
        boxes = None
        if f"bboxes{split}" in names:
            boxes = table_of(file, f"bboxes{split}").astype(np.float64).T
        image_count = table_of(file, f"Is{split}").size
    if rows.ndim != 2 or rows.shape[1] != 3 * _POINTS:
        raise DataError(f"{path}: phis{split} has rows of {rows.shape[1:]}, COFW's are of 87")
    if len(rows) != image_count or (boxes is not None and boxes.shape != (image_count, 4)):
        raise DataError(
            f"{path} holds {len(rows)} labels for {image_count} pictures: copy it again"
        )

    def read(i: int) -> LabelledFace:
        name = f"{path.stem}_{i + 1:04d}"
        return LabelledFace(
            name,
            name,
            _CellImage(path, f"Is{split}", i),
            as_points(rows[i, : 2 * _POINTS].reshape(2, _POINTS).T - 1),
            "cofw29",
            visible=rows[i, 2 * _POINTS :] == 0,
            box=None if boxes is None else _box(boxes[i]),
        )

    return collect(
        LabelEntry(f"{path}, picture {i + 1},", partial(read, i)) for i in range(len(rows))
    )


def _box(row: NDArray[np.float64]) -> NDArray[np.float32]:
    """Convert MATLAB's left, top, width, height to left, top, right, bottom counted from 0."""
    left, top, width, height = row
    return np.array([left - 1, top - 1, left - 1 + width, top - 1 + height], np.float32)
