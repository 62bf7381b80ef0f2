"""The part of a recording that the timeline shows, and the times that are written on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST = 12.0  # minimum number of frames that are shown
_STEPS_S = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 21600.0, 43200.0, 86400.0),
)


@dataclass(frozen=True, slots=True)
class VisibleFrames:
    """The shown part of `count` frames. Frame n takes the place from n to n + 1.

    Attributes:
        count: The number of frames of the recording.
        first: Where the shown part begins, in frames.
        span: The length of the shown part in frames.
    """

    count: int
    first: float
    span: float

    @classmethod
    def whole(cls, count: int) -> VisibleFrames:
        """Return the part that is the whole recording."""
        return cls(count, 0.0, float(max(1, count)))

    @property
    def is_whole(self) -> bool:
        return self.span >= max(1, self.count)

    def share_of(self, place: float) -> float:
        """Return where a place in frames is: 0 at the left edge, 1 at the right edge."""
        return (place - self.first) / self.span

    def frame_at(self, share: float) -> int:
        """Return the frame at a share of the width, limited to the frames that are shown."""
        place = int(np.floor(self.first + min(max(share, 0.0), 1.0) * self.span))
        last_shown = int(np.ceil(self.first + self.span)) - 1
        return min(max(place, 0), last_shown, max(0, self.count - 1))

    def zoomed(self, factor: float, share: float) -> VisibleFrames:
        """Return the part after zooming in by a factor, which keeps the frame at this share."""
        whole = float(max(1, self.count))
        span = min(max(self.span / factor, min(_FEWEST, whole)), whole)
        return replace(self, first=self.first + share * (self.span - span), span=span)._inside()

    def panned(self, frames: float) -> VisibleFrames:
        """Return the part that begins this many frames later."""
        return replace(self, first=self.first + frames)._inside()

    def following(self, frame: int) -> VisibleFrames:
        """Return the part itself if it shows the frame, or else the part that begins there."""
        if self.first <= frame < self.first + self.span:
            return self
        return replace(self, first=frame - 0.05 * self.span)._inside()

    def _inside(self) -> VisibleFrames:
        last = max(1, self.count) - self.span
        return replace(self, first=min(max(self.first, 0.0), last))


def time_ticks(
    times_s: NDArray[np.float64], shown: VisibleFrames, most: int
) -> list[tuple[float, str]]:
    """Return places in frames, and the times that are written there.

    Args:
        times_s: (frames,), the times of the frames; their distances may differ.
        shown: The shown part.
        most: The largest number of ticks.
    """
    if len(times_s) < 2 or most < 1:
        return []
    places = np.arange(len(times_s), dtype=np.float64)
    ends = np.array([shown.first, min(shown.first + shown.span, places[-1])])
    low, high = (float(t) for t in np.interp(ends, places, times_s))
    step = next((s for s in _STEPS_S if (high - low) / s <= most), _STEPS_S[-1])
    first = int(np.ceil(low / step - 1e-9))
    values = np.arange(first, int(np.floor(high / step + 1e-9)) + 1) * step
    at = np.interp(values, times_s, places)
    return [(float(p), tick_text(float(v), step)) for p, v in zip(at, values, strict=True)]


def tick_text(time_s: float, step_s: float) -> str:
    """Format a time as m:ss or h:mm:ss, with the decimals that the step needs."""
    decimals = 0 if step_s >= 1 else 1 if step_s >= 0.1 else 2 if step_s >= 0.01 else 3
    units = round(time_s * 10**decimals)
    whole, part = divmod(units, 10**decimals)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{text}.{part:0{decimals}}" if decimals else text
