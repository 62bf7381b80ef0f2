"""A worker thread that takes measures. A newer request replaces an older one."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from steadymark.app.session.analysis.face_measures import (
    FaceMeasures,
    MeasureSelection,
    measure_face,
)
from steadymark.engine.pipeline.latest_value import LatestValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.analysis.comparison import ComparedPoints, Comparison
    from steadymark.app.session.analysis.ground_truth import GroundTruth
    from steadymark.app.session.recording.results import Results

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureRequest:
    """A request for measures.

    Attributes:
        results: The results that are measured.
        fps: The frame rate.
        choice: What is measured.
        truth: The ground truth to compare with.
        comparison: The variants that are compared.
    """

    results: Results
    fps: float
    choice: MeasureSelection
    truth: GroundTruth | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MeasureReply:
    """The answer to a request for measures.

    Attributes:
        results: The results that were measured.
        measures: The measures, or None if no face was found.
        took_s: How long the measuring took, in seconds.
        compared: The compared points. None means the raw and stabilized points of the results.
    """

    results: Results
    measures: FaceMeasures | None
    took_s: float
    compared: ComparedPoints | None = None


class MeasureWorker:
    """Takes measures on a thread of its own.

    Args:
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        self.newest: LatestValue[MeasureReply] = LatestValue()
        self._questions: LatestValue[MeasureRequest] = LatestValue()
        self._on_ready = on_ready
        self._thread = Thread(target=self._run, name="measuring", daemon=True)
        self._thread.start()

    def ask(self, question: MeasureRequest) -> None:
        """Ask for measures. This replaces a request that has not been processed yet."""
        self._questions.put(question)

    def close(self) -> None:
        self._questions.close()
        self.newest.close()

    def join(self, timeout_s: float) -> bool:
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (question := self._questions.take()) is not None:
            begun_s = time.perf_counter()
            measures, compared = _answered(question, lambda: self._questions.closed)
            took_s = time.perf_counter() - begun_s
            answer = MeasureReply(question.results, measures, took_s, compared)
            if self.newest.put(answer):
                self._on_ready()


def _answered(
    question: MeasureRequest, stop: Callable[[], bool]
) -> tuple[FaceMeasures | None, ComparedPoints | None]:
    results = question.results
    try:
        asked = question.comparison
        compared = None if asked is None else asked.made(results, stop)
        rows, times_s, known = results.window()
        if compared is not None:
            rows, known = compared.rows(rows), compared.known
        measures = measure_face(
            rows,
            times_s,
            results.schema,
            fps=question.fps,
            choice=question.choice,
            truth=question.truth,
            known=known,
            stop=stop,
        )
    except Exception:
        log.exception("measuring")
        return None, None
    return measures, compared
