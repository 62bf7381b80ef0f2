"""The 68 landmarks of a 3D face model, with the modes that move them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.rotations import rotation_matrix
from steadymark.models.face.schema import assets_root
from steadymark.models.synthesis.faces.face_fit import JAW
from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model

if TYPE_CHECKING:
    from pathlib import Path

Floats = NDArray[np.float64]
_MM = 10.0  # per centimetre, the unit of the model's file
# Expressions whose effect on the landmarks is too small or too like that of others to be fitted.
_UNSEEN = ("cheekPuff", "cheekRaiser", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp")
# Shares of the deviation of labels: what differs between people, and from frame to frame. The jaw's
# landmarks also slide along the edge of a face that turns.
_PERSONAL, _NOISE, _JAW_NOISE = 0.45, 0.6, 1.9


@dataclass(frozen=True, slots=True, eq=False)
class FaceBasis:
    """A linear model of the landmarks: neutral + identity · w + expressions · e.

    The axes are those of `HeadPose` for a face that looks into the camera: x right, y down, z away
    from the camera, in millimetres. The mean of the 3D model's neutral landmarks is 0.

    Attributes:
        neutral: (68, 3) landmarks of the average adult face at rest, in iBUG's order, where people
            label them.
        identity: (M, 68, 3) displacement by one standard deviation of each identity mode: first
            the modes of the 3D model, then one mode for each landmark along x and along y, since
            labels are elsewhere on each face.
        expressions: (E, 68, 3) displacement by each expression at full strength.
        names: The E names of the expressions. `_L` and `_R` are the person's left and right.
        noise_mm: (68,) standard deviation of a landmark from one frame to another.
    """

    neutral: Floats
    identity: Floats
    expressions: Floats
    names: tuple[str, ...]
    noise_mm: Floats


def label_statistics_path() -> Path:
    """Return the path of the statistics of labels, see `label_statistics`."""
    return assets_root() / "schemas" / "face3d" / "ibug68_labels.json"


class LabelStatistics(NamedTuple):
    """How labels of people lie around the landmarks of the 3D model, in the face's axes.

    Attributes:
        offset_mm: (68, 2) mean offset along x and y.
        deviation_mm: (68, 2) standard deviation.
        pitch_deg: Pitch by which fits of labels are turned down because of the offset. It is taken
            out, so that poses are those of the 3D model.
    """

    offset_mm: Floats
    deviation_mm: Floats
    pitch_deg: float


@cache
def load_label_statistics() -> LabelStatistics:
    """Return the statistics of labels, see `app/tools/data_statistics/face3d_statistics.py`."""
    labels = json.loads(label_statistics_path().read_text(encoding="utf-8"))
    offset_mm, deviation_mm = np.array(labels["offset_mm"]), np.array(labels["deviation_mm"])
    return LabelStatistics(offset_mm, deviation_mm, float(labels.get("pitch_deg", 0.0)))


@cache
def face_basis() -> FaceBasis:
    """Return the ICT-FaceKit model's landmarks, without expressions that they do not show."""
    model = load_face_model()
    neutral = _MM * model.neutral[:LANDMARKS]
    neutral -= neutral.mean(0)
    shapes = _without_size(_MM * model.identity[:, :LANDMARKS], neutral)
    shown = {
        name: _MM * move[:LANDMARKS]
        for name, move in model.expressions.items()
        if name.split("_")[0] not in _UNSEEN
    }
    offset_mm, deviation_mm, pitch_deg = load_label_statistics()
    share = np.full(LANDMARKS, _NOISE)
    share[JAW] = _JAW_NOISE
    pitch = rotation_matrix((math.radians(pitch_deg), 0.0, 0.0)).T
    return FaceBasis(
        (neutral + np.pad(offset_mm, ((0, 0), (0, 1)))) @ pitch,
        np.concatenate((shapes, _label_modes(_PERSONAL * deviation_mm))) @ pitch,
        np.stack([*shown.values()]) @ pitch,
        tuple(shown),
        share * np.sqrt((deviation_mm**2).mean(1)),
    )


def _without_size(modes: Floats, neutral: Floats) -> Floats:
    """Return modes that do not change the size, which a camera cannot tell from the distance."""
    direction = neutral / np.linalg.norm(neutral)
    centred = modes - modes.mean(1, keepdims=True)
    shapes: Floats = centred - np.tensordot(centred, direction, 2)[:, None, None] * direction
    return shapes


def _label_modes(deviation_mm: Floats) -> Floats:
    """Return the (136, 68, 3) modes that move one landmark by its deviation along one axis."""
    modes = np.zeros((2, LANDMARKS, LANDMARKS, 3))
    for axis in range(2):
        np.fill_diagonal(modes[axis, :, :, axis], deviation_mm[:, axis])
    return modes.reshape(-1, LANDMARKS, 3)
