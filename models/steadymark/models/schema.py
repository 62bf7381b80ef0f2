"""Landmark schemas: which points there are, how they mirror, what region each belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def assets_root() -> Path:
    """The packaged assets, else the checkout's."""
    here = Path(__file__).resolve()
    packaged = here.parents[1] / "assets"
    return packaged if packaged.is_dir() else here.parents[3] / "assets"


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkSchema:
    """A numbering of K landmarks.

    mirror: (K,) int, the index each landmark takes in the mirrored picture. regions: name →
    indices. contours: polylines to draw, each closed or open. eyes: outer corners (right, left of
    the person), whose distance normalises errors. mean_shape: (K, 2) float32, upright, centred
    on 0, the longer side of its extent 1.
    """

    name: str
    mirror: NDArray[np.int64]
    regions: dict[str, tuple[int, ...]]
    contours: tuple[tuple[tuple[int, ...], bool], ...]
    eyes: tuple[int, int]
    mean_shape: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.mean_shape.shape != (len(self.mirror), 2):
            raise ValueError(f"mean_shape is {self.mean_shape.shape}, mirror {len(self.mirror)}")

    @property
    def count(self) -> int:
        """K."""
        return len(self.mirror)


@cache
def load_schema(name: str = "ibug68") -> LandmarkSchema:
    """Read assets/schemas/`name`.json.

    Raises:
        ValueError: there is no schema of that name.
    """
    path = assets_root() / "schemas" / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.json")))
        raise ValueError(f"unknown landmark schema '{name}' (known: {known})")
    data = json.loads(path.read_text(encoding="utf-8"))
    return LandmarkSchema(
        name=data["name"],
        mirror=np.array(data["mirror"], np.int64),
        regions={k: tuple(range(a, b)) for k, (a, b) in data["regions"].items()},
        contours=tuple((tuple(range(a, b)), closed) for a, b, closed in data["contours"]),
        eyes=tuple(data["eyes"]),
        mean_shape=np.array(data["mean_shape"], np.float32),
    )
