"""Score face detectors: `python -m steadymark.engine.bench.detector --data DIR --model ONNX`."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rich.console import Console

from steadymark.engine.detecting import DetectorConfig, FaceNetDetector, onnx_runner
from steadymark.engine.types import FaceBox
from steadymark.models.extents import CROWDS_TO_EXTENT, YUNET_TO_EXTENT, widen
from steadymark.models.splits import photos, read_boxes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from steadymark.engine.ports import FaceDetector
    from steadymark.models.cropping import Image

    Truth = dict[str, NDArray[np.float32]]
    Found = Mapping[str, tuple[FaceBox, ...]]

LEAST_PX = 20.0
LOW = 0.05  # detectors under test tell everything above it; the threshold is chosen afterwards


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


class YuNetDetector:
    """cv2.FaceDetectorYN, its box moved to the extent of the landmarks."""

    def __init__(self, path: Path, threshold: float) -> None:
        self._net: Any = cv2.FaceDetectorYN.create(str(path), "", (320, 320), threshold, 0.3, 5000)

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """Boxes in frame pixels, best first."""
        self._net.setInputSize((image.shape[1], image.shape[0]))
        rows = self._net.detect(image)[1]
        if rows is None:
            return ()
        rows = rows[np.argsort(-rows[:, 14])]
        sides = np.concatenate((rows[:, :2], rows[:, :2] + rows[:, 2:4]), 1)
        return tuple(
            FaceBox(left, top, right - left, bottom - top, float(score))
            for (left, top, right, bottom), score in zip(
                widen(sides, YUNET_TO_EXTENT).tolist(), rows[:, 14], strict=True
            )
        )


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


def recall(found: Found, truth: Truth, threshold: float) -> Recall:
    """Each box found answers for one face at most, the best boxes choose first."""
    faces, ious = 0, []
    for name, boxes in truth.items():
        left = [FaceBox(x, y, r - x, b - y) for x, y, r, b in boxes.tolist()]
        large = [true for true in left if max(true.width, true.height) >= LEAST_PX]
        faces += len(large)
        for box in found[name]:
            hits = [true for true in left if is_hit(box, true)]
            if box.score < threshold or not hits:
                continue
            best = max(hits, key=box.iou)
            left.remove(best)
            if max(best.width, best.height) >= LEAST_PX:
                ious.append(box.iou(best))
    return Recall(faces, len(ious), float(np.mean(ious)) if ious else 0.0)


def threshold_for(found: Found, false_per_100: float) -> float:
    """The least threshold that leaves at most so many boxes in photos without faces."""
    scores = sorted((box.score for boxes in found.values() for box in boxes), reverse=True)
    allowed = int(len(found) * false_per_100 / 100)
    return scores[allowed] + 1e-4 if len(scores) > allowed else LOW


def false_per_100(found: Found, threshold: float) -> float:
    """False boxes in 100 photos without faces."""
    count = sum(box.score >= threshold for boxes in found.values() for box in boxes)
    return 100 * count / max(1, len(found))


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
    name: str, detector: FaceDetector, data: Path, out: Console, *, fixed: float, common: bool
) -> None:
    """Print one detector's figures, at its threshold and at 1 and 3 false boxes in 100 photos.

    common: also on faces/common, by which nothing may be chosen.
    """
    faces = data / "faces"
    none = detect_all(detector, faces / "none", photos(data, "none", held_back=True))
    crowds = photos(data, "crowds", held_back=True)
    crowds = {name: widen(boxes, CROWDS_TO_EXTENT) for name, boxes in crowds.items()}
    parts = {
        "crowds, held back": (faces / "crowds", crowds),
        "train, held back": (faces / "train", photos(data, "train", held_back=True)),
    }
    if common:
        parts["common"] = (faces / "common", read_boxes(faces / "common"))
    found = {key: detect_all(detector, folder, truth) for key, (folder, truth) in parts.items()}
    for threshold in dict.fromkeys((fixed, threshold_for(none, 1.0), threshold_for(none, 3.0))):
        false = false_per_100(none, threshold)
        out.print(f"{name} at {threshold:.3f}: {false:.2f} false boxes in 100 photos of none")
        for key, (_, truth) in parts.items():
            r = recall(found[key], truth, threshold)
            out.print(f"  {key}: {r.percent:.2f} % ({r.hits} of {r.faces}), IoU {r.iou:.3f}")


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--model", type=Path, required=True)
    options.add_argument("--threshold", type=float, default=DetectorConfig().threshold)
    options.add_argument("--longest-side", type=int, default=DetectorConfig().longest_side)
    options.add_argument("--common", action="store_true", help="report on faces/common as well")
    given = options.parse_args(argv)
    cv2.setNumThreads(1)
    out = Console()
    config = DetectorConfig(threshold=given.threshold, longest_side=given.longest_side)
    runner = onnx_runner(given.model)
    least, median = frame_ms(FaceNetDetector(runner, config))
    out.print(f"face_net: {least:.2f} ms least, {median:.2f} ms median for 640x480, one thread")
    low = FaceNetDetector(runner, replace(config, threshold=LOW))
    report("face_net", low, given.data, out, fixed=given.threshold, common=given.common)
    reference = given.data / "detectors" / "yunet_n_dynamic.onnx"
    if reference.is_file():
        teacher = YuNetDetector(reference, LOW)
        report("YuNet", teacher, given.data, out, fixed=0.6, common=given.common)


if __name__ == "__main__":
    main()
