"""How a face moved from one crop to the next, by registering the two pictures with each other.

Landmarks of two frames tell it too, but with their own noise, which is what memory of several
frames is to take away. The pictures tell it to hundredths of a pixel, in any light: they are
compared by their structure. Where both contradict each other, the landmarks are believed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.crop import inverse, transform

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Matrix, Points
    from steadymark.models.face.schema import LandmarkSchema

REST = 0.0004  # motion of this share of a crop's side counts by half: below it lies flow's noise
FEWEST = 8  # points that must be found again
_WINDOW_PX = 21
_LEVELS, _LEVELS_NEAR = 2, 1  # of the pyramid; where it is known about where to look
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)
_SLOW = 1 / 16  # of a crop's side: sigma of the slow course of light that is taken off
_CONTRAST = 40.0  # grey levels for one standard deviation of what is left
_MOST_GROWTH, _MOST_ROLL_DEG = 1.35, 25.0  # of a face between two frames
EYES_OF_RADIUS = 1.62  # outer-eye distance of the mean shape, in root mean square radii
_AGREES, _AGREES_NOISE = 0.004, 0.6  # share of a crop's side; share of the landmarks' own scatter


def flow_picture(crop: Image) -> Image:
    """What optical flow is computed of: the structure of a crop, whatever the light.

    Offsets and soft shadows go with the slow course (Gaussian, a sixteenth of the crop), gain and
    contrast with the deviation, by which the rest is divided.

    Args:
        crop: (F, F, 3) uint8 BGR.

    Returns:
        (F, F) uint8 about 128: 40 levels for a deviation near it, ever fewer beyond.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), _SLOW * len(crop))
    deviation = float(np.sqrt(np.square(fine).mean()))
    scaled = fine * np.float32(1 / max(deviation, 0.1))
    bent = scaled / (1 + np.abs(scaled) * np.float32(_CONTRAST / 127))
    picture: Image = (bent * np.float32(_CONTRAST) + np.float32(128.5)).astype(np.uint8)
    return picture


@cache
def is_on_the_head(schema: LandmarkSchema) -> list[int]:
    """Landmarks to follow: all but those of the contour, behind which something else moves."""
    contour = schema.regions.get("contour", ())
    return [index for index in range(schema.count) if index not in contour]


def face_motion(
    before: Image, now: Image, points: Points, crop_moved: Matrix, expected: Matrix | None = None
) -> Matrix:
    """The similarity (2, 3) from pixels of this crop to those of the last one, along with the face.

    Optical flow (Lucas and Kanade) of the landmarks, and the motion that most of them share: those
    of lids and lips move by themselves. On a face at rest it is that of the crop alone.

    Args:
        before: (F, F) uint8, `flow_picture` of the last crop.
        now: the same of this crop.
        points: (K, 2) landmarks in pixels of the last crop.
        crop_moved: (2, 3), the same map for what stands still in the picture. It is given back
            where too few points are found again, or where they tell what no face does between two
            frames: growth beyond 1.35, or a roll beyond 25 degrees.
        expected: (2, 3), where flow begins to look; by default that of the crop.
    """
    guess = transform(inverse(crop_moved if expected is None else expected), points)
    found, known, _ = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        np.ascontiguousarray(points, np.float32).reshape(-1, 1, 2),
        np.ascontiguousarray(guess, np.float32).reshape(-1, 1, 2),
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=_LEVELS if expected is None else _LEVELS_NEAR,
        criteria=_CRITERIA,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    there = known[:, 0] > 0
    if there.sum() < FEWEST:
        return crop_moved
    source, target = found[there, 0], points[there].astype(np.float32)
    fitted, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    if fitted is None:
        return crop_moved
    face = np.asarray(fitted, np.float64)
    if not _plausible(face, crop_moved):
        return crop_moved
    off = transform(face, source) - transform(crop_moved, source)
    way = float(np.square(off).sum(-1).mean())
    share = way / (way + (REST * len(now)) ** 2)
    return crop_moved + share * (face - crop_moved)


def _plausible(face: Matrix, crop_moved: Matrix) -> bool:
    """Whether a face can have moved so, beside its crop, from one frame to the next."""
    turn = complex(face[0, 0], face[1, 0]) / complex(crop_moved[0, 0], crop_moved[1, 0])
    growth, roll_deg = abs(turn), abs(np.degrees(np.angle(turn)))
    return bool(1 / _MOST_GROWTH < growth < _MOST_GROWTH and roll_deg < _MOST_ROLL_DEG)


def landmark_motion(before: Points, now: Points) -> Matrix:
    """The least-squares similarity (2, 3) that carries landmarks of this frame to the last one's.

    before, now: (K, 2), pixels of the last crop and of this one.
    """
    z, w = (np.ascontiguousarray(xy, np.float64).view(np.complex128)[:, 0] for xy in (now, before))
    source, target = z.sum() / len(z), w.sum() / len(w)
    z = z - source
    turn = complex(np.vdot(z, w - target) / max(float(np.vdot(z, z).real), 1e-9))
    shift = complex(target - turn * source)
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def face_size(xy: Points) -> float:
    """The outer-eye distance that a face of this extent has when it looks into the camera.

    xy: (K, 2) landmarks; unlike the distance itself it does not collapse on profiles.
    """
    return max(1e-3, EYES_OF_RADIUS * float(np.sqrt(np.square(xy - xy.mean(0)).sum(-1).mean())))


def motion_contradicted(
    moved: Matrix, before: Points, now: Points, side: int, told: Matrix | None = None
) -> Matrix | None:
    """The motion of the landmarks, where it contradicts the one seen in the pictures, else None.

    Both agree where they place the landmarks within 0.4 % of the crop's side of each other, and
    0.6 of the landmarks' own scatter about their common motion (noise, and what lips and lids do).

    Args:
        moved: (2, 3), what `face_motion` gave.
        before: (K, 2) raw landmarks in pixels of the last crop.
        now: the same of this crop.
        side: of a crop, pixels.
        told: `landmark_motion` of both, where it is known.
    """
    told = landmark_motion(before, now) if told is None else told
    placed = transform(told, now)
    scatter = float(np.sqrt(np.square(placed - before).sum(-1).mean()))
    apart = float(np.linalg.norm(transform(moved, now) - placed, axis=-1).mean())
    return told if apart > _AGREES * side + _AGREES_NOISE * scatter else None
