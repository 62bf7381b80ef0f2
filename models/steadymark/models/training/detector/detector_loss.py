"""Targets and losses of face_net at each location of its output."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from steadymark.models.networks.face_net import STRIDES, decode

# Longer sides of the boxes, in pixels, that each stride detects; the ranges overlap on purpose.
RANGES = ((0.0, 56.0), (40.0, 120.0), (88.0, 1e9))
_CENTRE_RADIUS = 1.5  # distance from a face's centre, in strides, within which locations detect it
# Least score target of a face; small boxes overlap less and would otherwise get low targets.
_MIN_TARGET = 0.7


class DetectorTargets(NamedTuple):
    """Targets of n locations.

    Attributes:
        face: (n,) index of the face; -1 for none, -2 for a location that is ignored.
        boxes: (n, 4) left, top, right, bottom in pixels.
        rolls: (n,) degrees, or NaN.
    """

    face: Tensor
    boxes: Tensor
    rolls: Tensor


def assign(places: Tensor, boxes: Tensor, rolls: Tensor, ignored: Tensor) -> DetectorTargets:
    """Assign faces to locations by centre sampling.

    A location detects a face if it lies in the face's box and within `_CENTRE_RADIUS` strides of
    its centre, and if its stride is responsible for that size. If several faces qualify, the
    smallest is assigned.

    Args:
        places: (n, 3) x, y and stride of the locations.
        boxes: (m, 4) boxes of the faces.
        rolls: (m,) rolls of the faces in degrees, or NaN.
        ignored: (k, 4) regions that are ignored.
    """
    n = len(places)
    face = torch.full((n,), -1, dtype=torch.long)
    if len(ignored):
        face[_within(places[:, None, :2], ignored).any(1)] = -2
    if not len(boxes):
        return DetectorTargets(face, torch.zeros(n, 4), torch.zeros(n))
    xy, stride = places[:, None, :2], places[:, None, 2]
    length = (boxes[:, 2:] - boxes[:, :2]).amax(1)
    low = torch.tensor([r[0] for r in RANGES])[_level(places)][:, None]
    high = torch.tensor([r[1] for r in RANGES])[_level(places)][:, None]
    near = (
        (xy - (boxes[:, :2] + boxes[:, 2:]) / 2).abs() < _CENTRE_RADIUS * stride[..., None]
    ).all(2)
    is_candidate = near & _within(xy, boxes) & (length >= low) & (length < high)  # (n, m)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    cost, best = torch.where(is_candidate, area, torch.inf).min(1)
    face = torch.where(cost < torch.inf, best, face)
    return DetectorTargets(face, boxes[best], rolls[best])


def _within(xy: Tensor, boxes: Tensor) -> Tensor:
    """Return whether points (n, 1, 2) lie in boxes (m, 4), as (n, m) bool."""
    return ((xy > boxes[:, :2]) & (xy < boxes[:, 2:])).all(2)


def _level(places: Tensor) -> Tensor:
    return (places[:, 2] / STRIDES[0]).log2().round().long()


class DetectorLosses(NamedTuple):
    """Losses of a batch, each divided by the number of locations with a face."""

    score: Tensor
    box: Tensor
    roll: Tensor


def face_losses(rows: Tensor, places: Tensor, targets: DetectorTargets) -> DetectorLosses:
    """Return the losses of a batch.

    The score uses the quality focal loss (Li et al. 2020): its target rises from _FLOOR to 1 with
    the IoU of the predicted box, and the exponent is 1 for locations with a face and 2 for others.
    The box uses the GIoU loss (Rezatofighi et al. 2019). The roll uses the squared distance on the
    unit circle, if the roll is known.

    Args:
        rows: (B, n, 7) output of the network.
        places: (n, 3) x, y and stride of the locations.
        targets: Targets whose parts are (B, n, …).
    """
    found = targets.face >= 0
    found_rows = rows[found]
    boxes = decode(found_rows, places.expand(len(rows), -1, -1)[found])[:, :4]
    iou, giou = _ious(boxes, targets.boxes[found])
    quality = rows.new_zeros(rows.shape[:2])
    quality[found] = _MIN_TARGET + (1 - _MIN_TARGET) * iou.detach().clamp(0, 1)
    logit = rows[..., 0]
    deviation = (logit.detach().sigmoid() - quality).abs()
    # Exponent 1 weighs faces more, which gives their scores a margin.
    weight = torch.where(found, deviation, deviation.square())
    score = functional.binary_cross_entropy_with_logits(logit, quality, reduction="none") * weight
    count = found.sum().clamp(min=1)
    radians = targets.rolls[found].deg2rad()
    known = radians.isfinite()
    circle = torch.stack((radians.sin(), radians.cos()), 1)[known]
    roll = (found_rows[known, 5:7] - circle).square().sum() / count
    return DetectorLosses(score[targets.face != -2].sum() / count, (1 - giou).sum() / count, roll)


def _ious(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return IoU and GIoU of pairs of boxes (n, 4)."""
    overlap_sides = torch.minimum(first[:, 2:], second[:, 2:]) - torch.maximum(
        first[:, :2], second[:, :2]
    )
    intersection = overlap_sides.clamp(min=0).prod(1)
    union = (
        (first[:, 2:] - first[:, :2]).prod(1)
        + (second[:, 2:] - second[:, :2]).prod(1)
        - intersection
    )
    hull = (
        torch.maximum(first[:, 2:], second[:, 2:]) - torch.minimum(first[:, :2], second[:, :2])
    ).prod(1)
    iou = intersection / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)
