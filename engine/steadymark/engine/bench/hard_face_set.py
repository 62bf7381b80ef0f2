"""Hard test set for face detectors.

It holds faces that are held back from all training, and harder versions of them.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import FaceBox
from steadymark.engine.tracking.geometry import box_of_landmarks
from steadymark.models.datasets.hard_faces import exact_faces, hard_photos, turned_faces
from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back, photo_of, read_boxes
from steadymark.models.face.pts_file import read_pts
from steadymark.models.synthesis.hard_variants import VERSIONS, hard_version, roll_of, rolled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.engine.core.protocols import FaceDetector
    from steadymark.models.face.crop import Image, Points

AFW, TURNED, TURNED_ALL, EXACT = (
    "AFW's hardest",
    "aflw2000, held back",
    "aflw2000, all",
    "aflw2000, exact",
)
HARD = (AFW, TURNED, *VERSIONS)  # Kinds of images in the hard set.
_ROLLS = range(0, 360, 30)


class HardImage(NamedTuple):
    """An image with the box of the face that the detector must find.

    Attributes:
        kind: Kind of image, one of `HARD`, TURNED_ALL or EXACT.
        name: Name of the image.
        image: The image, (H, W, 3) uint8 BGR.
        box: Box of the face.
        points: Landmarks, (68, 2), in pixels; None when they are known only in a crop of the photo.
    """

    kind: str
    name: str
    image: Image
    box: FaceBox
    points: Points | None


@dataclass(frozen=True, slots=True)
class Missed:
    """The faces of one kind of image that a detector did not find.

    Attributes:
        faces: Number of faces.
        missed: Names of the images whose face was not found.
    """

    faces: int
    missed: tuple[str, ...]

    @property
    def percent(self) -> float:
        """Share of missed faces, in percent."""
        return 100 * len(self.missed) / max(1, self.faces)


@dataclass(frozen=True, slots=True)
class RollFigures:
    """Detection results on faces rotated to every angle.

    Attributes:
        faces: Number of rotated faces.
        found: Number of faces that were found.
        within_10: Number of faces whose roll was found to within 10 degrees.
        median_deg: Median roll error, in degrees.
    """

    faces: int
    found: int
    within_10: int
    median_deg: float


def hard_images(data: Path) -> Iterator[HardImage]:
    """Yield the hard set: hard AFW faces, turned AFLW2000 faces, versions of held-back photos.

    Args:
        data: The data folder.

    Yields:
        Images with the face to be found.

    Raises:
        DataError: The table of AFLW2000 has another form.
        UsageError: An image cannot be read.
    """
    folder = data / "faces" / "train"
    hard = hard_photos(data)
    for name, boxes in read_boxes(folder).items():
        if photo_of(name.rsplit(".", 1)[0]) in hard:
            image = _read(folder / name)
            for left, top, right, bottom in boxes.tolist():
                box = FaceBox(left, top, right - left, bottom - top)
                yield HardImage(AFW, name, image, box, None)
    yield from turned_images(data, TURNED)
    for path, image, points in _versioned(data):
        for kind in VERSIONS:
            seed = zlib.crc32(f"{kind}/{path.stem}".encode())
            yield _hard_image(kind, path.stem, *hard_version(kind, image, points, seed))


def turned_images(data: Path, kind: str) -> Iterator[HardImage]:
    """Yield the turned faces of AFLW2000.

    Args:
        data: The data folder.
        kind: TURNED for the held-back faces; EXACT or TURNED_ALL only for reports.

    Yields:
        Images with the face to be found.

    Raises:
        DataError: The table of AFLW2000 has another form.
        UsageError: An image cannot be read.
    """
    held, exact = turned_faces(data, held_back=True), exact_faces(data)
    chosen = {TURNED: held, EXACT: exact}.get(
        kind, {**held, **exact, **turned_faces(data, held_back=False)}
    )
    folder = data / "aflw2000"
    for stem in sorted(chosen):
        yield _hard_image(
            kind, stem, _read(folder / f"{stem}.jpg"), read_pts(folder / f"{stem}.pts")
        )


def _versioned(data: Path) -> Iterator[tuple[Path, Image, Points]]:
    """Yield the photos of 300w/train that are held back by the random split or as hard photos."""
    hard = hard_photos(data)
    for path in sorted((data / "300w" / "train").glob("*.pts")):
        photo = photo_of(path.stem)
        if photo in hard or is_held_back(photo, HELD_BACK["train"]):
            yield path, _read(path.with_suffix(".jpg")), read_pts(path)


def _hard_image(kind: str, name: str, image: Image, points: Points) -> HardImage:
    return HardImage(kind, name, image, box_of_landmarks(points, score=1.0), points)


def _read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise UsageError("{path} cannot be read: the data are not complete", path=path)
    return image.astype(np.uint8, copy=False)


def folder_of_kind(kind: str) -> str:
    """Return the name of the folder that `write_hard_set` writes a kind of images to."""
    return re.sub(r"[^a-z0-9]+", "_", kind.lower())


def write_hard_set(data: Path, out: Path) -> dict[str, int]:
    """Write the hard set as folders in 300W form, one per kind, for `steadymark evaluate --data`.

    AFW's hardest faces are written as the crops of 300w/train, because their landmarks are known
    only there. Landmarks that a turned head hides lie on the head's outline.

    Args:
        data: The data folder.
        out: Folder to write to.

    Returns:
        The number of faces in each folder, by the folder's name.

    Raises:
        UsageError: An image cannot be read.
    """
    hard = hard_photos(data)
    crops = (
        _hard_image(AFW, path.stem, image, points)
        for path, image, points in _versioned(data)
        if photo_of(path.stem) in hard
    )
    counts: dict[str, int] = {}
    for hard_image in (*crops, *hard_images(data)):
        if hard_image.points is None:
            continue
        folder = folder_of_kind(hard_image.kind)
        (out / folder).mkdir(parents=True, exist_ok=True)
        stem = out / folder / hard_image.name
        cv2.imwrite(f"{stem}.png", hard_image.image)
        rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in (hard_image.points + 1).tolist())
        text = f"version: 1\nn_points: {len(hard_image.points)}\n{{\n{rows}\n}}\n"
        Path(f"{stem}.pts").write_text(text, encoding="utf-8")
        counts[folder] = counts.get(folder, 0) + 1
    return counts


def missed(
    detector: FaceDetector,
    images: Iterator[HardImage],
    is_hit: Callable[[FaceBox, FaceBox], bool],
) -> dict[str, Missed]:
    """Return the faces that a detector misses, by kind of image.

    Args:
        detector: Face detector to run.
        images: Images with the face to be found.
        is_hit: Tells whether a detected box matches the true box.

    Returns:
        Missed faces by kind.
    """
    faces: dict[str, int] = {}
    names: dict[str, list[str]] = {}
    for hard_image in images:
        faces[hard_image.kind] = faces.get(hard_image.kind, 0) + 1
        missed_names = names.setdefault(hard_image.kind, [])
        if not any(is_hit(box, hard_image.box) for box in detector.detect(hard_image.image)):
            missed_names.append(hard_image.name)
    return {kind: Missed(count, tuple(names[kind])) for kind, count in faces.items()}


def all_rolls(
    detector: FaceDetector, data: Path, is_hit: Callable[[FaceBox, FaceBox], bool]
) -> RollFigures:
    """Run a detector on held-back photos, each rotated by 0, 30, … 330 degrees.

    Args:
        detector: Face detector to run.
        data: The data folder.
        is_hit: Tells whether a detected box matches the true box.

    Returns:
        How many faces were found and how exact their roll is.
    """
    faces, errors = 0, []
    for _, image, points in _versioned(data):
        for turn in _ROLLS:
            turned, moved = rolled(image, points, turn)
            true = box_of_landmarks(moved, score=1.0)
            faces += 1
            hits = [box for box in detector.detect(turned) if is_hit(box, true)]
            if hits:
                away = hits[0].roll_deg - roll_of(moved)
                errors.append(abs((away + 180) % 360 - 180))
    within = sum(error <= 10 for error in errors)
    return RollFigures(
        faces, len(errors), within, float(np.median(errors)) if errors else float("nan")
    )
