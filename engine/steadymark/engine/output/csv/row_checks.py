"""Checks of the rows of a landmark file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_columns
from steadymark.engine.core.types import FaceState
from steadymark.engine.output.csv.columns import BOX, IMAGE, CsvStyle, numbered
from steadymark.engine.output.csv.row_parsing import LARGEST, STATES, state_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from steadymark.engine.output.csv.columns import TableHead
    from steadymark.engine.output.csv.row_parsing import Numbers

    Mask = NDArray[np.bool_]


class RowFault(NamedTuple):
    """An error or warning that concerns some rows.

    Attributes:
        rows: (n,) int64, indices of the rows.
        text: Description.
        is_warning: True for a warning.
    """

    rows: NDArray[np.int64]
    text: str
    is_warning: bool = False


# the columns whose checks need all rows together
KEYS = frozenset({"frame", IMAGE, "face_id", "timestamp_s", "timestamp", "state", "success"})


def key_faults(numbers: Numbers, head: TableHead) -> Iterator[RowFault]:
    """Check frame, face and time of all rows.

    Args:
        numbers: (N, C) values.
        head: The head of the table.

    Yields:
        Faults; a fault without rows means that the check passed.
    """
    yield from _identity_faults(numbers, head)
    yield from _order_faults(numbers, head)


def _identity_faults(numbers: Numbers, head: TableHead) -> Iterator[RowFault]:
    native = head.style is CsvStyle.NATIVE
    frame = _column(numbers, head, "frame")
    yield _fault(~_whole(frame, 0 if native else 1), "column 'frame' is not a whole number")
    yield _fault(~np.isfinite(_time(numbers, head)), "the time is not a number")
    if "face_id" not in head.names:
        return
    face = _column(numbers, head, "face_id")
    lost = _lost(numbers, head)
    no_id = np.isnan(face)
    yield _fault(~_whole(face, 0) & ~no_id, "column 'face_id' is not a whole number")
    yield _fault(no_id & ~lost, "column 'face_id' is empty, but the state is not lost")
    pairs = np.stack((frame, np.where(no_id, -1, face)), axis=1)
    order = np.lexsort(pairs.T)  # stable: of equal rows, all but the first are reported
    repeated = (np.diff(pairs[order], axis=0) == 0).all(1)
    yield RowFault(order[1:][repeated], "a row of the same frame and face is there already")


def _order_faults(numbers: Numbers, head: TableHead) -> Iterator[RowFault]:
    """Check each row against the row before it."""
    with np.errstate(invalid="ignore"):
        step = np.diff(_column(numbers, head, "frame"), prepend=np.nan)
        step_s = np.diff(_time(numbers, head), prepend=np.nan)
        yield _fault(step < 0, "the frame goes back")
        if IMAGE not in head.names:  # the file names tell which numbers are missing
            yield _fault(step > 1, "frames are missing before this one", is_warning=True)
        yield _fault((step != 0) & (step_s < 0), "the time goes back")
        yield _fault(
            (step > 0) & (step_s == 0), "the time is that of the frame before", is_warning=True
        )
        yield _fault((step == 0) & (step_s != 0), "the same frame has two times")


def value_faults(numbers: Numbers, head: TableHead) -> Iterator[RowFault]:
    """Check the landmarks, scores and other values of each row.

    Args:
        numbers: (N, C) values.
        head: The head of the table.

    Yields:
        Faults; a fault without rows means that the check passed.
    """
    native = head.style is CsvStyle.NATIVE
    lost = _lost(numbers, head)
    k = head.points
    points = [n for p in (("x", "y", "raw_x", "raw_y") if native else "xy") for n in numbered(p, k)]
    scores = ["score", *numbered("score", k)] if native else ["confidence"]
    xy, score = _part(numbers, head, points), _part(numbers, head, scores)
    yield _fault(~lost & ~np.isfinite(xy).all(1), "a face that is there has NaN among its points")
    yield _fault(~lost & np.isnan(score).any(1), "a face that is there has NaN among its scores")
    outside: Mask = np.asarray(((score < 0) | (score > 1)).any(1))
    yield _fault(outside, "a score is outside 0 to 1")
    if not native:  # OpenFace may write values into rows without success
        success = _column(numbers, head, "success")
        yield _fault((success != 0) & (success != 1), "column 'success' is neither 0 nor 1")
        return
    attributes = (column.name for column in attribute_columns())
    rest = _part(numbers, head, [name for name in (*BOX, *attributes) if name in head.names])
    has_values = ~np.isnan(np.concatenate((xy, score, rest), axis=1))
    yield _fault(lost & has_values.any(1), "a lost face has values, which should be nan")


def _fault(rows: Mask, text: str, *, is_warning: bool = False) -> RowFault:
    return RowFault(np.flatnonzero(rows), text, is_warning)


def _whole(values: Numbers, least: int) -> Mask:
    with np.errstate(invalid="ignore"):
        whole: Mask = (values >= least) & (values < LARGEST) & (values % 1 == 0)
    return whole


def _lost(numbers: Numbers, head: TableHead) -> Mask:
    lost: Mask = state_codes(numbers, head) == STATES.index(FaceState.LOST)
    return lost


def _time(numbers: Numbers, head: TableHead) -> Numbers:
    return _column(numbers, head, "timestamp_s" if head.style is CsvStyle.NATIVE else "timestamp")


def _column(numbers: Numbers, head: TableHead, name: str) -> Numbers:
    return numbers[:, head.names.index(name)]


def _part(numbers: Numbers, head: TableHead, names: list[str]) -> Numbers:
    place = {name: i for i, name in enumerate(head.names)}
    return numbers[:, [place[name] for name in names]]
