"""A worker thread that finds out which persons are in the open recording."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.app.session.newest_worker import NewestWorker
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.app.session.review.results_table import table_of_faces
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.review.people.person_summary import summarize_people
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.review.people.person_summary import PersonSummary
    from steadymark.engine.review.project import Reassignment

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PeopleRequest:
    """A request for the persons in results."""

    results: Results
    reassignments: tuple[Reassignment, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PeopleReply:
    """The answer to a request for persons.

    Attributes:
        request: The request.
        people: The persons, by number.
        frames: Number of frames that were tracked so far.
        complete: Whether all frames were processed.
        elapsed_s: The duration of the computation in seconds.
        fault: A sentence that says what failed, or nothing.
    """

    request: PeopleRequest
    people: tuple[PersonSummary, ...] = ()
    frames: int = 0
    complete: bool = False
    elapsed_s: float = 0.0
    fault: UserText = NOTHING


class PeopleWorker(NewestWorker["PeopleRequest", "PeopleReply"]):
    """Finds the persons on a thread of its own.

    Args:
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        super().__init__("people", on_ready)

    def _answer(self, request: PeopleRequest) -> PeopleReply:
        start_s = time.perf_counter()
        try:
            results = request.results.snapshot()
            table = table_of_faces(results, results.rows())
            people = tuple(summarize_people(table, request.reassignments))
            status = results.frame_status()
        except SteadymarkError as error:
            return PeopleReply(request, fault=error.sentence)
        except Exception as error:
            log.exception("people")
            named = f"{type(error).__name__}: {error}"
            return PeopleReply(
                request, fault=UserText("people cannot be listed ({fault})", fault=named)
            )
        return PeopleReply(
            request,
            people,
            frames=int((status == FrameStatus.TRACKED).sum()),
            complete=results.complete,
            elapsed_s=time.perf_counter() - start_s,
        )
