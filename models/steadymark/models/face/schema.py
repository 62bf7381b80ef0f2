"""Landmark schemas: which landmarks there are, how they mirror, and their facial regions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


IBUG68 = "ibug68"
IBUG68_3D = "ibug68_3d"  # the same landmarks as 3D points: the jaw of a turned face is hidden
IBUG_ORDER = (IBUG68, IBUG68_3D)  # schemas of 68 landmarks in iBUG's order
USUAL_SCHEMAS = {  # number of landmarks → schema that most data sets with that number use
    68: IBUG68,
    84: "menpo84",
    106: "jd106",
    98: "wflw98",
    29: "cofw29",
    19: "aflw19",
}
SCHEMA_OF_UNNAMED = IBUG68  # the schema of landmark models and tables that do not name theirs


@cache
def assets_root() -> Path:
    """Return the assets folder of the installed package, or else that of the checkout."""
    this_file = Path(__file__).resolve()
    packaged = this_file.parents[2] / "assets"
    return packaged if packaged.is_dir() else this_file.parents[4] / "assets"


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkSchema:
    """The definition of a set of K landmarks.

    Attributes:
        name: Name of the schema, for example `ibug68`.
        mirror: (K,) int, the index that each landmark has in the mirrored image.
        regions: The landmark indices of each region, by the region's name.
        contours: Polylines to draw, as landmark indices and whether the line is closed.
        eyes: Outer eye corners (the person's right, left). Their distance normalises errors.
        known_shape: (K, 2) value of `mean_shape`, or None if it was not measured.
        error_length: Length by which the errors of a training's validation are divided: `eyes` is
            the distance between `eyes`, `box` is √(width · height) of the landmarks' box, which
            no head pose makes vanish.

    Raises:
        ValueError: The parts do not fit together, for example an index is not below K.
    """

    name: str
    mirror: NDArray[np.int64]
    regions: dict[str, tuple[int, ...]]
    contours: tuple[tuple[tuple[int, ...], bool], ...]
    eyes: tuple[int, int]
    known_shape: NDArray[np.float32] | None
    error_length: Literal["eyes", "box"] = "eyes"

    def __post_init__(self) -> None:
        count = len(self.mirror)
        if self.known_shape is not None and self.known_shape.shape != (count, 2):
            raise ValueError(f"mean_shape is {self.known_shape.shape}, mirror {count}")
        if not np.array_equal(self.mirror[self.mirror], np.arange(count)):
            raise ValueError(f"mirror of {self.name} does not lead back when applied twice")
        drawn = (points for points, _ in self.contours)
        used = {i for part in (*self.regions.values(), *drawn, self.eyes) for i in part}
        if not used <= set(range(count)):
            raise ValueError(f"{self.name} has {count} points, but names {sorted(used)[-1]}")

    @property
    def count(self) -> int:
        """Number of landmarks, K."""
        return len(self.mirror)

    def mirrored(self, xy: NDArray[np.floating], width: int) -> NDArray[np.float64]:
        """Mirror landmarks together with their image.

        Args:
            xy: (..., K, 2) landmarks, pixels.
            width: Width of the image, pixels.

        Returns:
            (..., K, 2) landmarks of the mirrored image, in the schema's order.
        """
        mirrored_xy = xy[..., self.mirror, :].astype(np.float64)
        mirrored_xy[..., 0] = width - 1 - mirrored_xy[..., 0]
        return mirrored_xy

    def length_px(self, xy: NDArray[np.floating]) -> float:
        """Return the length by which the errors of a face are divided, see `error_length`.

        Args:
            xy: (K, 2) true landmarks, pixels.
        """
        if self.error_length == "box":
            return float(np.sqrt(np.ptp(xy.astype(np.float64), axis=0).prod()))
        right, left = self.eyes
        return float(np.linalg.norm(xy[right] - xy[left]))

    def part_of(self, landmark: int) -> tuple[int, ...]:
        """Return the landmarks that belong to the same part of the face as a landmark.

        A part is a region, or the half of it on one side where no landmark of the region is in the
        middle of the face: one eye, or one brow.

        Args:
            landmark: Index of a landmark.

        Returns:
            Indices of landmarks; only the landmark itself if it is in no region.
        """
        region = next((part for part in self.regions.values() if landmark in part), (landmark,))
        if self.known_shape is None or any(self.mirror[i] == i for i in region):
            return region
        side = self.known_shape[:, 0] > 0
        return tuple(i for i in region if side[i] == side[landmark])

    @property
    def mean_shape(self) -> NDArray[np.float32]:
        """The mean shape: (K, 2) float32, upright, centred on 0, its longer side has length 1.

        Raises:
            ValueError: The mean shape of this schema is not known.
        """
        if self.known_shape is None:
            raise ValueError(
                f"no mean shape of {self.name} is known: map the points to ibug68 (map_points)"
            )
        return self.known_shape


@cache
def load_schema(name: str) -> LandmarkSchema:
    """Load a landmark schema from assets/schemas/`name`.json.

    Args:
        name: One of `schema_names()`.

    Returns:
        The schema.

    Raises:
        ValueError: There is no schema of that name.
    """
    path = assets_root() / "schemas" / f"{name}.json"
    if name not in schema_names():  # this also refuses paths
        raise ValueError(f"unknown landmark schema '{name}' (known: {', '.join(schema_names())})")
    data = json.loads(path.read_text(encoding="utf-8"))
    shape = data.get("mean_shape")
    return LandmarkSchema(
        name=data["name"],
        mirror=np.array(data["mirror"], np.int64),
        regions={name: tuple(indices) for name, indices in data["regions"].items()},
        contours=tuple((tuple(line["points"]), line["closed"]) for line in data["contours"]),
        eyes=tuple(data["eyes"]),
        known_shape=None if shape is None else np.array(shape, np.float32),
        error_length=data.get("error_length", "eyes"),
    )


def nameless_schema(count: int) -> LandmarkSchema:
    """Return a schema of which only the number of landmarks is known.

    Args:
        count: Number of landmarks, K.

    Returns:
        A schema without a name, regions, contours and a mean shape.
    """
    return LandmarkSchema("", np.arange(count), {}, (), (0, 0), None)


def schema_names() -> tuple[str, ...]:
    """Return the names of all schemas in assets/schemas, sorted."""
    return tuple(sorted(path.stem for path in (assets_root() / "schemas").glob("*.json")))


def trackable_schemas() -> tuple[str, ...]:
    """Return the names of the schemas whose mean shape is known, sorted; crops are made with it."""
    return tuple(name for name in schema_names() if load_schema(name).known_shape is not None)
