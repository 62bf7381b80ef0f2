"""Labelled faces, whatever data set they come from, and what is wrong with those left out."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.models.datasets.image_loaders import ImageInMemory
from steadymark.models.errors import LandmarkFileError
from steadymark.models.face.schema import load_schema
from steadymark.models.face.schema_conversion import map_points, matching_landmarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points

FARTHEST = 0.5  # faces; a point this far outside its picture was not meant to be there
THREADS = 4


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFace:
    """A face and its landmarks.

    name: unique in its data set. source_photo: the same for all faces of one photo or video, which
    have to stay on one side of a split. picture: loads (H, W, 3) uint8 BGR. points: (K, 2) float32,
    pixels of the picture, the centre of the first at (0, 0), NaN where a point is missing.
    visible: (K,) bool. depth: (K,) float32, pixels, from an arbitrary zero. box: (4,) float32 left,
    top, right, bottom as the data set gives it. attributes: what it says of the face. sequence,
    frame: which face of which video, and the frame's number from 0.
    """

    name: str
    source_photo: str
    picture: Callable[[], Image]
    points: Points
    schema: str = "ibug68"
    visible: NDArray[np.bool_] | None = None
    depth: NDArray[np.float32] | None = None
    box: NDArray[np.float32] | None = None
    attributes: tuple[str, ...] = ()
    sequence: str | None = None
    frame: int | None = None

    def __post_init__(self) -> None:
        count = load_schema(self.schema).count
        if self.points.shape != (count, 2):
            raise ValueError(f"has {len(self.points)} points, {count} are expected")
        for values in (self.visible, self.depth):
            if values is not None and values.shape != (count,):
                raise ValueError(f"has {len(self.points)} points, but other facts of {len(values)}")

    def mapped(self, schema: str, *, exact: bool = False) -> LabelledFace:
        """The same face in another schema, see `map_points`."""
        place = matching_landmarks(self.schema, schema, exact=exact)
        there = place >= 0
        return replace(
            self,
            schema=schema,
            points=map_points(self.points, self.schema, schema, exact=exact),
            visible=None if self.visible is None else self.visible[place] & there,
            depth=None
            if self.depth is None
            else np.where(there, self.depth[place], np.nan).astype(np.float32),
        )


@dataclass(frozen=True, slots=True)
class Defect:
    """Why something was left out. file: which file, or line of it; what: begins with a verb."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file} {self.what}"


class Dataset(NamedTuple):
    """What a reader found, in the order of the data set, and what it left out."""

    faces: tuple[LabelledFace, ...]
    defects: tuple[Defect, ...]


class LabelEntry(NamedTuple):
    """One label to read. read: raises ValueError or LandmarkFileError, saying what is wrong."""

    file: str
    read: Callable[[], LabelledFace]


def collect(entries: Iterable[LabelEntry], *, keep_pictures: bool = False) -> Dataset:
    """Read pictures with labels; bad ones become defects.

    Every picture is decoded once, to know that it can be; kept, it is not decoded again.
    """
    entries = list(entries)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda entry: _read(entry, keep=keep_pictures), entries))
    again = _again(entries, found)
    results = [again.get(i, result) for i, result in enumerate(found)]
    return gathered(results)


def gathered(results: Iterable[LabelledFace | Defect]) -> Dataset:
    """Faces and defects apart."""
    results = list(results)
    return Dataset(
        tuple(r for r in results if isinstance(r, LabelledFace)),
        tuple(r for r in results if isinstance(r, Defect)),
    )


def reading(entry: LabelEntry) -> LabelledFace | Defect:
    """The face of an entry, or what is wrong with it."""
    try:
        return entry.read()
    except LandmarkFileError as error:
        fault = str(error).removeprefix(entry.file).lstrip(":, ")
        return Defect(entry.file, f"cannot be read: {fault}")
    except ValueError as error:
        return Defect(entry.file, str(error).removeprefix(entry.file).lstrip())


def as_points(xy: NDArray[np.floating]) -> Points:
    """Points (K, 2) as float32; what is too large for it becomes infinite, a fault found later."""
    with np.errstate(over="ignore"):
        return xy.astype(np.float32)


def check_points(points: Points, width: int, height: int) -> None:
    """Look for points that cannot be meant.

    Raises:
        ValueError: some are no numbers, all are in one place, or some lie far outside the picture.
    """
    if not np.isfinite(points).all():
        raise ValueError(f"has {np.sum(~np.isfinite(points).all(1))} points that are no numbers")
    # not the extent, which a stray point would make as large as its own distance
    low, high = np.percentile(points, (10, 90), axis=0)
    size = float((high - low).max())
    if size == 0:
        raise ValueError("has all its points in one place")
    outside = np.maximum(-0.5 - points, points - (width - 0.5, height - 0.5)).max()
    if outside > FARTHEST * size:
        raise ValueError(f"has points up to {outside:.0f} px outside its {width}x{height} picture")


def _read(entry: LabelEntry, *, keep: bool) -> LabelledFace | Defect:
    def checked() -> LabelledFace:
        face = entry.read()
        picture = face.picture()
        check_points(face.points, picture.shape[1], picture.shape[0])
        return replace(face, picture=ImageInMemory(picture)) if keep else face

    return reading(LabelEntry(entry.file, checked))


def _again(entries: list[LabelEntry], found: list[LabelledFace | Defect]) -> dict[int, Defect]:
    """Place → defect of each face whose points and picture were there before."""
    first: dict[tuple[str, bytes], list[tuple[str, LabelledFace]]] = defaultdict(list)
    again = {}
    for i, (entry, face) in enumerate(zip(entries, found, strict=True)):
        if isinstance(face, Defect):
            continue
        alike = first[face.schema, face.points.tobytes()]
        for file, earlier in alike:
            if np.array_equal(earlier.picture(), face.picture()):
                again[i] = Defect(entry.file, f"is the same as {file}")
                break
        else:
            alike.append((entry.file, face))
    return again
