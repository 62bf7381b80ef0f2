"""Running a filter over landmarks: frame by frame, or over a recording if it needs the future."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from steadymark.engine.core.protocols import OfflineFilter
from steadymark.engine.core.types import Landmarks
from steadymark.engine.stabilizers.guarded_filters import GuardedOfflineFilter, GuardedStabilizer
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.stabilizers.stabilizer_registry import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.engine.core.protocols import Stabilizer
    from steadymark.engine.stabilizers.stabilizer_registry import ChosenStabilizer

_CHECK_STOP_EVERY = 256  # frames


def make_filter(chosen: ChosenStabilizer) -> Stabilizer[Any] | OfflineFilter:
    """Create the filter of a stabilizer over landmarks, with the divergence guard.

    Args:
        chosen: The stabilizer.

    Returns:
        The filter; `NoStabilizer` if a network stabilizes.
    """
    entry = chosen.entry
    if entry.make is None or entry.name == NONE:
        return NoStabilizer()
    point_filter = entry.make(**dict(chosen.values))
    if entry.needs_future:
        return GuardedOfflineFilter(cast("OfflineFilter", point_filter))
    return GuardedStabilizer(cast("Stabilizer[Any]", point_filter))


def online_filter(chosen: ChosenStabilizer) -> Stabilizer[Any]:
    """Return the filter that a tracker applies to each frame, or else `NoStabilizer`."""
    point_filter = make_filter(chosen)
    return NoStabilizer() if isinstance(point_filter, OfflineFilter) else point_filter


def offline_filter(chosen: ChosenStabilizer) -> OfflineFilter | None:
    """Return the filter that is applied to a whole recording, or None if there is none."""
    point_filter = make_filter(chosen)
    return point_filter if isinstance(point_filter, OfflineFilter) else None


def run_filter(
    point_filter: Stabilizer[Any] | OfflineFilter,
    points: NDArray[np.floating],
    times_s: NDArray[np.floating],
    restarts: NDArray[np.bool_] | None = None,
    *,
    scores: NDArray[np.floating] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> NDArray[np.float64]:
    """Filter the landmarks of one face.

    A filter restarts in frames without the face.

    Args:
        point_filter: The filter.
        points: Landmarks, (T, K, 2), in pixels; NaN in frames without the face.
        times_s: Increasing times of the frames, (T,), in seconds.
        restarts: Frames at which a filter that needs no future restarts, (T,); None for none.
        scores: Scores of the landmarks, (T, K), in [0, 1]; None for 1.
        stop: Is called repeatedly and returns whether the rest is no longer wanted.

    Returns:
        Filtered landmarks, (T, K, 2), in pixels; frames without the face are unchanged.
    """
    if isinstance(point_filter, OfflineFilter):
        return point_filter.smooth(points, times_s)
    out = points.astype(np.float64)
    if scores is None:
        scores = np.ones(points.shape[:2], np.float32)
    has_face = np.isfinite(points).all((1, 2))
    state = point_filter.start()
    for index, (xy, t_s) in enumerate(zip(points, times_s, strict=True)):
        if index % _CHECK_STOP_EVERY == 0 and stop():
            break
        if not has_face[index] or (restarts is not None and restarts[index]):
            state = point_filter.start()
        if has_face[index]:
            landmarks = Landmarks(xy.astype(np.float32), scores[index].astype(np.float32))
            smoothed, state = point_filter.step(landmarks, float(t_s), state)
            out[index] = smoothed.xy_px
    return out
