"""A data folder with one labelled face for each part that scores are fitted to and measured on."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from steadymark.models.face.schema import assets_root
from steadymark.models.synthesis.score_faces import FIT, MEASURE, TRAIN, part_of

if TYPE_CHECKING:
    from pathlib import Path


def write_score_folder(data: Path) -> Path:
    """Write the first frame of the demo clip under a name of each part; return the folder."""
    folder = data / "300w" / "train"
    folder.mkdir(parents=True)
    clips = assets_root() / "clips"
    with av.open(str(clips / "demo.mp4")) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24")
    truth = np.genfromtxt(clips / "demo_truth.csv", delimiter=",", names=True)[0]
    points = np.array([[truth[f"x_{k}"], truth[f"y_{k}"]] for k in range(68)])
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    for part in (TRAIN, FIT, MEASURE):
        stem = next(f"face{i}" for i in count() if part_of(f"face{i}") == part)
        (folder / f"{stem}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
        cv2.imwrite(str(folder / f"{stem}.jpg"), image)
    return data
