"""A worker thread that computes measures. A newer request replaces an older one."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.analysis.face_measures import (
    FaceMeasures,
    MeasureSelection,
    measure_face,
)
from steadymark.app.session.newest_worker import NewestWorker
from steadymark.engine.review.people.assignment import persons_of
from steadymark.engine.review.reviewed_table import excluded_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.analysis.comparison import ComparedPoints, Comparison
    from steadymark.app.session.analysis.ground_truth import GroundTruth
    from steadymark.app.session.recording.results import Results
    from steadymark.engine.review.project import Project

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedValues:
    """What the user has said of results.

    Attributes:
        attributes: (R, C) the attributes of the rows of the results; None if they are as tracked.
        project: The project, whose excluded intervals do not count; None for none.
    """

    attributes: NDArray[np.float64] | None = None
    project: Project | None = None


AS_TRACKED = ReviewedValues()


@dataclass(frozen=True, slots=True, eq=False)
class MeasureRequest:
    """A request for measures.

    Attributes:
        results: The results that are measured.
        fps: The frame rate.
        selection: What is measured.
        truth: The ground truth to compare with.
        comparison: The variants that are compared.
        reviewed: What the user has said of the results.
    """

    results: Results
    fps: float
    selection: MeasureSelection
    truth: GroundTruth | None = None
    comparison: Comparison | None = None
    reviewed: ReviewedValues = AS_TRACKED

    def excluded(self, face: int) -> NDArray[np.bool_]:
        """Return (frames,), True where an interval excludes a face."""
        times_s, project = self.results.times_s, self.reviewed.project
        if project is None:
            return np.zeros(len(times_s), np.bool_)
        frames = np.arange(len(times_s))
        persons = persons_of(np.full(len(frames), face), frames, project.reassignments)
        return excluded_rows(project, persons, times_s)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureReply:
    """The answer to a request for measures.

    Attributes:
        results: The results that were measured.
        measures: The measures, or None if no face was found.
        elapsed_s: The duration of the computation in seconds.
        compared: The compared points. None means the raw and stabilized points of the results.
    """

    results: Results
    measures: FaceMeasures | None
    elapsed_s: float
    compared: ComparedPoints | None = None


class MeasureWorker(NewestWorker["MeasureRequest", "MeasureReply"]):
    """Computes measures on a thread of its own.

    Args:
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        super().__init__("measuring", on_ready)

    def _answer(self, request: MeasureRequest) -> MeasureReply:
        start_s = time.perf_counter()
        measures, compared = _measure(request, self._unwanted)
        elapsed_s = time.perf_counter() - start_s
        return MeasureReply(request.results, measures, elapsed_s, compared)


def _measure(
    request: MeasureRequest, stop: Callable[[], bool]
) -> tuple[FaceMeasures | None, ComparedPoints | None]:
    results = request.results
    try:
        comparison = request.comparison
        compared = None if comparison is None else comparison.compute(results, stop)
        rows, times_s, known = results.window()
        attributes = request.reviewed.attributes
        if attributes is not None and len(attributes) == len(rows):
            rows = replace(rows, attributes=attributes)
        if compared is not None:
            rows, known = compared.rows(rows), compared.known
        measures = measure_face(
            rows,
            times_s,
            results.schema,
            fps=request.fps,
            selection=request.selection,
            truth=request.truth,
            known=known,
            excluded=request.excluded,
            stop=stop,
        )
    except Exception:
        log.exception("measuring")
        return None, None
    return measures, compared
