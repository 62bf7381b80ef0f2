"""Whether image files are a sequence."""

from __future__ import annotations

from enum import StrEnum


class ImageOrder(StrEnum):
    """Whether several images are one sequence in time, or pictures that are tracked alone."""

    SEQUENCE = "sequence"
    INDEPENDENT = "independent"
