"""The 300W folder in memory: pictures, landmarks, a fixed validation split."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.datasets import read_300w
from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.cropping import Image, Points

VALIDATION_SHARE = 0.06
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """names: N file stems; pictures: N × (H, W, 3) uint8 BGR; points: (N, K, 2) pixels."""

    names: tuple[str, ...]
    pictures: tuple[Image, ...]
    points: Points

    def __len__(self) -> int:
        return len(self.names)

    def subset(self, keep: list[int]) -> Faces:
        """The faces at these positions."""
        return Faces(
            tuple(self.names[i] for i in keep),
            tuple(self.pictures[i] for i in keep),
            self.points[keep],
        )


def load_faces(folder: Path, schema: str = "ibug68") -> Faces:
    """Read a folder of 300W into memory, in name order; what is bad in it is logged and left out.

    Raises:
        DataError: no face is left.
    """
    labelled, defects = read_300w(folder, schema, keep_pictures=True)
    for defect in defects:
        _log.warning("left out: %s", defect)
    if not labelled:
        raise DataError(f"{folder} holds no face that can be read: {defects[0]}")
    return Faces(
        tuple(face.name for face in labelled),
        tuple(face.picture() for face in labelled),
        np.stack([face.points for face in labelled]),
    )


def load_backgrounds(folder: Path) -> tuple[Image, ...]:
    """All pictures of a folder, as BGR."""
    pictures = (cv2.imread(str(f), cv2.IMREAD_COLOR) for f in sorted(folder.glob("*.jpg")))
    return tuple(p.astype(np.uint8, copy=False) for p in pictures if p is not None)


def held_back(name: str, share: float = VALIDATION_SHARE) -> bool:
    """Whether a face belongs to the validation split: by a hash of its source photo.

    AFW's and HELEN's names end in the number of the face in its photo; LFPW's end in the photo's.
    """
    photo = name if name.startswith("lfpw") else name.rsplit("_", 1)[0]
    digest = hashlib.sha256(photo.encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def split(faces: Faces) -> tuple[Faces, Faces]:
    """Train and validation faces."""
    held = [held_back(name) for name in faces.names]
    return (
        faces.subset([i for i, h in enumerate(held) if not h]),
        faces.subset([i for i, h in enumerate(held) if h]),
    )
