"""Parts taken from the flow stabilizer for the ablation, and constants that are as lively as it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.crop import transform
from steadymark.models.face.landmark_flow import FlowFrame, LandmarkFlow, landmark_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.tracking.tracker import Tracker
    from steadymark.models.face.crop import Points
    from steadymark.models.face.schema import LandmarkSchema

GAINS = (
    0.02,
    0.05,
    0.1,
    0.2,
    0.4,
    0.8,
    1.6,
    3.2,
    6.4,
    12.8,
    25.6,
)  # of which the search begins between two
NEAR = 0.01  # mouth amplitudes that differ by less are the same
_HALVINGS = 6


def still_landmarks(
    before: FlowFrame, now: FlowFrame, starts: Points, schema: LandmarkSchema
) -> LandmarkFlow:
    """As landmark_flow, but no landmark moves beside the face."""
    flow = landmark_flow(before, now, starts, schema)
    return flow._replace(beside=np.zeros_like(flow.beside))


def still_face(
    before: FlowFrame, now: FlowFrame, starts: Points, schema: LandmarkSchema
) -> LandmarkFlow:
    """As landmark_flow, but the face stands still in the frame: each landmark moves by itself."""
    flow = landmark_flow(before, now, starts, schema)
    beside = transform(flow.face, starts) - starts + flow.beside
    return flow._replace(face=np.eye(2, 3), beside=beside.astype(np.float32))


def no_landmark_flow(tracker: Tracker) -> None:
    """The flow cell is told that no landmark moves beside the face."""
    if tracker.flow is not None:
        tracker.flow.motion = still_landmarks


def no_face_motion(tracker: Tracker) -> None:
    """The flow cell is told that the face stands still in the frame."""
    if tracker.flow is not None:
        tracker.flow.motion = still_face


def no_modes(tracker: Tracker) -> None:
    """The flow cell is not told how landmarks of a face move together."""
    if tracker.flow is not None:
        tracker.flow.modes = np.zeros_like(tracker.flow.modes)


def gain_of(
    reached: Callable[[float], float], wanted: float, gains: tuple[float, ...] = GAINS
) -> float:
    """The gain with which the mouth opens as far as is wanted.

    It is found between two neighbours of `gains`, by halving on a logarithmic scale; where none
    reaches it, the nearest end is given.

    reached: tells the mouth's amplitude of a gain, which grows with it.
    """
    known = [reached(gains[0])]
    while known[-1] < wanted and len(known) < len(gains):
        known.append(reached(gains[len(known)]))
    high = len(known) - 1
    if high == 0 or known[high] < wanted:
        return gains[high]
    low_gain, high_gain, best = gains[high - 1], gains[high], (known[high], gains[high])
    for _ in range(_HALVINGS):
        if abs(best[0] - wanted) <= NEAR:
            break
        middle = float(np.sqrt(low_gain * high_gain))
        found = reached(middle)
        low_gain, high_gain = (middle, high_gain) if found < wanted else (low_gain, middle)
        best = min(best, (found, middle), key=lambda pair: abs(pair[0] - wanted))
    return best[1]
