"""Functions that test processes import, for files that several processes write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.core.file_lock import exclusive_lock

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

LINES = 25


def write_lines(folder: Path, number: int, barrier: Barrier) -> None:
    index = ResultsIndex(folder)
    barrier.wait(60)
    for line in range(LINES):
        index.begin(f"camera:{number}-{line}", f"t{number}-{line}", "now")


def hold_lock(path: Path, connection: Connection) -> None:
    """Hold the lock until the process is killed."""
    with exclusive_lock(path):
        connection.send("held")
        connection.recv()
