"""Division of many crops into batches, which bounds the memory that a network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.models.face.crop import Image

_MOST_ON_CPU = 4  # larger batches take more memory and are not faster there


def crop_batches(crops: Image, fixed: int, *, on_cpu: bool) -> Iterator[tuple[Image, int]]:
    """Divide crops into the batches that a network takes.

    Args:
        crops: (n, ...) uint8, at least one crop.
        fixed: Number of crops per run if the network was exported for a fixed number, or 0.
        on_cpu: Whether the network runs on a CPU, where small batches save memory.

    Yields:
        A batch, and how many of its crops count; those that fill up a fixed batch do not.
    """
    if fixed:
        for first in range(0, len(crops), fixed):
            part = crops[first : first + fixed]
            filling = np.zeros((fixed - len(part), *part.shape[1:]), np.uint8)
            yield (np.concatenate((part, filling)) if len(filling) else part), len(part)
    else:
        # of nearly equal sizes, since some networks round a single crop in another way
        for part in np.array_split(crops, -(-len(crops) // _MOST_ON_CPU) if on_cpu else 1):
            yield part, len(part)
