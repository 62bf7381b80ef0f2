"""The places of the parts of the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF

from steadymark.app.gui.theme import SMALL

if TYPE_CHECKING:
    from PySide6.QtGui import QFontMetrics

    from steadymark.app.gui.timeline.visible_frames import VisibleFrames

MARGIN, _TOP, _GAP = 8.0, 2.0, 2.0
PICTURE_PX = 38.0  # height of the thumbnails
_STRIP = 26.0  # height of the jitter
_ROW, _ALL_ROWS = 12.0, 80.0  # largest height of a row and of all rows together
_LANE = 17.0  # height of a lane
LANES = {True: 6, False: 3}  # largest number of lanes in view, in a high and a low window
_NAME_PX = 112.0  # largest width of the name of a lane or face


@dataclass(frozen=True, slots=True)
class TimelineLayout:
    """The places of the parts of a timeline, in pixels.

    Attributes:
        width: The width of the widget.
        rows: The number of rows of faces.
        metrics: Of the font of the window.
        lanes: The names of the lanes below the faces.
        in_high_window: Whether there is room for many lanes.
        has_pictures: Whether there are thumbnails of the video.
        lanes_above_px: By how much the lanes are scrolled.
        faces_called: What the faces of the rows are called.
    """

    width: int
    rows: int
    metrics: QFontMetrics
    lanes: tuple[str, ...] = ()
    in_high_window: bool = True
    has_pictures: bool = False
    lanes_above_px: float = 0.0
    faces_called: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        return int(np.ceil(self.track.bottom() + _TOP + 2))

    @property
    def gutter(self) -> float:
        """The width of the labels at the left."""
        names = (
            min(self.metrics.horizontalAdvance(name), _NAME_PX)
            for name in (*self.lanes, *self.faces_called)
        )
        ids = self.metrics.horizontalAdvance("#00")
        return SMALL * max((ids, *names)) + 14

    @property
    def track(self) -> QRectF:
        """The place of all frames, from the times to the last row or lane."""
        left = MARGIN + self.gutter
        width = max(1.0, self.width - left - MARGIN)
        bottom = self.all_lanes.bottom() if self.lanes else self.faces.bottom()
        return QRectF(left, _TOP, width, bottom - _TOP)

    @property
    def times(self) -> QRectF:
        left = MARGIN + self.gutter
        height = SMALL * self.metrics.height() + 4
        return QRectF(left, _TOP, max(1.0, self.width - left - MARGIN), height)

    @property
    def pictures(self) -> QRectF:
        """The place of the thumbnails, which has no height without any."""
        times = self.times
        height = PICTURE_PX if self.has_pictures else 0.0
        return QRectF(times.left(), times.bottom(), times.width(), height)

    @property
    def strip(self) -> QRectF:
        """The place of the jitter."""
        above = self.pictures
        gap = _GAP if self.has_pictures else 0.0
        return QRectF(above.left(), above.bottom() + gap, above.width(), _STRIP)

    @property
    def faces(self) -> QRectF:
        """The place of all rows of faces."""
        strip = self.strip
        height = self.rows * self.row_height
        return QRectF(strip.left(), strip.bottom() + _GAP, strip.width(), height)

    @property
    def row_height(self) -> float:
        return _ROW if self.rows == 1 else min(_ROW, _ALL_ROWS / self.rows)

    def row(self, number: int) -> QRectF:
        """Return the place of one row; there is a gap to the next row if there is room."""
        faces, height = self.faces, self.row_height
        gap = 1.0 if height >= 5 else 0.0
        top = faces.top() + number * height
        return QRectF(faces.left(), top, faces.width(), height - gap)

    def row_at(self, y: float) -> int:
        """Return the number of the row at a vertical position, or -1 above the rows."""
        faces = self.faces
        if y < faces.top():
            return -1
        return min(int((y - faces.top()) / self.row_height), self.rows - 1)

    @property
    def all_lanes(self) -> QRectF:
        """The place of all lanes that are in view."""
        faces = self.faces
        height = _LANE * min(len(self.lanes), LANES[self.in_high_window])
        return QRectF(faces.left(), faces.bottom() + _GAP, faces.width(), height)

    @property
    def lanes_below_px(self) -> float:
        """By how much the lanes can be scrolled: the height of those that are out of view."""
        return _LANE * max(0, len(self.lanes) - LANES[self.in_high_window])

    @property
    def lane_height(self) -> float:
        return _LANE

    def lane(self, number: int) -> QRectF:
        """Return the place of one lane, which may be out of view; there is a gap to the next."""
        area = self.all_lanes
        top = area.top() + number * _LANE - min(self.lanes_above_px, self.lanes_below_px)
        return QRectF(area.left(), top, area.width(), _LANE - 1.0)

    def lane_at(self, y: float) -> int:
        """Return the number of the lane at a vertical position, or -1 above the lanes."""
        area = self.all_lanes
        if not self.lanes or y < area.top():
            return -1
        above = min(self.lanes_above_px, self.lanes_below_px)
        inside = min(y, area.bottom() - 1) - area.top()
        return min(int((inside + above) / _LANE), len(self.lanes) - 1)

    def place_at(self, x: float, shown: VisibleFrames) -> float:
        """Return the place in frames at a horizontal position."""
        track = self.track
        return shown.first + (x - track.left()) / track.width() * shown.span

    def x_of(self, place: float, shown: VisibleFrames) -> float:
        """Return the horizontal position of a place in frames."""
        track = self.track
        return track.left() + track.width() * shown.share_of(place)
