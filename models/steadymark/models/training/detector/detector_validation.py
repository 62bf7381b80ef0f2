"""Validation of face_net on held-back photos during training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from steadymark.models.datasets.hard_faces import hard_photos, turned_faces
from steadymark.models.datasets.photo_splits import photo_of, photos, read_boxes
from steadymark.models.errors import DataError
from steadymark.models.face.landmark_boxes import CROWDS_TO_EXTENT, landmark_box, overlaps, widen
from steadymark.models.face.pts_file import read_pts
from steadymark.models.networks.face_net import decode, locations
from steadymark.models.runtime.detector_input import fit_frame

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from steadymark.models.networks.face_net import FaceNet

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DetectorScores:
    """Recalls at the threshold that leaves one false box in 100 photos without faces.

    Attributes:
        threshold: The score threshold.
        crowds: Recall of held-back faces of faces/crowds with at least 20 px.
        train: Recall of the held-back 300W faces.
        iou: Mean IoU of these 300W faces.
        hard: Recall of AFW's hardest faces; NaN if there are none.
        turned: Recall of the held-back faces of aflw2000; NaN if there are none.
    """

    threshold: float
    crowds: float
    train: float
    iou: float
    hard: float = math.nan
    turned: float = math.nan

    @property
    def missed(self) -> float:
        """Share of missed faces in %, averaged over the kinds of faces that there are."""
        recalls = [self.crowds, self.train, self.hard, self.turned]
        return 100 * (1 - float(np.nanmean(recalls)))


@torch.no_grad()
def _detect(network: FaceNet, path: Path) -> Floats:
    """Return the detections (n, 6) of one photo in its pixels, in the format of `decode`."""
    image = cv2.imread(str(path))
    assert image is not None
    fitted = fit_frame(image.astype(np.uint8, copy=False))
    x = torch.from_numpy(fitted.planes).float().to(next(network.parameters()).device)
    rows: Tensor = decode(network(x)[0].cpu(), locations(*x.shape[2:]))
    found: Floats = rows[rows[:, 4] > 0.05].numpy()
    found[:, :4] = fitted.to_frame(found[:, :4])
    return found


def _scores(network: FaceNet, folder: Path, truth: dict[str, Floats]) -> Floats:
    """Return the best score that hits each true box, and that box's IoU, (n, 2)."""
    scores_and_ious = []
    for name, boxes in truth.items():
        rows = _detect(network, folder / name)
        for box in boxes:
            if (box[2:] - box[:2]).max() < 20:
                continue
            iou = overlaps(box, rows)
            hits = np.where(iou >= 0.4, rows[:, 4], 0)
            best = int(hits.argmax()) if len(hits) else -1
            scores_and_ious.append((hits[best], iou[best]) if best >= 0 else (0.0, 0.0))
    return np.array(scores_and_ious, np.float32).reshape(-1, 2)


def best_scores(network: FaceNet, data: Path, *, held_back: bool) -> Floats:
    """Return the highest score in each photo of faces/none, in name order.

    Args:
        network: The network in eval mode.
        data: The data folder.
        held_back: Whether to use the photos held back, or those for training.
    """
    names = photos(data, "none", held_back=held_back)
    rows = [_detect(network, data / "faces" / "none" / name) for name in names]
    return np.array([r[:, 4].max(initial=0) for r in rows], np.float32)


def validate_detector(network: FaceNet, data: Path) -> DetectorScores:
    """Measure a network in eval mode on all held-back photos.

    Raises:
        DataError: No photo without faces is held back, so that there is no threshold.
    """
    faces = data / "faces"
    false_scores = np.sort(best_scores(network, data, held_back=True))
    if not len(false_scores):
        raise DataError(f"{faces / 'none'} has too few photos to hold one back: add some .jpg")
    threshold = float(false_scores[-1 - len(false_scores) // 100])
    crowds = {
        name: widen(boxes, CROWDS_TO_EXTENT)
        for name, boxes in photos(data, "crowds", held_back=True).items()
    }
    small = _scores(network, faces / "crowds", crowds)
    large = _scores(network, faces / "train", photos(data, "train", held_back=True))
    hard = _scores(network, faces / "train", hard_boxes(data))
    turned = _scores(network, data / "aflw2000", turned_boxes(data))
    recalls = [_recall(scores, threshold) for scores in (small, large, hard, turned)]
    iou = float(large[:, 1].mean()) if len(large) else math.nan
    return DetectorScores(threshold, recalls[0], recalls[1], iou, recalls[2], recalls[3])


def _recall(scores: Floats, threshold: float) -> float:
    """Return the recall; it is NaN if there are no faces."""
    return float((scores[:, 0] > threshold).mean()) if len(scores) else math.nan


def hard_boxes(data: Path) -> dict[str, Floats]:
    """Return the boxes of the photos in faces/train that show AFW's hardest faces, by file name."""
    hard = hard_photos(data)
    all_boxes = read_boxes(data / "faces" / "train")
    return {
        file: boxes for file, boxes in all_boxes.items() if photo_of(file.rsplit(".", 1)[0]) in hard
    }


def turned_boxes(data: Path) -> dict[str, Floats]:
    """Return the boxes of the held-back faces of aflw2000, by file name."""
    folder = data / "aflw2000"
    return {
        f"{stem}.jpg": landmark_box(read_pts(folder / f"{stem}.pts"))[None]
        for stem in turned_faces(data, held_back=True)
    }
