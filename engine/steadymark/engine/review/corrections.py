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
    _Moved = tuple[tuple[int, float], ...]  # row and span of each frame

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
    for moved, places in _moved_together(xy, frame, corrections).items():
        landmarks, (rows, spans_s) = list(places), zip(*moved, strict=True)
        at = np.array(list(places.values()))
        offset, touched = _offsets(xy[:, landmarks], time_s, stretch, (rows, spans_s), at)
        changed[:, landmarks] += offset.astype(xy.dtype)
        for i, row in enumerate(rows):
            changed[row, landmarks] = at[:, i]
        mask |= touched & np.isfinite(xy).all((1, 2))
    return changed, mask


def _moved_together(
    xy: Floats, frame: NDArray[np.int64], corrections: Iterable[Correction]
) -> dict[_Moved, dict[int, list[tuple[float, float]]]]:
    """Return the landmarks that were moved in the same frames, and their places in these frames."""
    by_landmark: dict[int, list[tuple[int, float, float, float]]] = defaultdict(list)
    for one in sorted(corrections, key=lambda correction: correction.frame):
        row = int(np.searchsorted(frame, one.frame))
        if row < len(frame) and frame[row] == one.frame and np.isfinite(xy[row]).all():
            for landmark, x, y in one.points:
                by_landmark[landmark].append((row, x, y, one.span_s))
    groups: dict[_Moved, dict[int, list[tuple[float, float]]]] = defaultdict(dict)
    for landmark, moved in by_landmark.items():
        if landmark < xy.shape[1]:
            key = tuple((row, span_s) for row, _, _, span_s in moved)
            groups[key][landmark] = [(x, y) for _, x, y, _ in moved]
    return groups


def _offsets(
    xy: Floats,
    time_s: NDArray[np.float64],
    stretch: NDArray[np.int64],
    moved: tuple[tuple[int, ...], tuple[float, ...]],
    places: NDArray[np.float64],
) -> tuple[NDArray[np.float64], Mask]:
    """Return the (T, L, 2) offsets of landmarks that were moved together, and (T,) where.

    Args:
        xy: (T, L, 2) tracked places.
        time_s: (T,) times.
        stretch: (T,) numbers of the stretches between new detections.
        moved: Row and span of each of the n frames in which they were moved, in order.
        places: (L, n, 2) where they were put.
    """
    total, touched = np.zeros(xy.shape), np.zeros(len(xy), np.bool_)
    rows = np.array(moved[0])
    for i, (row, span_s) in enumerate(zip(*moved, strict=True)):
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
        total += weight[:, None, None] * (places[:, i] - xy[row])
        touched |= weight > _LEAST_WEIGHT
    return total, touched
