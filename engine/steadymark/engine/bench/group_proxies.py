"""How models treat groups of people, measured on pictures without landmarks by a proxy.

The pictures of UTKFace state age, sex and a group of the person, but have no landmarks. The proxy
is whether the face is found, how sure the landmark model is of it, and how far the landmarks of the
mirrored picture lie from the mirrored landmarks. A difference between groups is a reason to look
closer. It is no measure of accuracy: a model may be wrong in the same way in both pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.bench.landmark_benchmark import LEAST_FACES
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.accuracy import mean_of_finite, point_errors
from steadymark.engine.metrics.accuracy_scores import eye_length
from steadymark.engine.tracking.face_pass import TrackerConfig, align_faces
from steadymark.models.datasets.utkface_names import read_people

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.core.types import FaceBox
    from steadymark.engine.tracking.face_pass import FaceOutput
    from steadymark.engine.tracking.settings import OpenModels
    from steadymark.models.datasets.utkface_names import Person
    from steadymark.models.face.crop import Image

PICTURES_PER_CELL = 12  # Of each combination of age, sex and group.
_BORDER = 0.35  # Black border, as a share of the picture's side: UTKFace cuts close to the face.


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The proxy for one group of people.

    Attributes:
        group: Name of the group, such as `age 0 to 12`.
        faces: Number of pictures.
        found_percent: Share of pictures in which detector and landmark model find the face, in %.
        face_score: Mean face score of the landmark model where the detector finds a face, in
            [0, 1].
        mirror_percent: Mean distance between the landmarks of the mirrored picture and the mirrored
            landmarks, in % of the outer-eye distance.
    """

    group: str
    faces: int
    found_percent: float
    face_score: float
    mirror_percent: float


def measure_groups(
    models: Mapping[str, OpenModels],
    data: Path,
    *,
    per_cell: int = PICTURES_PER_CELL,
    on_face: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, tuple[GroupRow, ...]]:
    """Measure the proxy for each group of people, for several landmark models at once.

    Args:
        models: Opened landmark models by name. The detector is that of the first one.
        data: The data folder.
        per_cell: Number of pictures of each combination of age, sex and group.
        on_face: Called with the number of pictures done and their total number.

    Returns:
        A row for each group by the name of the model; no rows without faces/unlabelled.

    Raises:
        DataError: sources.csv has another form.
        UsageError: A picture cannot be read.
    """
    folder = data / "faces" / "unlabelled"
    people = _chosen(read_people(folder), per_cell)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for number, person in enumerate(people):
        image = _bordered(folder / person.file)
        box = _central_box(next(iter(models.values())), image)
        for name, each in models.items():
            found[name].append(_proxy(each, image, box))
        on_face(number + 1, len(people))
    return {name: _rows(people, np.array(pairs)) for name, pairs in found.items() if pairs}


def _chosen(people: tuple[Person, ...], per_cell: int) -> list[Person]:
    """Return the first people of each combination of age, sex and group."""
    taken: dict[tuple[str, ...], int] = {}
    chosen = []
    for person in people:
        count = taken[person.labels] = taken.get(person.labels, 0) + 1
        if count <= per_cell:
            chosen.append(person)
    return chosen


def _bordered(path: Path) -> Image:
    """Read a picture and add a black border."""
    image = cv2.imread(str(path))
    if image is None:
        raise UsageError("{path} cannot be read: the data are not complete", path=path)
    border = round(_BORDER * max(image.shape[:2]))
    bordered = np.pad(image, ((border, border), (border, border), (0, 0)))
    return bordered.astype(np.uint8, copy=False)


def _central_box(models: OpenModels, image: Image) -> FaceBox | None:
    """Return the detected box that is closest to the picture's centre."""
    height, width = image.shape[:2]
    return min(
        models.detector.detect(image),
        key=lambda b: np.hypot(b.left + (b.width - width) / 2, b.top + (b.height - height) / 2),
        default=None,
    )


def _proxy(models: OpenModels, image: Image, box: FaceBox | None) -> tuple[float, float]:
    """Return the face score and the mirror distance in %; NaN where there are none."""
    face = None if box is None else _aligned(models, image, box)
    if box is None or face is None:
        return np.nan, np.nan
    width = image.shape[1]
    mirrored_box = replace(box, left=width - 1 - box.left - box.width, roll_deg=-box.roll_deg)
    mirrored = _aligned(models, np.ascontiguousarray(image[:, ::-1]), mirrored_box)
    if mirrored is None:
        return face.score, np.nan
    back = mirrored.raw.xy_px[models.schema.mirror] * (-1, 1) + (width - 1, 0)
    errors = point_errors(back, face.raw.xy_px, eye_length(models.schema))
    return face.score, float(mean_of_finite(errors))


def _aligned(models: OpenModels, image: Image, box: FaceBox) -> FaceOutput | None:
    any_score = replace(TrackerConfig(), find_from=0.0)
    (face,) = align_faces(models.network, image, [box], models.schema, any_score, models.follower)
    return face


def _rows(people: list[Person], pairs: NDArray[np.float64]) -> tuple[GroupRow, ...]:
    groups = dict.fromkeys(label for person in people for label in person.labels)
    order = sorted(groups, key=lambda name: (not name.startswith("age"), "male" not in name))
    rows = []
    for name in ("all", *order):
        inside = [name == "all" or name in person.labels for person in people]
        score, mirror = pairs[inside].T
        if len(score) >= LEAST_FACES:
            sure = np.nan_to_num(score) >= TrackerConfig().find_from
            rows.append(
                GroupRow(
                    name,
                    len(score),
                    round(100 * float(sure.mean()), 2),
                    round(float(mean_of_finite(score)), 4),
                    round(float(mean_of_finite(mirror)), 3),
                )
            )
    return tuple(rows)
