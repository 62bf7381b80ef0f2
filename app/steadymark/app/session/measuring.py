"""Measures taken on a thread of their own: the newest question wins."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from steadymark.app.session.measures import Measures, measure
from steadymark.engine.latest import Latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.results import Results

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Of which results, at which rate, of which face and landmark."""

    results: Results
    fps: float
    face: int | None
    landmark: int


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """measures: None where no face was found. took_s: how long that took."""

    results: Results
    measures: Measures | None
    took_s: float


class Measuring:
    """on_ready is called, from the thread, when an answer lies in `newest` that was empty."""

    def __init__(self, on_ready: Callable[[], None]) -> None:
        self.newest: Latest[Answer] = Latest()
        self._questions: Latest[Question] = Latest()
        self._on_ready = on_ready
        self._thread = Thread(target=self._run, name="measuring", daemon=True)
        self._thread.start()

    def ask(self, question: Question) -> None:
        """Replaces a question that nobody has looked at yet."""
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
            measures = _answered(question, lambda: self._questions.closed)
            answer = Answer(question.results, measures, time.perf_counter() - begun_s)
            if self.newest.put(answer):
                self._on_ready()


def _answered(question: Question, stop: Callable[[], bool]) -> Measures | None:
    results = question.results
    try:
        rows, times_s = results.window()
        return measure(
            rows,
            times_s,
            fps=question.fps,
            face=question.face,
            landmark=question.landmark,
            stop=stop,
        )
    except Exception:
        log.exception("measuring")
        return None
