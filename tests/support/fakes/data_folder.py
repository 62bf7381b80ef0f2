"""A small data folder with grey pictures in every part."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Points

SIZE = 320


def face_points(roll_deg: float = 0.0, *, narrow: float = 1.0) -> Points:
    shape = (
        (load_schema("ibug68").mean_shape - load_schema("ibug68").mean_shape.mean(0))
        * 150
        * (narrow, 1)
    )
    cos, sin = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    points: Points = (shape @ np.array([[cos, sin], [-sin, cos]]) + SIZE / 2).astype(np.float32)
    return points


def write_face(folder: Path, stem: str, points: Points) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{stem}.jpg"), np.full((SIZE, SIZE, 3), 128, np.uint8))
    rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points + 1)
    (folder / f"{stem}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")


def write_boxes(folder: Path, stems: list[str], box: tuple[float, ...] | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "boxes.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["image", "left", "top", "right", "bottom"])
        lines.writerows([f"{stem}.jpg", *box] for stem in stems if box is not None)
    for stem in stems:
        cv2.imwrite(str(folder / f"{stem}.jpg"), np.full((SIZE, SIZE, 3), 128, np.uint8))


def write_data_folder(folder: Path) -> Path:
    """Write a data folder with a few photos in every part; afw_hard_1 is the hardest of AFW."""
    held_back = next(
        n for n in (f"helen_{i}" for i in range(99)) if is_held_back(n, HELD_BACK["train"])
    )
    afw = [f"afw_{i}_1" for i in range(9)]
    for stem in (f"{held_back}_1", *afw):
        write_face(folder / "300w" / "train", stem, face_points())
    write_face(folder / "300w" / "train", "afw_hard_1", face_points(narrow=0.4))
    box = (80.0, 80.0, 230.0, 230.0)
    write_boxes(folder / "faces" / "train", [f"{held_back}_1", *afw, "afw_hard_1"], box)
    write_boxes(folder / "faces" / "crowds", [f"crowd{i}" for i in range(30)], box)
    write_boxes(folder / "faces" / "none", [f"none{i}" for i in range(30)], None)
    for i in range(12):
        write_face(folder / "aflw2000", f"{i:04}", face_points(10 * i))
    rows = [f"{i:04}.jpg,{5 * i},{'exact' if i < 2 else 'good'}" for i in range(12)]
    index = folder / "aflw2000" / "index.csv"
    index.write_text("\n".join(["file,yaw_deg,alignment", *rows]) + "\n")
    return folder
