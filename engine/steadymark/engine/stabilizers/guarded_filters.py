"""Filters of landmarks with the divergence guard, which restarts them from the raw landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.stabilizers.divergence_guard import (
    RawHistory,
    contradicted_frames,
    contradicts,
    landmark_steps,
    update_history,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.protocols import OfflineFilter, Stabilizer
    from steadymark.engine.core.types import Landmarks

GAP_S = 0.5  # A longer pause between two frames splits the recording.
_PASSES = 8  # Largest number of searches for restart positions.


@dataclass(frozen=True, slots=True, eq=False)
class GuardedStabilizerState:
    """State of a guarded stabilizer.

    Attributes:
        inner: State of the guarded filter.
        raw: History of the raw landmarks; None before the first frame.
    """

    inner: Any
    raw: RawHistory | None = None


@dataclass(frozen=True, slots=True)
class GuardedStabilizer:
    """A filter that restarts from the raw landmarks when it contradicts them.

    Attributes:
        inner: The guarded filter.
    """

    inner: Stabilizer[Any]

    def start(self) -> GuardedStabilizerState:
        """Return the state before the first frame."""
        return GuardedStabilizerState(self.inner.start())

    def step(
        self, points: Landmarks, t_s: float, state: GuardedStabilizerState
    ) -> tuple[Landmarks, GuardedStabilizerState]:
        """Filter one frame; see `divergence_guard.contradicts`.

        Args:
            points: Raw landmarks of the frame.
            t_s: Time of the frame, in seconds.
            state: State after the previous frame.

        Returns:
            The filtered landmarks and the new state.
        """
        stabilized, memory = self.inner.step(points, t_s, state.inner)
        if contradicts(stabilized, points, state.raw):
            stabilized, memory = self.inner.step(points, t_s, self.inner.start())
        return stabilized, GuardedStabilizerState(memory, update_history(state.raw, points))


@dataclass(frozen=True, slots=True)
class GuardedOfflineFilter:
    """A filter of a recording that is kept from contradicting the raw landmarks.

    Attributes:
        inner: The guarded filter. It gets segments without NaN and without a pause of more than
            half a second.
    """

    inner: OfflineFilter

    def smooth(
        self, points: NDArray[np.floating], times_s: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Filter a recording; see `smooth_guarded`."""
        return smooth_guarded(self.inner, points, times_s)


def smooth_guarded(
    inner: OfflineFilter, points: NDArray[np.floating], times_s: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Filter a recording, but keep the result from contradicting the raw landmarks.

    Where it does (see `divergence_guard.contradicted_frames`), the filter restarts at the largest
    step of the raw landmarks there. A scene cut or a jump of the detector is therefore not smeared
    over the neighbouring frames. Where a restart does not help, the raw landmarks are kept. The
    result has no lag.

    Args:
        inner: The filter.
        points: Raw landmarks of one face, (T, K, 2), in pixels; NaN in frames without it.
        times_s: Increasing times, (T,), in seconds.

    Returns:
        Filtered landmarks, (T, K, 2), in pixels.
    """
    out = points.astype(np.float64)
    for part in complete_segments(points, times_s):
        out[part] = _guarded(inner, out[part], times_s[part])
    return out


def _guarded(
    inner: OfflineFilter, raw: NDArray[np.float64], times_s: NDArray[np.floating]
) -> NDArray[np.float64]:
    if len(raw) < 2:
        return raw
    restarts = np.zeros(len(raw) + 1, np.bool_)
    restarts[[0, -1]] = True
    steps = np.pad(landmark_steps(raw).max(-1), 1)  # Step to each frame; 0 at both ends.
    for _ in range(_PASSES):
        stabilized = _in_parts(inner, raw, times_s, restarts)
        wrong = contradicted_frames(stabilized, raw)
        if not wrong.any():
            return stabilized
        restarts[_restart_positions(wrong, np.where(restarts, -1, steps))] = True
    for first, end in _runs(wrong):  # The filter ends and restarts next to raw landmarks.
        restarts[[first, end]] = True
    stabilized = _in_parts(inner, raw, times_s, restarts)
    wrong |= contradicted_frames(stabilized, raw)
    return np.where(wrong[:, None, None], raw, stabilized)


def _restart_positions(wrong: NDArray[np.bool_], steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the largest step (T + 1,) in each run of wrong frames, if it is large enough.

    Steps of at most half of the largest one are left for a later pass, because the large step may
    be what makes the frames beside the smaller ones wrong.
    """
    chosen = np.array([a + int(steps[a : b + 1].argmax()) for a, b in _runs(wrong)], np.int64)
    largest: NDArray[np.int64] = chosen[steps[chosen] > steps[chosen].max() / 2]
    return largest


def _in_parts(
    inner: OfflineFilter,
    raw: NDArray[np.float64],
    times_s: NDArray[np.floating],
    restarts: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Filter each part separately; `restarts` (T + 1,) is True at the edges of the parts."""
    edges = np.flatnonzero(restarts).tolist()
    return np.concatenate([inner.smooth(raw[a:b], times_s[a:b]) for a, b in pairwise(edges)])


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first frame and the end of each run of True."""
    changes = np.flatnonzero(np.diff(np.pad(mask, 1).astype(np.int8)))
    return [(int(a), int(b)) for a, b in changes.reshape(-1, 2)]


def complete_segments(points: NDArray[np.floating], times_s: NDArray[np.floating]) -> list[slice]:
    """Return the segments of frames with all landmarks and without a long pause.

    Args:
        points: Landmarks, (T, K, 2), in pixels; NaN in frames without the face.
        times_s: Times of the frames, (T,), in seconds.

    Returns:
        A slice of frames for each segment.
    """
    has_face = np.isfinite(points).all((1, 2))
    breaks = np.flatnonzero(
        ~(has_face[1:] & has_face[:-1]) | ~(np.diff(times_s) > 0) | (np.diff(times_s) > GAP_S)
    )
    edges = [0, *(breaks + 1).tolist(), len(points)]
    return [slice(a, b) for a, b in pairwise(edges) if has_face[a:b].all()]
