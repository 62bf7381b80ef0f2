"""Recall, false detections and speed of face detectors: `steadymark bench detector`."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.bench.hard_face_set import (
    EXACT,
    HARD,
    TURNED_ALL,
    Missed,
    RollFigures,
    all_rolls,
    hard_images,
    missed,
    turned_images,
)
from steadymark.engine.core.types import FaceBox
from steadymark.models.datasets.photo_splits import photos
from steadymark.models.face.landmark_boxes import CROWDS_TO_EXTENT, widen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.core.protocols import FaceDetector

    Truth = dict[str, NDArray[np.float32]]
    Found = Mapping[str, tuple[FaceBox, ...]]

LEAST_PX = 20.0


@dataclass(frozen=True, slots=True)
class Recall:
    """Recall of a detector over faces of at least 20 px.

    Attributes:
        faces: Number of faces.
        hits: Number of faces that were found.
        iou: Mean IoU of the faces that were found.
    """

    faces: int
    hits: int
    iou: float

    @property
    def percent(self) -> float:
        """Recall in percent."""
        return 100 * self.hits / max(1, self.faces)

    def __str__(self) -> str:
        return f"{self.percent:.2f} % ({self.hits} of {self.faces}), IoU {self.iou:.3f}"


def is_hit(box: FaceBox, true: FaceBox) -> bool:
    """Return whether a detected box matches a true face box.

    It matches when the IoU is at least 0.4, or when the centres are no further apart than a quarter
    of the true box's longer side.

    Args:
        box: The detected box.
        true: The true box.

    Returns:
        Whether they match.
    """
    away = np.hypot(
        box.left + box.width / 2 - true.left - true.width / 2,
        box.top + box.height / 2 - true.top - true.height / 2,
    )
    return box.iou(true) >= 0.4 or bool(away <= 0.25 * max(true.width, true.height))


def detect_all(detector: FaceDetector, folder: Path, names: Iterable[str]) -> Found:
    """Detect the faces of every photo.

    Args:
        detector: Face detector to run.
        folder: Folder of the photos.
        names: File names of the photos; files that cannot be read are left out.

    Returns:
        The detected boxes by file name.
    """
    found: dict[str, tuple[FaceBox, ...]] = {}
    for name in names:
        image = cv2.imread(str(folder / name))
        if image is not None:
            found[name] = detector.detect(image.astype(np.uint8, copy=False))
    return found


def recall(found: Found, truth: Truth) -> Recall:
    """Compute the recall of detected boxes against true boxes.

    Each detected box matches at most one face. Boxes are matched in the detector's order.

    Args:
        found: Detected boxes by file name.
        truth: True boxes by file name, (N, 4): left, top, right and bottom in pixels.

    Returns:
        The recall over faces of at least 20 px.
    """
    faces, ious = 0, []
    for name, boxes in truth.items():
        unmatched = [FaceBox(x, y, r - x, b - y) for x, y, r, b in boxes.tolist()]
        large = [true for true in unmatched if max(true.width, true.height) >= LEAST_PX]
        faces += len(large)
        for box in found[name]:
            hits = [true for true in unmatched if is_hit(box, true)]
            if not hits:
                continue
            best = max(hits, key=box.iou)
            unmatched.remove(best)
            if max(best.width, best.height) >= LEAST_PX:
                ious.append(box.iou(best))
    return Recall(faces, len(ious), float(np.mean(ious)) if ious else 0.0)


def false_per_100(found: Found) -> float:
    """Return the number of false detections per 100 photos without faces."""
    return 100 * sum(len(boxes) for boxes in found.values()) / max(1, len(found))


def threshold_for(make: Callable[[float], FaceDetector], data: Path, most: float) -> float:
    """Choose a detector's score threshold on held-back photos without faces, by bisection.

    Args:
        make: Opens the detector with a given threshold.
        data: The data folder.
        most: Largest allowed number of false detections per 100 photos.

    Returns:
        The lowest threshold, to within 0.005, that keeps the false detections within the limit.
    """
    names = photos(data, "none", held_back=True)
    low, high = 0.1, 0.99
    while high - low > 0.005:
        middle = (low + high) / 2
        false = false_per_100(detect_all(make(middle), data / "faces" / "none", names))
        low, high = (low, middle) if false <= most else (middle, high)
    return high


def frame_ms(detector: FaceDetector, *, runs: int = 100) -> tuple[float, float]:
    """Measure the time that a detector needs for a 640x480 frame of noise.

    Args:
        detector: Face detector to run.
        runs: Number of measurements.

    Returns:
        The least and the median time, in milliseconds.
    """
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        detector.detect(image)
        took.append(1e3 * (time.perf_counter() - start))
    return min(took), float(np.median(took))


@dataclass(frozen=True, slots=True)
class DetectorFigures:
    """Benchmark results of one detector.

    Attributes:
        threshold: Score threshold; NaN means the detector's own.
        false_per_100: False detections per 100 photos without faces.
        crowds: Recall on held-back photos of crowds.
        train: Recall on held-back photos of 300W's training part.
        hard: Missed faces by kind of hard image; see `hard_face_set`.
        rolls: Results on faces rotated to every angle.
        frame_ms: Median time for a 640x480 frame on one thread, in milliseconds.
    """

    threshold: float
    false_per_100: float
    crowds: Recall
    train: Recall
    hard: dict[str, Missed]
    rolls: RollFigures
    frame_ms: float

    @property
    def hard_set(self) -> Missed:
        """Missed faces of the whole hard set."""
        parts = [self.hard[kind] for kind in HARD if kind in self.hard]
        names = [
            f"{kind}/{name}"
            for kind in HARD
            if kind in self.hard
            for name in self.hard[kind].missed
        ]
        return Missed(sum(part.faces for part in parts), tuple(names))


def measure(
    detector: FaceDetector,
    data: Path,
    *,
    threshold: float = math.nan,
    reported: bool = False,
    on_part: Callable[[str], None] = lambda _: None,
) -> DetectorFigures:
    """Measure a detector on all images that are held back from training.

    Args:
        detector: Detector with the threshold and settings that the product uses.
        data: The data folder; see its README.
        threshold: The detector's threshold, to be included in the result.
        reported: Whether to include the AFLW2000 faces that may be reported but not tuned on.
        on_part: Called with the name of each part when it begins.

    Returns:
        All benchmark results.

    Raises:
        DataError: A folder is missing or unsuitable.
        UsageError: An image cannot be read.
    """
    faces = data / "faces"
    on_part("photos without faces")
    none = detect_all(detector, faces / "none", photos(data, "none", held_back=True))
    on_part("crowds")
    crowds = photos(data, "crowds", held_back=True)
    crowds = {file: widen(boxes, CROWDS_TO_EXTENT) for file, boxes in crowds.items()}
    small = recall(detect_all(detector, faces / "crowds", crowds), crowds)
    train = photos(data, "train", held_back=True)
    large = recall(detect_all(detector, faces / "train", train), train)
    on_part("hard faces")
    hard = missed(detector, hard_images(data), is_hit)
    for kind in (TURNED_ALL, EXACT) if reported else ():
        hard |= missed(detector, turned_images(data, kind), is_hit)
    on_part("all rolls")
    rolls = all_rolls(detector, data, is_hit)
    return DetectorFigures(
        threshold, false_per_100(none), small, large, hard, rolls, frame_ms(detector)[1]
    )
