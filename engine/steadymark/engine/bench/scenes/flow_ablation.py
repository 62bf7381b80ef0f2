"""Ablations of the flow stabilizer: versions without one part, and the search for their gain."""

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
)  # The search starts between two neighbours of these.
NEAR = 0.01  # Amplitudes that differ by less count as equal.
_HALVINGS = 6


def still_landmarks(
    before: FlowFrame, now: FlowFrame, starts: Points, schema: LandmarkSchema
) -> LandmarkFlow:
    """Compute `landmark_flow` with the landmarks' motion relative to the face set to zero.

    Args:
        before: The previous frame.
        now: The current frame.
        starts: Places of the landmarks in the previous frame, (K, 2), in pixels.
        schema: The landmark schema.

    Returns:
        The flow.
    """
    flow = landmark_flow(before, now, starts, schema)
    return flow._replace(beside=np.zeros_like(flow.beside))


def still_face(
    before: FlowFrame, now: FlowFrame, starts: Points, schema: LandmarkSchema
) -> LandmarkFlow:
    """Compute `landmark_flow` with the face's motion set to zero; each landmark moves on its own.

    Args:
        before: The previous frame.
        now: The current frame.
        starts: Places of the landmarks in the previous frame, (K, 2), in pixels.
        schema: The landmark schema.

    Returns:
        The flow.
    """
    flow = landmark_flow(before, now, starts, schema)
    beside = transform(flow.face, starts) - starts + flow.beside
    return flow._replace(face=np.eye(2, 3), beside=beside.astype(np.float32))


def no_landmark_flow(tracker: Tracker) -> None:
    """Make the flow cell assume that no landmark moves relative to the face."""
    if tracker.stabilization.flow is not None:
        tracker.stabilization.flow.motion = still_landmarks


def no_face_motion(tracker: Tracker) -> None:
    """Make the flow cell assume that the face does not move in the frame."""
    if tracker.stabilization.flow is not None:
        tracker.stabilization.flow.motion = still_face


def no_modes(tracker: Tracker) -> None:
    """Remove from the flow cell the deformation modes, in which landmarks move together."""
    if tracker.stabilization.flow is not None:
        tracker.stabilization.flow.modes = np.zeros_like(tracker.stabilization.flow.modes)


def gain_of(
    reached: Callable[[float], float], wanted: float, gains: tuple[float, ...] = GAINS
) -> float:
    """Find the gain with which the mouth opens as far as wanted.

    The gain is searched between two neighbours of `gains` by bisection on a logarithmic scale. If
    no gain reaches the amplitude, the nearest end of `gains` is returned.

    Args:
        reached: Returns the mouth's amplitude for a gain; it increases with the gain.
        wanted: The wanted amplitude.
        gains: Increasing gains between which the search starts.

    Returns:
        The gain.
    """
    amplitudes = [reached(gains[0])]
    while amplitudes[-1] < wanted and len(amplitudes) < len(gains):
        amplitudes.append(reached(gains[len(amplitudes)]))
    high = len(amplitudes) - 1
    if high == 0 or amplitudes[high] < wanted:
        return gains[high]
    low_gain, high_gain, best = gains[high - 1], gains[high], (amplitudes[high], gains[high])
    for _ in range(_HALVINGS):
        if abs(best[0] - wanted) <= NEAR:
            break
        middle = float(np.sqrt(low_gain * high_gain))
        amplitude = reached(middle)
        low_gain, high_gain = (middle, high_gain) if amplitude < wanted else (low_gain, middle)
        best = min(best, (amplitude, middle), key=lambda pair: abs(pair[0] - wanted))
    return best[1]
