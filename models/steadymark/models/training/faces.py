"""The 300W folder in memory: pictures, landmarks, a fixed validation split."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.pts_file import read_pts
from steadymark.models.splits import HELD_BACK, is_held_back

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.cropping import Image, Points


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


def load_faces(folder: Path, count: int = 68) -> Faces:
    """Read every NAME.jpg (or .png) with NAME.pts of a folder, in name order.

    Raises:
        ValueError: a .pts without its picture, a wrong number of points, or no face at all.
    """
    files = sorted(folder.glob("*.pts"))
    if not files:
        raise ValueError(f"no .pts files in {folder}")

    def load(path: Path) -> tuple[Image, Points]:
        points = read_pts(path)
        if len(points) != count:
            raise ValueError(f"{path} has {len(points)} points, {count} are expected")
        for suffix in (".jpg", ".png"):
            file = path.with_suffix(suffix)
            if file.is_file():
                picture = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)
                if picture is not None:
                    return picture.astype(np.uint8, copy=False), points
        raise ValueError(f"{path} has no readable picture beside it")

    with ThreadPoolExecutor(4) as pool:
        pairs = list(pool.map(load, files))
    return Faces(
        tuple(f.stem for f in files),
        tuple(p for p, _ in pairs),
        np.stack([q for _, q in pairs]).astype(np.float32),
    )


def load_backgrounds(folder: Path) -> tuple[Image, ...]:
    """All pictures of a folder, as BGR."""
    pictures = (cv2.imread(str(f), cv2.IMREAD_COLOR) for f in sorted(folder.glob("*.jpg")))
    return tuple(p.astype(np.uint8, copy=False) for p in pictures if p is not None)


def split(faces: Faces) -> tuple[Faces, Faces]:
    """Train and validation faces."""
    held = [is_held_back(name, HELD_BACK["train"]) for name in faces.names]
    return (
        faces.subset([i for i, h in enumerate(held) if not h]),
        faces.subset([i for i, h in enumerate(held) if h]),
    )
