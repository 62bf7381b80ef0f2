"""Labelled faces of any data set, and the defects of labels that were left out."""

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

MAX_OUTSIDE = 0.5  # face sizes; a landmark further outside its image is an error
THREADS = 4  # threads that decode images


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFace:
    """A face and its landmarks.

    Attributes:
        name: Unique name within the data set.
        source_photo: The same for all faces of one photo or video, which must stay on one side of a
            split.
        load_image: Loads the image, (H, W, 3) uint8 BGR.
        points: (K, 2) float32 in pixels, where (0, 0) is the centre of the first pixel; NaN for a
            missing landmark.
        schema: Name of the landmark schema.
        visible: (K,) bool.
        depth: (K,) float32 in pixels, from an arbitrary zero.
        box: (4,) float32 left, top, right, bottom, as the data set gives it.
        attributes: Properties of the face that the data set lists, such as "blur".
        sequence: Name of the face's track in a video.
        frame: Number of the frame in the video, from 0.
        yaw_deg: Yaw of the head in degrees, with the data set's sign.
    """

    name: str
    source_photo: str
    load_image: Callable[[], Image]
    points: Points
    schema: str
    visible: NDArray[np.bool_] | None = None
    depth: NDArray[np.float32] | None = None
    box: NDArray[np.float32] | None = None
    attributes: tuple[str, ...] = ()
    sequence: str | None = None
    frame: int | None = None
    yaw_deg: float | None = None

    def __post_init__(self) -> None:
        count = load_schema(self.schema).count
        if self.points.shape != (count, 2):
            raise ValueError(f"has {len(self.points)} points, {count} are expected")
        for values in (self.visible, self.depth):
            if values is not None and values.shape != (count,):
                raise ValueError(f"has {len(self.points)} points, but other facts of {len(values)}")

    def mapped(self, schema: str, *, exact: bool = False) -> LabelledFace:
        """Return the same face in another schema, see `map_points`."""
        indices = matching_landmarks(self.schema, schema, exact=exact)
        exists = indices >= 0
        return replace(
            self,
            schema=schema,
            points=map_points(self.points, self.schema, schema, exact=exact),
            visible=None if self.visible is None else self.visible[indices] & exists,
            depth=None
            if self.depth is None
            else np.where(exists, self.depth[indices], np.nan).astype(np.float32),
        )


@dataclass(frozen=True, slots=True)
class Defect:
    """Reason why a label was left out.

    Attributes:
        file: The file, or its line.
        what: The reason, which begins with a verb and continues a sentence after `file`.
    """

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file} {self.what}"


class Dataset(NamedTuple):
    """Faces in the order of the data set, and the defects of what was left out."""

    faces: tuple[LabelledFace, ...]
    defects: tuple[Defect, ...]


class LabelEntry(NamedTuple):
    """One label to read.

    Attributes:
        file: The file, or its line, for messages.
        read: Reads the face; it raises ValueError or LandmarkFileError with the reason if it
            cannot.
    """

    file: str
    read: Callable[[], LabelledFace]


def collect(entries: Iterable[LabelEntry], *, keep_images: bool = False) -> Dataset:
    """Read labels and their images; bad ones become defects.

    Every image is decoded once as a check.

    Args:
        entries: The labels to read.
        keep_images: Keep the decoded images in memory.
    """
    entries = list(entries)
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(lambda entry: _read(entry, keep_image=keep_images), entries))
    duplicates = _find_duplicates(entries, results)
    with_duplicates = [duplicates.get(i, result) for i, result in enumerate(results)]
    return separate_defects(with_duplicates)


def separate_defects(results: Iterable[LabelledFace | Defect]) -> Dataset:
    """Separate faces and defects."""
    results = list(results)
    return Dataset(
        tuple(r for r in results if isinstance(r, LabelledFace)),
        tuple(r for r in results if isinstance(r, Defect)),
    )


def read_entry(entry: LabelEntry) -> LabelledFace | Defect:
    """Read the face of an entry, or return what is wrong with it."""
    try:
        return entry.read()
    except LandmarkFileError as error:
        reason = str(error).removeprefix(entry.file).lstrip(":, ")
        return Defect(entry.file, f"cannot be read: {reason}")
    except ValueError as error:
        return Defect(entry.file, str(error).removeprefix(entry.file).lstrip())


def as_points(xy: NDArray[np.floating]) -> Points:
    """Convert points (K, 2) to float32.

    Values that are too large become infinite; `check_points` reports them later.
    """
    with np.errstate(over="ignore"):
        return xy.astype(np.float32)


def check_points(points: Points, width: int, height: int) -> None:
    """Check that landmarks are plausible.

    Args:
        points: (K, 2) in pixels.
        width: Width of the image.
        height: Height of the image.

    Raises:
        ValueError: Some are not finite, all are in one place, or some lie far outside the image.
    """
    if not np.isfinite(points).all():
        raise ValueError(f"has {np.sum(~np.isfinite(points).all(1))} points that are no numbers")
    # percentiles, because one stray point would inflate the full extent
    low, high = np.percentile(points, (10, 90), axis=0)
    size = float((high - low).max())
    if size == 0:
        raise ValueError("has all its points in one place")
    outside = np.maximum(-0.5 - points, points - (width - 0.5, height - 0.5)).max()
    if outside > MAX_OUTSIDE * size:
        raise ValueError(f"has points up to {outside:.0f} px outside its {width}x{height} picture")


def _read(entry: LabelEntry, *, keep_image: bool) -> LabelledFace | Defect:
    def checked() -> LabelledFace:
        face = entry.read()
        image = face.load_image()
        check_points(face.points, image.shape[1], image.shape[0])
        return replace(face, load_image=ImageInMemory(image)) if keep_image else face

    return read_entry(LabelEntry(entry.file, checked))


def _find_duplicates(
    entries: list[LabelEntry], found: list[LabelledFace | Defect]
) -> dict[int, Defect]:
    """Return a defect, by index, for each face whose landmarks and image occurred before."""
    first: dict[tuple[str, bytes], list[tuple[str, LabelledFace]]] = defaultdict(list)
    duplicates = {}
    for i, (entry, face) in enumerate(zip(entries, found, strict=True)):
        if isinstance(face, Defect):
            continue
        same_points = first[face.schema, face.points.tobytes()]
        for file, earlier in same_points:
            if np.array_equal(earlier.load_image(), face.load_image()):
                duplicates[i] = Defect(entry.file, f"is the same as {file}")
                break
        else:
            same_points.append((entry.file, face))
    return duplicates
