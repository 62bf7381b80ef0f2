"""The landmarks of a table for a comparison with what is shown."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.app.session.recording.table_results import read_table_results
from steadymark.engine.core.errors import SteadymarkError
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.recording.results import Results

log = logging.getLogger(__name__)


class TablePass:
    """Reads a table once. It takes the place of a second tracking, see `SecondPass`.

    Args:
        path: The path of the table.
        recording: The recording that the table is compared in.
        on_change: Is called from a thread when the table was read. It must return immediately.
    """

    def __init__(self, path: str, recording: OpenRecording, on_change: Callable[[], None]) -> None:
        self._path, self._recording, self._on_change = Path(path), recording, on_change
        self.settings = recording.settings
        self.fault = self.note = NOTHING
        self.shown = False  # whether the GUI thread has seen that it was read
        self.results: Results | None = None

    @property
    def done(self) -> bool:
        """Whether the table was read."""
        return self.results is not None or self.fault != ""

    @property
    def share(self) -> float:
        """The share of the table that was read: nothing or all of it."""
        return float(self.done)

    def run(self) -> None:
        """Read the table. Runs on a thread of its own."""
        media, schema = self._recording.media, self._recording.results.schema
        try:
            found = read_table_results(self._path, media.info, media.times_s)
            if found.results.schema.name == schema.name:
                self.note, self.results = found.note, found.results
            else:
                self.fault = UserText(
                    "{table} has other landmarks ({found}) than what is shown ({shown}): they "
                    "cannot be compared",
                    table=self._path.name,
                    found=found.results.schema.name,
                    shown=schema.name,
                )
        except SteadymarkError as error:
            self.fault = error.sentence
        except Exception as error:
            log.exception("table")
            named = f"{type(error).__name__}: {error}"
            self.fault = UserText(
                "{table} cannot be read ({fault})", table=self._path.name, fault=named
            )
        self._on_change()

    def close(self) -> None:
        """Do nothing: reading ends by itself."""

    def wait_closed(self) -> None:
        """Do nothing: there is no thread besides the one of `run`."""
