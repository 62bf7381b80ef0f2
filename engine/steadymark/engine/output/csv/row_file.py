"""A text file of rows that grows safely."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError
from steadymark.engine.output.output_paths import cannot_write, open_part, part_of, settle

if TYPE_CHECKING:
    import io
    from pathlib import Path


class RowFile:
    """UTF-8 text under a temporary name; what is added is there as a whole or not at all.

    Nothing is buffered in the process: a killed program loses at most the row it was writing, and
    closing cannot fail for lack of space.
    """

    def __init__(self, path: Path) -> None:
        self.path = path  # where the file lies once closed
        self._file: io.FileIO | None = None
        self._size = 0
        self._broken = False

    def open(self, *, live: bool = False) -> None:
        """Create the temporary file. live: see open_part.

        Raises:
            SinkError: it cannot be created, or another program is writing it.
        """
        self._file = os.fdopen(open_part(self.path, live=live), "wb", buffering=0)

    def add(self, text: str) -> None:
        """Append `text`, which ends with a newline.

        Raises:
            SinkError: it cannot be written; what had been written of it is cut off again.
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
        """Give the file its final name, or the partial one; again or before `open`: nothing.

        A file into which nothing could be written is removed.

        Raises:
            SinkError: it cannot be renamed.
        """
        if self._file is None:
            return
        file, self._file = self._file, None
        file.close()
        if not self._size:
            part_of(self.path).unlink(missing_ok=True)
            return
        self.path = settle(self.path, complete=complete and not self._broken)
