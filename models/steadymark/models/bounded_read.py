"""Read untrusted text files whole, up to a size limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.models.errors import ContentError

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1 << 22  # 4 MiB, a hundred times the size of any file that is expected


def read_bounded_text(path: Path, *, encoding: str = "utf-8") -> str:
    """Return the text of a file that is at most 4 MiB large.

    Args:
        path: The file to read.
        encoding: Its text encoding.

    Returns:
        The whole text.

    Raises:
        OSError: The file cannot be read.
        ContentError: The file is larger than 4 MiB.
        UnicodeDecodeError: The content is not text in this encoding.
    """
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ContentError("it is larger than {most_mib} MiB", most_mib=MOST_BYTES >> 20)
    return content.decode(encoding)
