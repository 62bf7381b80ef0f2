"""A text file that grows row by row and stays valid after a crash."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError
from steadymark.engine.output.output_paths import cannot_write, finish_part, open_part, part_of

if TYPE_CHECKING:
    import io
    from pathlib import Path


class RowFile:
    """UTF-8 text file with a temporary name, to which whole rows are appended.

    Nothing is buffered in the process. A program that is killed therefore loses at most the row
    that it was writing, and closing cannot fail because the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path  # the location of the file after `close`
        self._file: io.FileIO | None = None
        self._size = 0
        self._broken = False

    def open(self, *, live: bool = False) -> None:
        """Create the temporary file.

        Args:
            live: See `open_part`.

        Raises:
            SinkError: The file cannot be created, or another program is writing it.
        """
        self._file = os.fdopen(open_part(self.path, live=live), "wb", buffering=0)

    def add(self, text: str) -> None:
        """Append text.

        Args:
            text: Whole rows; the last one ends with a newline.

        Raises:
            SinkError: The text cannot be written; a part that was written is removed.
        """
        if self._file is None:
            raise SinkError("cannot write {path}: it is not open", path=self.path)
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        whole = len(rest)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._broken = True
            with contextlib.suppress(OSError):
                self._file.truncate(self._size)
            raise cannot_write(self.path, error) from error
        self._size += whole

    def close(self, *, complete: bool) -> None:
        """Close the file and give it its final or partial name.

        An empty file is removed. If the file is not open, this method does nothing.

        Args:
            complete: Whether the file is complete.

        Raises:
            SinkError: The file cannot be renamed.
        """
        if self._file is None:
            return
        file, self._file = self._file, None
        file.close()
        if not self._size:
            part_of(self.path).unlink(missing_ok=True)
            return
        self.path = finish_part(self.path, complete=complete and not self._broken)
