"""Corrected landmarks: what a person has moved in some frames, carried over to their neighbours."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from steadymark.engine.review.project import Correction

    Floats = NDArray[np.floating]
    Mask = NDArray[np.bool_]

_LEAST_WEIGHT = 1e-6  # rounding of times must not mark a frame as corrected


def apply_corrections(
    xy: Floats,
    frame: NDArray[np.int64],
    time_s: NDArray[np.float64],
    corrections: Iterable[Correction],
    detected: Mask | None = None,
) -> tuple[Floats, Mask]:
    """Return corrected landmarks of one face.

    In a corrected frame, the moved landmarks are exactly where they were put. Their offset from
    the tracked place fades out linearly over `span_s` on either side; between two corrected frames
    that are closer than that, it goes linearly from one to the other. A correction does not reach
    beyond a frame in which the face was detected anew, since what was tracked before has nothing to
    do with what was tracked since. Frames without the face stay without it.

    Args:
        xy: (T, K, 2) landmarks of the face in pixels; NaN in frames without it.
        frame: (T,) increasing frame indices.
        time_s: (T,) times of the frames in seconds.
        corrections: The corrections of this face; those of other frames are ignored.
        detected: (T,) True for frames in which the face was detected anew; None if there are none.

    Returns:
        (T, K, 2) corrected landmarks, and (T,) True for frames in which a landmark was changed.
    """
    changed = xy.copy()
    begins = np.zeros(len(xy), np.bool_) if detected is None else detected
    stretch = np.cumsum(begins, dtype=np.int64)
    mask = np.zeros(len(xy), np.bool_)
    by_landmark: dict[int, list[tuple[int, float, float, float]]] = defaultdict(list)
    for one in sorted(corrections, key=lambda correction: correction.frame):
        row = int(np.searchsorted(frame, one.frame))
        if row < len(frame) and frame[row] == one.frame and np.isfinite(xy[row]).all():
            for landmark, x, y in one.points:
                by_landmark[landmark].append((row, x, y, one.span_s))
    for landmark, moved in by_landmark.items():
        if landmark >= xy.shape[1]:
            continue
        offset, touched = _offsets(xy[:, landmark], time_s, stretch, moved)
        changed[:, landmark] += offset.astype(xy.dtype)
        for row, x, y, _ in moved:
            changed[row, landmark] = x, y
        mask |= touched & np.isfinite(xy).all((1, 2))
    return changed, mask


def _offsets(
    xy: Floats,
    time_s: NDArray[np.float64],
    stretch: NDArray[np.int64],
    moved: list[tuple[int, float, float, float]],
) -> tuple[NDArray[np.float64], Mask]:
    """Return the (T, 2) offset of one landmark, and (T,) where it is not 0.

    Args:
        xy: (T, 2) tracked places.
        time_s: (T,) times.
        stretch: (T,) numbers of the stretches between new detections.
        moved: Row, x, y and span of each frame in which it was moved, in order.
    """
    total = np.zeros((len(xy), 2))
    touched = np.zeros(len(xy), np.bool_)
    rows = np.array([row for row, *_ in moved])
    for row, x, y, span_s in moved:
        near = rows[stretch[rows] == stretch[row]]
        before_s = after_s = max(span_s, 1e-9)
        if len(earlier := near[near < row]):
            before_s = min(before_s, float(time_s[row] - time_s[earlier[-1]]))
        if len(later := near[near > row]):
            after_s = min(after_s, float(time_s[later[0]] - time_s[row]))
        since = time_s - time_s[row]
        weight = np.clip(1 - np.where(since < 0, -since / before_s, since / after_s), 0.0, 1.0)
        weight[row] = 1.0
        weight[stretch != stretch[row]] = 0.0
        total += weight[:, None] * (np.array([x, y]) - xy[row])
        touched |= weight > _LEAST_WEIGHT
    return total, touched
