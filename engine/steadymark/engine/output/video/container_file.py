"""The file that PyAV writes a container to."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class ContainerFile:
    """A file that writes nothing more after its first error, which `flush` raises.

    PyAV prints a traceback for an error that it meets when it closes a container.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._error: OSError | None = None

    def __enter__(self) -> ContainerFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        """Write data unless a write failed before."""
        if self._error is None:
            try:
                return self._file.write(data)
            except OSError as error:
                self._error = error
        return len(data)

    def flush(self) -> None:
        """Write what is buffered to the disk.

        Raises:
            OSError: This or an earlier write failed.
        """
        if self._error is not None:
            raise self._error
        try:
            self._file.flush()
        except OSError as error:
            self._error = error
            raise

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence) if self._error is None else 0

    def tell(self) -> int:
        return self._file.tell() if self._error is None else 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True
