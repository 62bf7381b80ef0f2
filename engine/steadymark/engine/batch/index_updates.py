"""Keep the results index up to date while jobs run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError
from steadymark.engine.pipeline.job import now_utc, result_files
from steadymark.models.user_text import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.batch.results_index import ResultsIndex
    from steadymark.engine.batch.run_jobs import Job
    from steadymark.engine.pipeline.job import JobReport


class IndexUpdates:
    """Writes progress and results of jobs into the results index.

    An error of the index stops no job, because the tables are what counts.

    Attributes:
        fault: The first error, as a sentence.
    """

    def __init__(self, index: ResultsIndex) -> None:
        self._index = index
        self._started: set[int] = set()
        self.fault = NOTHING

    def progressed(self, job: Job) -> None:
        """Record that tracking of a job has begun; only the first call has an effect."""
        if job.stem is None or job.number in self._started:
            return
        self._started.add(job.number)
        files = [path.name for path in result_files(job.stem, job.output)]
        self._record_fault(lambda: self._index.begin(job.text, files, now_utc()))

    def ended(self, job: Job, report: JobReport) -> None:
        """Record the result of a job."""
        self._record_fault(lambda: self._index.end(job.text, report))

    def _record_fault(self, change: Callable[[], None]) -> None:
        try:
            change()
        except SinkError as error:
            self.fault = self.fault or error.sentence
