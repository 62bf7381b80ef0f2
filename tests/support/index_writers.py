"""What processes of tests do to files that several write; a module that they can import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.core.file_lock import exclusive_lock

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

LINES = 25


def write_lines(folder: Path, number: int, together: Barrier) -> None:
    index = ResultsIndex(folder)
    together.wait(60)
    for line in range(LINES):
        index.begin(f"camera:{number}-{line}", [f"t{number}-{line}.csv"], "now")


def hold(path: Path, told: Connection) -> None:
    """Until it is killed."""
    with exclusive_lock(path):
        told.send("held")
        told.recv()
