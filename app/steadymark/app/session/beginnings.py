"""Where memory of faces begins anew, as the tracker decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.scene_cuts import Thumbnail, is_cut, thumbnail

if TYPE_CHECKING:
    from steadymark.engine.types import Frame


class Beginnings:
    """Asked of every frame in order. longest_gap_s: see TrackerConfig."""

    def __init__(self, longest_gap_s: float) -> None:
        self._longest_gap_s = longest_gap_s
        self._last: tuple[float, Thumbnail] | None = None

    def at(self, frame: Frame) -> bool:
        """Whether the tracker forgot the faces before this frame."""
        last, self._last = self._last, (frame.pts_s, thumbnail(frame.image))
        if last is None:
            return True
        soon = 0 < frame.pts_s - last[0] <= self._longest_gap_s
        return not soon or is_cut(last[1], self._last[1])
