"""The pupils of tracked faces: a network on crops of their eyes, and a filter."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.core.pupils import Pupils
from steadymark.models.errors import WeightsError
from steadymark.models.face.eye_crop import (
    EYE_WIDTH,
    EYES,
    MARGIN,
    cut_eye,
    eye_crops,
    pupil_in_frame,
)
from steadymark.models.runtime.pupil_network import PUPILS, PupilNetwork
from steadymark.models.runtime.zoo import find_model, verified_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.eye_crop import EyeCrop
    from steadymark.models.runtime.zoo import ModelCard

    Offset = NDArray[np.float64]

LEAST_WIDTH_PX = 4.0  # of an eye
LEAST_SHARE = 0.45  # least width of an eye, as a share of the other's: the far eye of a profile
CUTOFF_HZ = 0.5  # of the filter at rest
JUMP = 0.02  # offset that is followed at once, as a share of the eye's width
_LONGEST_GAP_S = 1.0  # the filter restarts after a longer gap
_CORNERS = [eye[corner] for eye in EYES for corner in (0, 3)]
_WIDTH_IN_CROP = EYE_WIDTH / MARGIN  # width of the wider eye, pixels of the crop


class PupilMemory(NamedTuple):
    """The state of the filter after a frame.

    Attributes:
        time_s: Time of the frame in seconds.
        offsets: (2, 2) filtered places of the pupils in pixels of the eyes' crops; NaN for an eye
            whose pupil was not seen.
    """

    time_s: float
    offsets: Offset


class _Eye(NamedTuple):
    """An eye that the network is run on: index of the face, 0 for right or 1 for left, and crop."""

    face: int
    eye: int
    crop: EyeCrop


@dataclass(slots=True)
class PupilTracker:
    """Finds the pupils of faces; it holds no state of them, so that trackers can share it.

    The network is opened when the first face is found, so that it does not delay the start.

    Attributes:
        card: The model card of the pupil network.
    """

    card: ModelCard
    _network: PupilNetwork | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(
        self,
        image: Image,
        faces: Sequence[Points],
        before: Sequence[PupilMemory | None],
        time_s: float,
    ) -> list[tuple[Pupils, PupilMemory]]:
        """Find the pupils of the faces of one frame.

        Args:
            image: (H, W, 3) uint8 BGR frame.
            faces: (68, 2) landmarks of each face in iBUG's order, frame pixels.
            before: The state of each face after the previous frame; None for a new face.
            time_s: Time of the frame in seconds.

        Returns:
            For each face, its pupils and the new state.
        """
        eyes = [
            _Eye(number, eye, crop)
            for number, points in enumerate(faces)
            for eye, crop in visible_eyes(points, image.shape[1], image.shape[0])
        ]
        offsets = np.full((len(faces), 2, 2), np.nan)
        centres, scores = offsets.copy(), np.zeros((len(faces), 2))
        if eyes:
            found, seen = self._opened()(np.stack([cut_eye(image, e.crop) for e in eyes]))
            for each, offset, score in zip(eyes, found, seen.tolist(), strict=True):
                scores[each.face, each.eye] = score
                if score >= self.card.threshold:
                    kept = _filtered(offset, each, before[each.face], time_s)
                    offsets[each.face, each.eye] = kept
                    centres[each.face, each.eye] = pupil_in_frame(kept, each.crop)
        return [
            (Pupils(*each), PupilMemory(time_s, offset))
            for *each, offset in zip(centres, scores, offsets, strict=True)
        ]

    def _opened(self) -> PupilNetwork:
        with self._lock:
            if self._network is None:
                self._network = PupilNetwork(self.card)
            return self._network


def open_pupil_tracker() -> PupilTracker:
    """Return a tracker of pupils with the shipped network, which is checked but not opened yet.

    Raises:
        WeightsError: The network or its card is missing, damaged or altered.
    """
    try:
        card = find_model(PUPILS, PUPILS)
        verified_bytes(card)
    except WeightsError as error:
        raise WeightsError(
            "the pupils cannot be found (--no-pupils tracks without them): {fault}", fault=error
        ) from error
    return PupilTracker(card)


def visible_eyes(points: Points, width: int, height: int) -> list[tuple[int, EyeCrop]]:
    """Return the eyes of a face that may show a pupil, with the squares around them.

    Left out are eyes whose corners lie outside the frame, very small eyes, and the far eye of a
    head that is turned so far that its eye is less than half as wide as the near one.

    Args:
        points: (68, 2) landmarks in iBUG's order, frame pixels.
        width: Width of the frame.
        height: Height of the frame.

    Returns:
        0 for the person's right eye or 1 for the left one, and the square.
    """
    corners = points[_CORNERS].tolist()  # lists are faster than arrays for so few numbers
    if not all(math.isfinite(value) for place in corners for value in place):
        return []
    inside = [-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5 for x, y in corners]
    crops = eye_crops(points)
    least = max(LEAST_WIDTH_PX, LEAST_SHARE * max(crop.width_px for crop in crops))
    return [
        (eye, crop)
        for eye, crop in enumerate(crops)
        if all(inside[2 * eye : 2 * eye + 2]) and crop.width_px >= least
    ]


def filtered_offset(offset: Offset, before: Offset, gap_s: float) -> Offset:
    """Filter the place of a pupil in its eye.

    It is a first-order low-pass filter whose weight rises with the square of the distance from the
    last place, to 1 at `JUMP`. So the noise of a resting eye is damped, and a saccade is followed
    in the frame in which it is seen. (The 1€ filter estimates the speed over several frames first.)

    Args:
        offset: (2,) place in this frame, pixels of the crop.
        before: (2,) filtered place in the previous frame; NaN if there is none.
        gap_s: Time since the previous frame in seconds.

    Returns:
        (2,) filtered place.
    """
    (x, y), (before_x, before_y) = offset.tolist(), before.tolist()
    if not 0 < gap_s <= _LONGEST_GAP_S or math.isnan(before_x + before_y):
        return offset
    across, down = x - before_x, y - before_y
    share = min(1.0, math.hypot(across, down) / (JUMP * _WIDTH_IN_CROP)) ** 2
    at_rest = 1 - math.exp(-2 * math.pi * CUTOFF_HZ * gap_s)
    weight = at_rest + (1 - at_rest) * share
    return np.array((before_x + weight * across, before_y + weight * down))


def _filtered(
    found: NDArray[np.float32], eye: _Eye, before: PupilMemory | None, time_s: float
) -> Offset:
    offset = found.astype(np.float64)
    if before is None:
        return offset
    return filtered_offset(offset, before.offsets[eye.eye], time_s - before.time_s)
