"""The motion of the face in the demo clip: pose and expression as functions of time in frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tools.demo_clip.demo_expressions import EXPRESSIONS, Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEIGHT, FPS, FRAMES = 640, 480, 30, 300
PIVOT = (224.0, 133.0)  # portrait point that the path moves: the nose
EXPOSURE = 0.5  # share of the frame interval, centred on the frame's time

PARTS: dict[str, tuple[int, int]] = {  # first frame, and the frame after the last one
    "slow": (0, 40),
    "still": (40, 110),
    "sudden start and stop": (110, 134),
    "expressions": (134, 186),
    "roll": (186, 212),
    "exit": (212, 238),
    "out": (238, 248),
    "return": (248, 272),
    "fast": (272, 300),
}

# frame, x and y of the pivot in frame pixels, scale, roll in degrees, interpolation up to here
POSES: tuple[tuple[float, float, float, float, float, str], ...] = (
    (0, 300, 232, 1.35, -3.0, "linear"),
    (39, 322, 238, 1.55, 0.0, "smooth"),
    (110, 322, 238, 1.55, 0.0, "linear"),
    (120, 430, 252, 1.62, 4.0, "linear"),  # starts and stops between two frames
    (124, 430, 252, 1.62, 4.0, "linear"),
    (134, 290, 240, 1.70, -4.0, "linear"),
    (186, 312, 246, 1.80, -1.0, "smooth"),
    (200, 340, 244, 1.75, 21.0, "smooth"),
    (212, 300, 244, 1.70, -17.0, "smooth"),
    (238, -150, 236, 1.50, 0.0, "smooth"),
    (248, -150, 226, 1.50, 0.0, "linear"),
    (272, 330, 236, 1.45, 5.0, "smooth"),
    (278, 265, 222, 1.45, -4.0, "smooth"),
    (285, 365, 252, 1.30, 6.0, "smooth"),
    (292, 300, 232, 1.20, -4.0, "smooth"),
    (299, 320, 238, 1.10, 0.0, "smooth"),
)

# expression → frame: weight; interpolated smoothly
WEIGHTS: dict[str, dict[int, float]] = {
    "open": {138: 0, 148: 1, 156: 1, 164: 0.1, 170: 0.8, 180: 0, 274: 0, 284: 0.7},
    "smile": {
        0: 0,
        24: -0.5,
        38: 0.4,
        134: 0.4,
        142: -0.6,
        160: -0.6,
        172: 0.8,
        200: 0,
        252: 0,
        276: 0.9,
        290: 0,
    },
    "narrow": {
        10: 0,
        13: 1,
        16: 0,
        142: 0,
        145: 1,
        148: 0,
        172: 0,
        178: 0.8,
        186: 0,
        204: 0,
        207: 1,
        210: 0,
        286: 0,
        289: 1,
        292: 0,
    },
    "brows": {14: 0, 24: 1, 36: 0, 146: 0, 154: 1, 166: 0, 188: 0, 196: 0.8, 212: 0},
}


@dataclass(frozen=True, slots=True)
class PortraitPose:
    """Similarity transform from portrait to frame pixels.

    Attributes:
        x: Horizontal position of the pivot in the frame.
        y: Vertical position of the pivot in the frame.
        scale: Frame pixels per portrait pixel.
        roll_deg: Rotation in degrees.
    """

    x: float
    y: float
    scale: float
    roll_deg: float

    def matrix(self) -> Array:
        """Return the (2, 3) matrix from portrait to frame pixels."""
        cos = self.scale * math.cos(math.radians(self.roll_deg))
        sin = self.scale * math.sin(math.radians(self.roll_deg))
        linear = np.array([[cos, -sin], [sin, cos]])
        shift = np.array([self.x, self.y]) - linear @ PIVOT
        return np.concatenate((linear, shift[:, None]), 1)


def pose_at(t: float) -> PortraitPose:
    """Return the pose at time `t`, in frames."""
    t = min(max(t, POSES[0][0]), POSES[-1][0])
    i = next(k for k in range(1, len(POSES)) if t <= POSES[k][0])
    before, after = POSES[i - 1], POSES[i]
    progress = _ease((t - before[0]) / (after[0] - before[0]), after[5])
    x, y, scale, roll = (
        a + (b - a) * progress for a, b in zip(before[1:5], after[1:5], strict=True)
    )
    return PortraitPose(x, y, scale, roll)


def weights_at(t: float) -> tuple[float, ...]:
    """Return the weights of EXPRESSIONS at time `t`, in their order."""
    return tuple(_weight(WEIGHTS[name], t) for name in EXPRESSIONS)


def exposure_times(frame: int) -> list[float]:
    """Return the times over which a frame's image is averaged.

    They are symmetric about `frame`; there is only one if the face is still.
    """
    first, last = pose_at(frame - EXPOSURE / 2), pose_at(frame + EXPOSURE / 2)
    length_px = math.hypot(last.x - first.x, last.y - first.y)
    length_px += 150 * abs(math.radians(last.roll_deg - first.roll_deg))
    count = min(15, 1 + 2 * math.ceil(length_px / 2))
    if count == 1:
        return [float(frame)]
    return [float(t) for t in np.linspace(frame - EXPOSURE / 2, frame + EXPOSURE / 2, count)]


def within(xy: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which points (..., 2) lie inside the image."""
    limit = np.array([WIDTH - 0.5, HEIGHT - 0.5])
    return np.asarray(((xy >= -0.5) & (xy <= limit)).all(-1))


def _weight(keys: dict[int, float], t: float) -> float:
    t = min(max(t, min(keys)), max(keys))
    for (t0, w0), (t1, w1) in pairwise(keys.items()):
        if t <= t1:
            return w0 + (w1 - w0) * _ease((t - t0) / (t1 - t0), "smooth")
    return keys[max(keys)]


def _ease(progress: float, interpolation: str) -> float:
    if interpolation == "smooth":
        return progress * progress * (3 - 2 * progress)
    return progress
