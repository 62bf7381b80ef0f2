"""Stabilizers that need only landmarks, which may come from any program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.api.inputs import checked_number, checked_points, checked_times
from steadymark.engine.core.errors import UsageError
from steadymark.engine.stabilizers.filter_runner import make_filter, run_filter
from steadymark.engine.stabilizers.stabilizer_registry import (
    NONE,
    STABILIZER_REGISTRY,
    choose,
    point_filters,
)
from steadymark.engine.tracking.face_pass import TrackerConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from steadymark.engine.api.inputs import Array
    from steadymark.engine.stabilizers.stabilizer_registry import ChosenStabilizer

STABILIZERS = STABILIZER_REGISTRY.names()
POINT_STABILIZERS = tuple(entry.name for entry in point_filters())
DEFAULT_METHOD = "butterworth"


def smooth(
    points: ArrayLike,
    timestamps_s: ArrayLike,
    method: str = DEFAULT_METHOD,
    **parameters: float,
) -> Array:
    """Stabilize the landmarks of a video, which may come from any program.

    Args:
        points: (T, K, 2) landmarks of one face or (T, N, K, 2) of several, in pixels. They are
            NaN in frames without the face. After such frames, and after a gap of more than 0.5 s,
            the filter restarts.
        timestamps_s: (T,) increasing times of the frames in seconds.
        method: `butterworth` is a low-pass filter that runs forwards and backwards and so has
            no lag (Winter, Biomechanics and Motor Control, ch. 3). Its parameters are `cutoff_hz`
            (6) and `order` (2). `one-euro` is the 1€ filter (Casiez, Roussel and Vogel, CHI 2012),
            which uses no future frames. Its parameters are `min_cutoff_hz` (1), `beta` (1.5) and
            `derivative_cutoff_hz` (1). Filters of plug-ins can be named, too.
        **parameters: Parameters of the method.

    Returns:
        An array of the same shape; float32 if `points` is float32, otherwise float64. The numbers
        equal those of `steadymark track --stabilizer METHOD`.

    Raises:
        UsageError: The method is unknown or needs images, it has no such parameter, or the
            arrays do not fit together.

    Example:
        >>> import numpy as np, steadymark as sm
        >>> t = np.arange(60) / 30
        >>> noisy = np.random.default_rng(0).normal(0, 1, (60, 68, 2)) + 100
        >>> still = sm.smooth(noisy, t, method="butterworth", cutoff_hz=3)
        >>> bool(still.std(0).mean() < 0.6 * noisy.std(0).mean())
        True
    """
    xy = checked_points(points, ndim=(3, 4))
    times = checked_times(timestamps_s, len(xy))
    point_filter = make_filter(chosen_filter(method, parameters))
    restarts = restarts_of(times)
    faces = xy[:, None] if xy.ndim == 3 else xy
    out = np.empty(faces.shape, np.float32 if xy.dtype == np.float32 else np.float64)
    for n in range(faces.shape[1]):
        out[:, n] = run_filter(point_filter, faces[:, n], times, restarts)
    return out.reshape(xy.shape)


def chosen_filter(method: str, parameters: Mapping[str, Any]) -> ChosenStabilizer:
    """Choose a filter by name.

    Args:
        method: See `smooth`.
        parameters: See `smooth`.

    Returns:
        The filter and its parameters.

    Raises:
        UsageError: See `smooth`.
    """
    names = [entry.name for entry in point_filters()]
    known = ", ".join(names)
    if method not in names:
        if method in STABILIZER_REGISTRY.names() and method != NONE:
            raise UsageError(
                "{method} needs the pictures, and not only points: choose one of {known}, or track "
                "the video with stabilizer='{method}'",
                method=method,
                known=known,
            )
        raise UsageError("unknown method '{method}': choose {known}", method=method, known=known)
    values = {name: checked_number(value, name=name) for name, value in parameters.items()}
    return choose(method, **values)


def restarts_of(times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (T,) flags: True for the first frame and after gaps that reset the tracker."""
    gaps = np.diff(times_s, prepend=-np.inf)
    return ~((gaps > 0) & (gaps <= TrackerConfig().longest_gap_s))
