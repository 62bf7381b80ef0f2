"""The two figures that say how far tracking came and what it found.

Frames processed are the frames that the tracker has seen. Frames with a face are those of them in
which at least one face was tracked. All reports take both from here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from steadymark.models.user_text import UserText


@dataclass(frozen=True, slots=True)
class FaceFrames:
    """The number of frames processed, and how many of them contain a face."""

    processed: int = 0
    with_face: int = 0

    @property
    def share(self) -> float:
        """The share of the processed frames with a face, in [0, 1]; NaN without any frame."""
        return self.with_face / self.processed if self.processed else math.nan

    @property
    def none_found(self) -> bool:
        """Whether frames were processed, and none of them contains a face."""
        return self.processed > 0 and self.with_face == 0


NO_FRAMES = FaceFrames()


def no_face_found(name: str, frames: int) -> UserText:
    """Return a sentence that says that a source has no face.

    Args:
        name: The name of the source.
        frames: The number of frames processed.
    """
    return UserText.counted(
        "No face was found in {name} (1 frame).",
        "No face was found in {name} ({count} frames).",
        count=frames,
        name=name,
    )


def percent_of(share: float, digits: int = 1) -> float:
    """Return a share in percent, rounded, such that it never claims too much.

    A share below 1 never becomes 100, and a share above 0 never becomes 0.

    Args:
        share: The share, in [0, 1], or NaN.
        digits: The number of decimals.
    """
    percent, least = round(100 * share, digits) if math.isfinite(share) else math.nan, 10.0**-digits
    if 0 < share < 1:
        return min(max(percent, least), 100 - least)
    return percent
