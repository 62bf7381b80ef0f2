"""Print the SHA-256 of each file of a folder, in the form that `sha256sum --check` reads.

python packaging/checksums.py [FOLDER]
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

SUMS = "SHA256SUMS"


def checksum_lines(folder: Path) -> list[str]:
    """Return a line for each file of a folder, sorted by name.

    Args:
        folder: The folder.
    """
    lines = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != SUMS:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            lines.append(f"{digest}  {path.name}")
    return lines


if __name__ == "__main__":
    print("\n".join(checksum_lines(Path(sys.argv[1] if len(sys.argv) > 1 else "."))))
