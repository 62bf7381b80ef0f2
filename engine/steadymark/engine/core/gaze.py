"""Where the eyes of a face look in one frame, and a person's correction of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

GAZE = "gaze"  # name of the attribute with the lines of sight
_MOST = 1.5  # largest angle of a vector, in radians


@dataclass(frozen=True, slots=True, eq=False)
class Gaze:
    """The gaze of both eyes; the first is the person's right eye, as in `Pupils`.

    Attributes:
        centres_mm: (2, 3) centres of the eyeballs in the camera's axes.
        directions: (2, 3) unit vectors along the lines of sight in the camera's axes, see
            `HeadPose`; NaN for an eye whose gaze is unknown.
        head_directions: (2, 3) the same in the face's axes: (0, 0, -1) looks straight ahead.
    """

    centres_mm: Floats
    directions: Floats
    head_directions: Floats


@dataclass(frozen=True, slots=True)
class GazeCalibration:
    """A person's correction of the gaze relative to the head: gain times angle, plus offset.

    The angles are those of `gaze_angles`, in degrees.

    Attributes:
        name: Name of the person.
        gain: Factors of the horizontal and of the vertical angle.
        offset_deg: Horizontal and vertical offset of the right eye, and of the left eye.
    """

    name: str
    gain: tuple[float, float] = (1.0, 1.0)
    offset_deg: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))

    def corrected(self, head_directions: Floats) -> Floats:
        """Return the corrected directions.

        Args:
            head_directions: (2, 3) directions of both eyes in the face's axes; NaN if unknown.

        Returns:
            (2, 3) unit vectors; NaN where the direction is unknown.
        """
        vectors = []
        for (x, y, z), offset in zip(head_directions.tolist(), self.offset_deg, strict=True):
            slopes = [
                math.tan(
                    min(max(gain * math.atan2(along, -z) + math.radians(shift), -_MOST), _MOST)
                )
                for along, gain, shift in zip((x, y), self.gain, offset, strict=True)
            ]
            size = math.hypot(*slopes, 1.0)
            vectors.append((slopes[0] / size, slopes[1] / size, -1.0 / size))
        return np.array(vectors)


def gaze_angles(directions: Floats) -> Floats:
    """Return the horizontal and vertical angle of directions, as OpenFace defines them.

    Args:
        directions: (…, 3) vectors; they need not have unit length.

    Returns:
        (…, 2) radians: positive to the right of the picture, which is the person's left; and
        positive downwards. Both are 0 for the direction (0, 0, -1), towards the camera.
    """
    angles: Floats = np.arctan2(directions[..., :2], -directions[..., 2:])
    return angles


def gaze_vectors(angles_rad: Floats) -> Floats:
    """Return the (…, 3) unit vectors of angles (…, 2) within ±90°; it inverts `gaze_angles`."""
    slopes = np.tan(angles_rad.clip(-_MOST, _MOST))
    vectors = np.concatenate((slopes, np.full((*slopes.shape[:-1], 1), -1.0)), -1)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def mean_direction(directions: Floats) -> Floats:
    """Return the (3,) mean of the directions (2, 3) that are known; NaN if none is."""
    known = directions[np.isfinite(directions).all(1)]
    mean: Floats = known.sum(0) / len(known) if len(known) else np.full(3, np.nan)
    return mean
