"""Crops of the demo clip's face, as input of the checks; no data folder is needed."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.datasets.video_frames import Video
from steadymark.models.face.crop import Crop, cut, fit_crop, transform
from steadymark.models.face.schema import IBUG68, assets_root, load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points


@dataclass(frozen=True, slots=True, eq=False)
class DemoFaces:
    """Crops of one face in consecutive frames.

    Attributes:
        crops: (T, F, F, 3) uint8 BGR.
        points: (T, 68, 2) float32 true landmarks, crop pixels.
        moved: (T, 2, 3) float32 motion from pixels of each crop to those of the crop before.
    """

    crops: Image
    points: NDArray[np.float32]
    moved: NDArray[np.float32]


@cache
def _frames(count: int) -> tuple[tuple[Image, Points], ...]:
    """Read the first frames of the demo clip with their true landmarks (68, 2)."""
    clips = assets_root() / "clips"
    with (clips / "demo_truth.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for _, row in zip(range(count), csv.DictReader(file), strict=False)]
    video = Video(clips / "demo.mp4")
    found = []
    for row in rows:
        points = np.array([(row[f"x_{i}"], row[f"y_{i}"]) for i in range(68)], np.float32)
        found.append((video.read_frame(int(row["frame"])), points))
    video.close()
    return tuple(found)


def demo_frame() -> Image:
    """Return the first frame of the demo clip, (480, 640, 3) uint8 BGR."""
    return _frames(1)[0][0]


def demo_points() -> Points:
    """Return the true landmarks (68, 2) in the first frame of the demo clip."""
    return _frames(1)[0][1]


def demo_faces(size: int, margin: float, count: int) -> DemoFaces:
    """Cut the face out of the first frames of the demo clip.

    Args:
        size: Side F of the crops, pixels.
        margin: Side of the crop divided by the fitted size of the face.
        count: Number of frames, T, at most 60; with more, the frames are repeated backwards and
            forwards.
    """
    frames = _frames(min(count, 60))
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    chosen = [frames[order[i % len(order)]] for i in range(count)]
    crop: Crop | None = None
    crops, points = [], []
    for image, xy in chosen:
        if crop is None:
            crop = fit_crop(xy, load_schema(IBUG68).mean_shape, margin=margin)
        crops.append(cut(image, crop.matrix_to_image(size), size))
        points.append(transform(crop.matrix_from_image(size), xy))
    moved = np.eye(2, 3, dtype=np.float32)[None].repeat(count, 0)  # one crop for all frames
    return DemoFaces(np.stack(crops), np.stack(points).astype(np.float32), moved)
