"""Accuracy of landmark models on held-back faces, by kind of face, yaw and facial region."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.bench.hard_face_set import (
    EXACT,
    HARD,
    TURNED,
    folder_of_kind,
    write_hard_set,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.accuracy_scores import accuracy_of
from steadymark.engine.metrics.image_evaluation import LabelledImages, compare_faces
from steadymark.models.datasets.hard_faces import exact_faces, turned_faces
from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back, photo_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from steadymark.engine.metrics.accuracy_scores import LandmarkComparison
    from steadymark.engine.tracking.face_pass import TrackerConfig
    from steadymark.engine.tracking.settings import OpenModels

COMMON, TRAIN_HELD_BACK = "300W common", "300W train, held back"
REPORTED = (COMMON, EXACT)  # Sets that are only reported: nothing is ever chosen by them.
TRUTH, DETECTOR = "truth", "detector"  # Where the box of a face comes from.
YAWS = ((0, 30), (30, 60), (60, 90))  # Bounds of the absolute yaw of each group, degrees.
LEAST_FACES = 10  # A group of fewer faces gets no row.
_UNFAIR = (("rolled", TRUTH),)  # A box of landmarks says nothing of the roll; a detector does.


class FaceSet(NamedTuple):
    """Labelled faces to measure on.

    Attributes:
        name: Name of the set.
        folder: Folder in 300W form.
        groups: Parts of the set that get a row of their own: names of faces by the part's name.
        from_train: Whether the photos are those of 300w/train.
    """

    name: str
    folder: Path
    groups: dict[str, frozenset[str]]
    from_train: bool


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """Accuracy of a landmark model on one set of faces.

    Attributes:
        faces_of: Name of the set, or of a part of it.
        boxes: TRUTH if the crops come from the true landmarks, DETECTOR if they come from the face
            detector.
        faces: Number of faces.
        missed: Number of faces that were not found.
        nrmse_percent: Mean error of the found faces, in % of the outer-eye distance.
        fr8_percent: Share of faces with an error of 8 % or more, or not found, in %.
        auc8: Area under the cumulative error curve up to 8 %, in [0, 1].
        regions_nrmse_percent: Mean error by facial region, in % of the outer-eye distance.
    """

    faces_of: str
    boxes: str
    faces: int
    missed: int
    nrmse_percent: float
    fr8_percent: float
    auc8: float
    regions_nrmse_percent: dict[str, float]


def yaw_group(name: str, bounds: tuple[int, int]) -> str:
    """Return the name of the part of a set whose yaw lies within bounds.

    Args:
        name: Name of the set.
        bounds: Least and greatest absolute yaw, degrees.
    """
    return f"{name}, yaw {bounds[0]} to {bounds[1]}"


def prepare_sets(data: Path, out: Path, *, reported: bool) -> tuple[FaceSet, ...]:
    """Write the sets of faces that are held back from training, as folders in 300W form.

    Args:
        data: The data folder.
        out: Folder to write to.
        reported: Whether to include the sets `REPORTED`.

    Returns:
        The sets that the data folder holds.

    Raises:
        UsageError: 300w/train is missing, or an image cannot be read.
        DataError: The table of AFLW2000 has another form.
    """
    train = data / "300w" / "train"
    labels = sorted(train.glob("*.pts"))
    if not labels:
        raise UsageError(f"{train} holds no .pts files: name the data folder of training.md")
    kept = [p for p in labels if is_held_back(photo_of(p.stem), HELD_BACK["train"])]
    folders = {TRAIN_HELD_BACK: _copied(kept, out / "train")}
    write_hard_set(data, out)
    folders |= {kind: out / folder_of_kind(kind) for kind in HARD}
    if reported:
        exact = [data / "aflw2000" / f"{stem}.pts" for stem in sorted(exact_faces(data))]
        folders |= {COMMON: data / "300w" / "common", EXACT: _copied(exact, out / "exact")}
    yaws = turned_faces(data, held_back=True) if folders[TURNED].is_dir() else {}
    by_yaw = {yaw_group(TURNED, bounds): _between(yaws, bounds) for bounds in YAWS}
    return tuple(
        FaceSet(
            name,
            folder,
            by_yaw if name == TURNED else {},
            from_train=name not in (TURNED, *REPORTED),
        )
        for name, folder in folders.items()
        if folder.is_dir()
    )


def _copied(labels: Sequence[Path], folder: Path) -> Path:
    """Copy .pts files with their .jpg images; without any, the folder is not made."""
    for label in labels:
        folder.mkdir(parents=True, exist_ok=True)
        for file in (label, label.with_suffix(".jpg")):
            shutil.copyfile(file, folder / file.name)
    return folder


def _between(yaws: dict[str, float], bounds: tuple[int, int]) -> frozenset[str]:
    low, high = bounds
    return frozenset(
        stem for stem, yaw in yaws.items() if low <= abs(yaw) < high or abs(yaw) == high == 90
    )


def measure_landmarks(
    models: OpenModels,
    sets: Sequence[FaceSet],
    *,
    config: TrackerConfig,
    hard_were_left_out: bool,
    on_set: Callable[[str], None] = lambda _: None,
) -> tuple[AccuracyRow, ...]:
    """Measure a landmark model on each set, from the true boxes and from the detector's.

    Args:
        models: The opened models.
        sets: The sets, see `prepare_sets`.
        config: Settings of the tracker.
        hard_were_left_out: Whether the photos of AFW's hardest faces were left out of the model's
            training. If not, the model is measured only on photos of 300w/train that it has not
            seen.
        on_set: Called with the name of each set when it begins.

    Returns:
        A row for each set and each of its parts, as far as it has at least `LEAST_FACES` faces.

    Raises:
        UsageError: An image is unusable.
    """
    rows: list[AccuracyRow] = []
    for each in sets:
        for boxes in (TRUTH, DETECTOR):
            if (each.name, boxes) in _UNFAIR:
                continue
            on_set(f"{each.name}, boxes: {boxes}")
            compared = compare_faces(
                models.network,
                LabelledImages(each.folder),
                models.schema,
                detector=models.detector if boxes == DETECTOR else None,
                config=config,
                follower=models.follower,
            )
            names = [place.name for place in compared.places]
            if each.from_train and not hard_were_left_out:
                names = [n for n in names if is_held_back(photo_of(n), HELD_BACK["train"])]
            parts = {each.name: frozenset(names), **each.groups}
            rows += [
                accuracy_row(part, boxes, subset_of(compared, chosen))
                for part, chosen in parts.items()
                if len(chosen) >= LEAST_FACES
            ]
    return tuple(rows)


def subset_of(compared: LandmarkComparison, names: Collection[str]) -> LandmarkComparison:
    """Return the faces of a comparison that have one of these names."""
    chosen = [i for i, place in enumerate(compared.places) if place.name in names]
    box_px, yaw = compared.box_px, compared.yaw
    return replace(
        compared,
        places=tuple(compared.places[i] for i in chosen),
        found=compared.found[chosen],
        truth=compared.truth[chosen],
        box_px=None if box_px is None else box_px[chosen],
        yaw=None if yaw is None else yaw._replace(deg=yaw.deg[chosen]),
    )


def accuracy_row(faces_of: str, boxes: str, compared: LandmarkComparison) -> AccuracyRow:
    """Compute the row of a comparison.

    Args:
        faces_of: Name of the set of faces.
        boxes: TRUTH or DETECTOR.
        compared: Predicted and true landmarks of at least one face.
    """
    scores = accuracy_of(compared)
    return AccuracyRow(
        faces_of,
        boxes,
        scores.faces,
        scores.missed,
        round(scores.nrmse, 3),
        round(100 * scores.fr8, 2),
        round(scores.auc8, 4),
        {name: round(value, 3) for name, value in scores.regions.items() if np.isfinite(value)},
    )
