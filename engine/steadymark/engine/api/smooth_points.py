"""Stabilizers that need only landmarks, which may come from any program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.api.inputs import checked_number, checked_points, checked_times
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import Landmarks
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.online_filters import (
    OFFLINE,
    ONE_EURO,
    STABILIZERS,
    OneEuro,
    make_stabilizer,
)
from steadymark.engine.tracking.face_pass import TrackerConfig

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from steadymark.engine.api.inputs import Array

POINT_STABILIZERS = (ONE_EURO, OFFLINE)
_PARAMETERS = {
    OFFLINE: ("cutoff_hz", "order"),
    ONE_EURO: ("min_cutoff_hz", "beta", "derivative_cutoff_hz"),
}
_LONGEST_ORDER = 10


def smooth(
    points: ArrayLike,
    timestamps_s: ArrayLike,
    method: str = OFFLINE,
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
            `derivative_cutoff_hz` (1).
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
    chosen = make_filter(method, parameters)
    faces = xy[:, None] if xy.ndim == 3 else xy
    out = np.empty(faces.shape, np.float32 if xy.dtype == np.float32 else np.float64)
    for n in range(faces.shape[1]):
        out[:, n] = filtered(chosen, faces[:, n], times)
    return out.reshape(xy.shape)


def make_filter(method: str, parameters: dict[str, Any]) -> Butterworth | OneEuro:
    """Create a filter by name.

    Args:
        method: See `smooth`.
        parameters: See `smooth`.

    Returns:
        The filter.

    Raises:
        UsageError: See `smooth`.
    """
    if method not in POINT_STABILIZERS:
        known = ", ".join(POINT_STABILIZERS)
        if method in STABILIZERS and method != "none":
            raise UsageError(
                "{method} needs the pictures, and not only points: choose one of {known}, or track "
                "the video with stabilizer='{method}'",
                method=method,
                known=known,
            )
        raise UsageError("unknown method '{method}': choose {known}", method=method, known=known)
    for name, value in parameters.items():
        if name not in _PARAMETERS[method]:
            raise UsageError(
                "{method} has no parameter '{name}': it has {known}",
                method=method,
                name=name,
                known=", ".join(_PARAMETERS[method]),
            )
        checked_number(value, name=name)
    order = parameters.get("order", 2)
    if order not in range(1, _LONGEST_ORDER + 1):
        raise UsageError(
            "order must be a whole number from 1 to {most}, not {order}",
            most=_LONGEST_ORDER,
            order=order,
        )
    if method == OFFLINE:
        return Butterworth(**{**parameters, "order": int(order)})
    return OneEuro(**parameters)


def filtered(
    chosen: Butterworth | OneEuro,
    points: NDArray[np.floating[Any]],
    times_s: NDArray[np.float64],
    begins: NDArray[np.bool_] | None = None,
) -> NDArray[np.floating[Any]]:
    """Filter the landmarks of one face.

    Args:
        chosen: The filter.
        points: (T, K, 2) landmarks.
        times_s: (T,) times in seconds.
        begins: (T,) True in frames at which the 1€ filter is reset. None resets it after a gap
            in time, as the tracker does.

    Returns:
        (T, K, 2) filtered landmarks.
    """
    if isinstance(chosen, Butterworth):
        return chosen.smooth(points, times_s)
    if begins is None:
        begins = after_pauses(times_s)
    stabilizer = make_stabilizer(ONE_EURO, chosen)
    out = points.astype(np.float32)
    scores = np.ones(points.shape[1], np.float32)
    memory = stabilizer.start()
    for t, xy in enumerate(points.astype(np.float32)):
        if begins[t]:
            memory = stabilizer.start()
        if not np.isfinite(xy).all():
            memory = stabilizer.start()
            continue
        steady, memory = stabilizer.step(Landmarks(xy, scores), float(times_s[t]), memory)
        out[t] = steady.xy_px
    return out


def after_pauses(times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (T,) flags: True for the first frame and after gaps that reset the tracker."""
    gaps = np.diff(times_s, prepend=-np.inf)
    return ~((gaps > 0) & (gaps <= TrackerConfig().longest_gap_s))
