"""Text files of strangers that are small by nature: read whole, but never without a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.models.errors import ContentError

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 1 << 22  # 4 MiB: a hundred times what any of them holds


def read_bounded_text(path: Path, *, encoding: str = "utf-8") -> str:
    """The text of a file of at most 4 MiB.

    Raises:
        OSError: it cannot be read. ValueError: it is larger, or no text.
    """
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ContentError("it is larger than {most_mib} MiB", most_mib=MOST_BYTES >> 20)
    return content.decode(encoding)
