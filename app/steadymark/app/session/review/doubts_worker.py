"""A worker thread that finds doubtful stretches. A newer request replaces an older one."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.newest_worker import NewestWorker
from steadymark.app.session.recording.face_rows import FaceRows
from steadymark.app.session.recording.results import FrameStatus
from steadymark.app.session.review.results_table import table_of_faces
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.metrics.rest_detection import true_runs
from steadymark.engine.review.doubtful_stretches import find_doubtful, worst_first
from steadymark.engine.review.person_track import tracks_of
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import Results
    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch, DoubtLimits

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DoubtsRequest:
    """A request for the doubtful stretches of results."""

    results: Results
    limits: DoubtLimits


@dataclass(frozen=True, slots=True, eq=False)
class DoubtsReply:
    """The answer to a request for doubtful stretches.

    Attributes:
        request: The request.
        stretches: The stretches, the worst first.
        complete: Whether all frames were processed.
        has_faces: Whether a face was found in any frame.
        elapsed_s: The duration of the computation in seconds.
        fault: A sentence that says what failed, or nothing.
    """

    request: DoubtsRequest
    stretches: tuple[DoubtfulStretch, ...] = ()
    complete: bool = False
    has_faces: bool = False
    elapsed_s: float = 0.0
    fault: UserText = NOTHING


class DoubtsWorker(NewestWorker["DoubtsRequest", "DoubtsReply"]):
    """Finds doubtful stretches on a thread of its own.

    Args:
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        super().__init__("doubts", on_ready)

    def _answer(self, request: DoubtsRequest) -> DoubtsReply:
        return _answer(request, self._unwanted)


def doubtful_of(
    results: Results, limits: DoubtLimits, stop: Callable[[], bool] = lambda: False
) -> list[DoubtfulStretch]:
    """Return the doubtful stretches of results, the worst first.

    Frames that are not processed yet or left out by a table are no doubts: the parts before and
    after them are reviewed as if they were videos of their own. Damaged frames are pauses of the
    video.

    Args:
        results: The results, which must not change meanwhile; see `Results.snapshot`.
        limits: From which value on each kind of doubt counts.
        stop: Returns whether the stretches are no longer needed.

    Returns:
        The stretches.

    Raises:
        UsageError: It is not known which landmarks are the eye corners.
    """
    status, rows = results.frame_status(), results.rows()
    found: list[DoubtfulStretch] = []
    for run in true_runs(np.isin(status, (FrameStatus.TRACKED, FrameStatus.DAMAGED))):
        if stop():
            break
        frames = run.start + np.flatnonzero(status[run] == FrameStatus.TRACKED)
        inside = (rows.frame >= run.start) & (rows.frame < run.stop)
        table = table_of_faces(results, rows if inside.all() else _selected(rows, inside))
        times_s, video = results.times_s[frames], range(run.start, run.stop)
        tracks = list(tracks_of(table, frames, times_s, video=video))
        found += find_doubtful(tracks, limits)
    return worst_first(found)


def _answer(request: DoubtsRequest, stop: Callable[[], bool]) -> DoubtsReply:
    start_s = time.perf_counter()
    try:
        results = request.results.snapshot()
        stretches = tuple(doubtful_of(results, request.limits, stop))
        complete = results.complete
        has_faces = bool(results.has_faces().any())
    except SteadymarkError as error:
        return DoubtsReply(request, fault=error.sentence)
    except Exception as error:
        log.exception("doubtful stretches")
        named = f"{type(error).__name__}: {error}"
        fault = UserText("doubtful stretches cannot be found ({fault})", fault=named)
        return DoubtsReply(request, fault=fault)
    elapsed_s = time.perf_counter() - start_s
    return DoubtsReply(request, stretches, complete, has_faces, elapsed_s)


def _selected(rows: FaceRows, keep: NDArray[np.bool_]) -> FaceRows:
    return FaceRows(**{name: getattr(rows, name)[keep] for name in FaceRows.__slots__})
