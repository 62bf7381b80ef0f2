"""What every location of face_net should say, and how far from it it is."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from steadymark.models.networks.face_net import STRIDES, decode

# The longer sides of the boxes, in pixels, that each stride answers for; they overlap on purpose.
RANGES = ((0.0, 56.0), (40.0, 120.0), (88.0, 1e9))
_REACH = 1.5  # strides from a face's centre within which locations find it
_FLOOR = 0.7  # without it small faces, whose boxes overlap less, score like what is no face


class DetectorTargets(NamedTuple):
    """For n locations: face index, -1 none, -2 ignored; boxes (n, 4); rolls (n,) degrees or NaN."""

    face: Tensor
    boxes: Tensor
    rolls: Tensor


def assign(places: Tensor, boxes: Tensor, rolls: Tensor, ignored: Tensor) -> DetectorTargets:
    """Centre sampling: locations within `_REACH` of their strides of a face's centre find it.

    places: (n, 3); boxes: (m, 4); rolls: (m,); ignored: (k, 4). The smaller face wins a location.
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
    near = ((xy - (boxes[:, :2] + boxes[:, 2:]) / 2).abs() < _REACH * stride[..., None]).all(2)
    mine = near & _within(xy, boxes) & (length >= low) & (length < high)  # (n, m)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    cost, best = torch.where(mine, area, torch.inf).min(1)
    face = torch.where(cost < torch.inf, best, face)
    return DetectorTargets(face, boxes[best], rolls[best])


def _within(xy: Tensor, boxes: Tensor) -> Tensor:
    """xy: (n, 1, 2), boxes: (m, 4) → (n, m) bool."""
    return ((xy > boxes[:, :2]) & (xy < boxes[:, 2:])).all(2)


def _level(places: Tensor) -> Tensor:
    return (places[:, 2] / STRIDES[0]).log2().round().long()


class DetectorLosses(NamedTuple):
    """Means over the faces' locations of a batch."""

    score: Tensor
    box: Tensor
    roll: Tensor


def face_losses(rows: Tensor, places: Tensor, targets: DetectorTargets) -> DetectorLosses:
    """rows: (B, n, 7); targets: every part (B, n, …).

    Score: quality focal loss (Li et al. 2020), the aim rising from _FLOOR to 1 with the IoU of the
    box that is told there; its exponent is 1 where there is a face and 2 where there is none.
    Box: GIoU (Rezatofighi et al. 2019). Roll: squared distance on the unit circle where known.
    """
    found = targets.face >= 0
    told = rows[found]
    boxes = decode(told, places.expand(len(rows), -1, -1)[found])[:, :4]
    iou, giou = _ious(boxes, targets.boxes[found])
    quality = torch.zeros(rows.shape[:2])
    quality[found] = _FLOOR + (1 - _FLOOR) * iou.detach().clamp(0, 1)
    logit = rows[..., 0]
    off = (logit.detach().sigmoid() - quality).abs()
    focus = torch.where(found, off, off.square())  # faces pull harder: their scores get a margin
    score = functional.binary_cross_entropy_with_logits(logit, quality, reduction="none") * focus
    count = found.sum().clamp(min=1)
    radians = targets.rolls[found].deg2rad()
    known = radians.isfinite()
    circle = torch.stack((radians.sin(), radians.cos()), 1)[known]
    roll = (told[known, 5:7] - circle).square().sum() / count
    return DetectorLosses(score[targets.face != -2].sum() / count, (1 - giou).sum() / count, roll)


def _ious(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and GIoU of pairs of boxes (n, 4)."""
    sides = torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])
    both = sides.clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - both
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    iou = both / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)
