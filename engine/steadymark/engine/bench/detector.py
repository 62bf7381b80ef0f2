"""Score face detectors: `python -m steadymark.engine.bench.detector --data DIR --model ONNX`."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console

from steadymark.engine.bench.detector_roll import roll_error
from steadymark.engine.detecting import DetectorConfig, FaceNetDetector, face_net_runner
from steadymark.engine.detecting_yunet import YuNetDetector
from steadymark.engine.types import FaceBox
from steadymark.models.extents import CROWDS_TO_EXTENT, widen
from steadymark.models.runtime import open_file
from steadymark.models.splits import photos, read_boxes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from steadymark.engine.ports import FaceDetector

    Truth = dict[str, NDArray[np.float32]]
    Found = Mapping[str, tuple[FaceBox, ...]]

LEAST_PX = 20.0


@dataclass(frozen=True, slots=True)
class Recall:
    """hits of the `faces` of at least 20 px. iou: mean of the hits."""

    faces: int
    hits: int
    iou: float

    @property
    def percent(self) -> float:
        """Recall."""
        return 100 * self.hits / max(1, self.faces)

    def __str__(self) -> str:
        return f"{self.percent:.2f} % ({self.hits} of {self.faces}), IoU {self.iou:.3f}"


def is_hit(box: FaceBox, true: FaceBox) -> bool:
    """IoU of at least 0.4, or centres closer than a quarter of the true size."""
    away = np.hypot(
        box.left + box.width / 2 - true.left - true.width / 2,
        box.top + box.height / 2 - true.top - true.height / 2,
    )
    return box.iou(true) >= 0.4 or bool(away <= 0.25 * max(true.width, true.height))


def detect_all(detector: FaceDetector, folder: Path, names: Iterable[str]) -> Found:
    """Every photo's boxes."""
    found: dict[str, tuple[FaceBox, ...]] = {}
    for name in names:
        image = cv2.imread(str(folder / name))
        if image is not None:
            found[name] = detector.detect(image.astype(np.uint8, copy=False))
    return found


def recall(found: Found, truth: Truth) -> Recall:
    """Each box found answers for one face at most, the best boxes choose first."""
    faces, ious = 0, []
    for name, boxes in truth.items():
        left = [FaceBox(x, y, r - x, b - y) for x, y, r, b in boxes.tolist()]
        large = [true for true in left if max(true.width, true.height) >= LEAST_PX]
        faces += len(large)
        for box in found[name]:
            hits = [true for true in left if is_hit(box, true)]
            if not hits:
                continue
            best = max(hits, key=box.iou)
            left.remove(best)
            if max(best.width, best.height) >= LEAST_PX:
                ious.append(box.iou(best))
    return Recall(faces, len(ious), float(np.mean(ious)) if ious else 0.0)


def false_per_100(found: Found) -> float:
    """False boxes in 100 photos without faces."""
    return 100 * sum(len(boxes) for boxes in found.values()) / max(1, len(found))


def threshold_for(false_at: Callable[[float], float], most: float) -> float:
    """The least threshold, to 0.005, that leaves at most so many false boxes; by bisection."""
    low, high = 0.1, 0.99
    while high - low > 0.005:
        middle = (low + high) / 2
        low, high = (low, middle) if false_at(middle) <= most else (middle, high)
    return high


def frame_ms(detector: FaceDetector, *, runs: int = 100) -> tuple[float, float]:
    """Least and median milliseconds for a 640x480 frame of noise."""
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        detector.detect(image)
        took.append(1e3 * (time.perf_counter() - start))
    return min(took), float(np.median(took))


def report(
    name: str, make: Callable[[float], FaceDetector], data: Path, out: Console, *, fixed: float
) -> None:
    """Print a detector's figures at its threshold and at 1 and 3 false boxes in 100 photos.

    make: threshold → detector.
    """
    faces = data / "faces"
    none = photos(data, "none", held_back=True)
    crowds = photos(data, "crowds", held_back=True)
    crowds = {file: widen(boxes, CROWDS_TO_EXTENT) for file, boxes in crowds.items()}
    parts = {"crowds": crowds, "train": photos(data, "train", held_back=True)}

    def false_at(threshold: float) -> float:
        return false_per_100(detect_all(make(threshold), faces / "none", none))

    for threshold in (fixed, threshold_for(false_at, 1.0), threshold_for(false_at, 3.0)):
        detector = make(threshold)
        false = false_at(threshold)
        out.print(f"{name} at {threshold:.3f}: {false:.2f} false boxes in 100 photos of none")
        for key, truth in parts.items():
            told = recall(detect_all(detector, faces / key, truth), truth)
            out.print(f"  {key}, held back: {told}")


def report_common(name: str, detector: FaceDetector, data: Path, out: Console) -> None:
    """Print recall on faces/common, by which nothing may be chosen."""
    folder = data / "faces" / "common"
    truth = read_boxes(folder)
    out.print(f"{name}, common: {recall(detect_all(detector, folder, truth), truth)}")


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--model", type=Path, required=True)
    options.add_argument("--threshold", type=float, default=DetectorConfig().threshold)
    options.add_argument("--longest-side", type=int, default=DetectorConfig().longest_side)
    options.add_argument("--common", action="store_true", help="report on faces/common as well")
    options.add_argument("--roll", action="store_true", help="measure the roll of turned faces")
    given = options.parse_args(argv)
    cv2.setNumThreads(1)
    out = Console()
    config = DetectorConfig(threshold=given.threshold, longest_side=given.longest_side)
    runner = face_net_runner(open_file(given.model))
    least, median = frame_ms(FaceNetDetector(runner, config))
    out.print(f"640x480, one thread: {least:.2f} ms least, {median:.2f} ms median")
    detectors: dict[str, tuple[float, Callable[[float], FaceDetector]]] = {
        "face_net": (
            given.threshold,
            lambda t: FaceNetDetector(runner, replace(config, threshold=t)),
        )
    }
    reference = given.data / "detectors" / "yunet_n_dynamic.onnx"
    if reference.is_file():
        detectors["YuNet"] = (0.6, lambda t: YuNetDetector(str(reference), threshold=t))
    for name, (fixed, make) in detectors.items():
        report(name, make, given.data, out, fixed=fixed)
        if given.common:
            report_common(name, make(fixed), given.data, out)
    if given.roll:
        for turned_deg in (-40.0, -20.0, 0.0, 20.0, 40.0):
            told = roll_error(FaceNetDetector(runner, config), given.data, turned_deg)
            out.print(f"roll of face_net's boxes, photos {told}")


if __name__ == "__main__":
    main()
