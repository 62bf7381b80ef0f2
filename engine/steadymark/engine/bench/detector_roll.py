"""How well a detector tells the roll of faces, in photos turned by known angles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.cropping import Crop, cut, fit_crop
from steadymark.models.extents import extent
from steadymark.models.pts_file import read_pts
from steadymark.models.schema import load_schema
from steadymark.models.splits import photos

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.ports import FaceDetector
    from steadymark.engine.types import FaceBox
    from steadymark.models.cropping import Image

_SIDE = 640  # pixels of the turned picture
_PART = 0.35  # the face's share of it


@dataclass(frozen=True, slots=True)
class RollError:
    """turned_deg: by how much the photos were turned; median_deg: of the faces found."""

    turned_deg: float
    faces: int
    found: int
    median_deg: float

    def __str__(self) -> str:
        share = 100 * self.found / max(1, self.faces)
        return f"turned {self.turned_deg:+.0f}: {self.median_deg:.1f} deg, {share:.0f} % found"


def roll_error(detector: FaceDetector, data: Path, turned_deg: float) -> RollError:
    """Over the held-back faces of 300W, their crops being turned so that the rolls grow."""
    folder = data / "300w" / "train"
    stems = [name.rsplit(".", 1)[0] for name in photos(data, "train", held_back=True)]
    errors = []
    kept = [stem for stem in stems if (folder / f"{stem}.pts").is_file()]
    for stem in kept:
        image = cv2.imread(str(folder / f"{stem}.jpg"))
        if image is None:
            raise ValueError(f"{folder / stem}.jpg cannot be read")
        points = read_pts(folder / f"{stem}.pts")
        turned = _turned(image.astype(np.uint8, copy=False), extent(points).tolist(), turned_deg)
        told = _nearest(detector.detect(turned))
        if told is not None:
            away = (
                told.roll_deg
                - fit_crop(points, load_schema().mean_shape, margin=1).roll_deg
                - turned_deg
            )
            errors.append(abs((away + 180) % 360 - 180))
    median = float(np.median(errors)) if errors else float("nan")
    return RollError(turned_deg, len(kept), len(errors), median)


def _turned(image: Image, box: list[float], turned_deg: float) -> Image:
    """A square picture with the face in its middle."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top) / _PART
    crop = Crop((left + right) / 2, (top + bottom) / 2, side, -turned_deg)
    return cut(image, crop.to_picture(_SIDE), _SIDE)


def _nearest(boxes: tuple[FaceBox, ...]) -> FaceBox | None:
    """The box whose centre is the middle of the picture, to within a quarter of the face."""
    reach = 0.25 * _PART * _SIDE
    for box in boxes:
        x, y = box.left + box.width / 2, box.top + box.height / 2
        if np.hypot(x - _SIDE / 2, y - _SIDE / 2) <= reach:
            return box
    return None
