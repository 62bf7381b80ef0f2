"""The lanes of a timeline: what they show, and what the mouse does in them."""

from __future__ import annotations

import html
import itertools
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtWidgets import QApplication

from steadymark.app.gui.annotations.lane_grip import Grip, GripPart, grip_at
from steadymark.app.gui.annotations.lane_names import annotation_text, lane_title
from steadymark.app.gui.annotations.lane_painter import (
    GrowingBar,
    paint_excluded,
    paint_growing,
    paint_lanes,
)
from steadymark.app.gui.annotations.lane_places import LanePlaces, places_of
from steadymark.app.session.state import frame_at_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QPainter, QPalette

    from steadymark.app.gui.timeline.face_row_codes import FacePresence
    from steadymark.app.gui.timeline.timeline_layout import TimelineLayout
    from steadymark.app.gui.timeline.visible_frames import VisibleFrames
    from steadymark.engine.review.project import Project

_drags = itertools.count()  # each drag is undone by itself


class LaneRows(QObject):
    """The lanes of one timeline.

    Attributes:
        selected: Emitted with the number of the annotation that was clicked, or None.
        edited: Emitted with an annotation while it is dragged, and what is the same during a drag.
        drawn: Emitted with the lane, start and end in seconds of a new interval.
        opened: Emitted with the number of an annotation that is to be edited.
        lane_opened: Emitted with the name of a lane that is to be changed.
        repaint: Emitted when the lanes look different.
        resized: Emitted when there are other lanes.
        row_chosen: Emitted with the number of the lane in which another annotation was selected.
    """

    selected = Signal(object)
    edited = Signal(object, str)
    drawn = Signal(str, float, float)
    opened = Signal(int)
    lane_opened = Signal(str)
    repaint = Signal()
    resized = Signal()
    row_chosen = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project: Project | None = None
        self._times_s: NDArray[np.float64] | None = None
        self._places = LanePlaces()
        self._chosen: int | None = None
        self._growing: dict[str, float] = {}
        self._can_edit = False
        self._grip: Grip | None = None
        self._new: tuple[int, float] | None = None  # the lane and the place where it begins
        self._place = 0.0  # where the mouse is, in frames
        self._pressed_x = 0.0
        self._dragged = False
        self._group = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The titles of the lanes."""
        return tuple(lane_title(lane.name) for lane in self._places.lanes)

    @property
    def is_pressed(self) -> bool:
        """Whether the mouse button was pressed in a lane and is still down."""
        return self._grip is not None or self._new is not None

    def show_project(
        self,
        project: Project | None,
        *,
        selected: int | None,
        growing: Mapping[str, float],
        can_edit: bool,
    ) -> None:
        """Show a project.

        Args:
            project: The project, or None for no lanes.
            selected: The number of the selected annotation.
            growing: The intervals without an end: lane and start in seconds.
            can_edit: Whether the mouse may change annotations.
        """
        before, chosen_before = self._places.lanes, self._chosen
        if project is not self._project:
            self._project, self._places = project, places_of(project, self._times_s)
        self._chosen, self._growing, self._can_edit = selected, dict(growing), can_edit
        if self._places.lanes != before:
            self.resized.emit()
        if selected not in (None, chosen_before):
            for one in self._places.placed:
                if one.annotation.number == selected:
                    self.row_chosen.emit(one.row)
        self.repaint.emit()

    def show_times(self, times_s: NDArray[np.float64] | None) -> None:
        """Use the times of another recording."""
        self._times_s = times_s
        self._places = places_of(self._project, times_s)

    # -- painting

    def paint(
        self,
        painter: QPainter,
        layout: TimelineLayout,
        shown: VisibleFrames,
        palette: QPalette,
        presence: FacePresence | None,
    ) -> None:
        """Paint the lanes with their annotations, and shade what is excluded."""
        if self._places.lanes and shown.count:
            paint_excluded(painter, layout, shown, self._places, presence)
            paint_lanes(
                painter, layout, shown, self._places, palette=palette, selected=self._chosen
            )

    def paint_unfinished(
        self, painter: QPainter, layout: TimelineLayout, shown: VisibleFrames, frame: int
    ) -> None:
        """Paint the intervals that grow until the shown frame, and the one that is drawn."""
        times = self._times_s
        if times is None or not len(times):
            return
        growing = [
            GrowingBar(self._places.row_of(lane), *sorted((frame_at_time(times, start_s), frame)))
            for lane, start_s in self._growing.items()
        ]
        if self._new is not None and self._dragged:
            growing.append(GrowingBar(self._new[0], *self._drawn_frames()))
        paint_growing(painter, layout, shown, self._places, growing)

    # -- what is at a position

    def lane_at(self, layout: TimelineLayout, y: float) -> str | None:
        """Return the name of the lane at a vertical position, or None."""
        row = layout.lane_at(y)
        return self._places.lanes[row].name if 0 <= row < len(self._places.lanes) else None

    def number_at(
        self, layout: TimelineLayout, shown: VisibleFrames, position: QPointF
    ) -> int | None:
        """Return the number of the annotation at a position, or None."""
        grip = self._grip_at(layout, shown, position)
        return None if grip is None else grip.placed.annotation.number

    def cursor_at(
        self, layout: TimelineLayout, shown: VisibleFrames, position: QPointF
    ) -> Qt.CursorShape | None:
        """Return the shape of the mouse pointer at a position, or None for the usual one."""
        grip = self._grip_at(layout, shown, position) if self._can_edit else None
        if grip is None:
            return None
        return (
            Qt.CursorShape.OpenHandCursor
            if grip.part is GripPart.MIDDLE
            else Qt.CursorShape.SizeHorCursor
        )

    def tooltip(
        self, layout: TimelineLayout, shown: VisibleFrames, position: QPointF
    ) -> str | None:
        """Return the tooltip at a position as rich text, or None outside the lanes."""
        lane, project = self.lane_at(layout, position.y()), self._project
        if lane is None or project is None:
            return None
        grip = self._grip_at(layout, shown, position)
        if grip is not None:
            text = annotation_text(project, grip.placed.annotation)
        elif self._can_edit:
            text = self.tr("{lane}: drag to mark an interval").format(lane=lane_title(lane))
        else:
            text = lane_title(lane)
        return "<qt>" + "<br>".join(map(html.escape, text.splitlines())) + "</qt>"

    def _grip_at(
        self, layout: TimelineLayout, shown: VisibleFrames, position: QPointF
    ) -> Grip | None:
        row = layout.lane_at(position.y())
        if row < 0 or not shown.count or position.x() < layout.track.left() - 4:
            return None
        place = layout.place_at(position.x(), shown)
        px_per_frame = layout.track.width() / shown.span
        return grip_at(self._places, row, place, px_per_frame, selected=self._chosen)

    # -- the mouse

    def press(self, layout: TimelineLayout, shown: VisibleFrames, position: QPointF) -> bool:
        """Take hold of what is at a position; return whether it is in a lane."""
        row = layout.lane_at(position.y())
        if row < 0 or self._times_s is None:
            return False
        self._dragged, self._pressed_x = False, position.x()
        self._place = layout.place_at(position.x(), shown)
        self._grip = self._grip_at(layout, shown, position)
        self._group = f"drag {next(_drags)}"
        self._new = (row, self._place) if self._grip is None else None
        self.selected.emit(None if self._grip is None else self._grip.placed.annotation.number)
        return True

    def drag(self, layout: TimelineLayout, shown: VisibleFrames, x: float) -> None:
        """Move what the mouse holds to a horizontal position, or draw a new interval."""
        far = abs(x - self._pressed_x) >= QApplication.startDragDistance()
        if not self._can_edit or self._times_s is None or not (far or self._dragged):
            return
        self._dragged, self._place = True, layout.place_at(x, shown)
        if self._grip is not None:
            self.edited.emit(self._grip.moved(self._place, self._times_s), self._group)
        else:
            self.repaint.emit()

    def release(self) -> bool:
        """Let go; return whether the click is done with, and not one on an empty place."""
        drawn, times = self._new, self._times_s
        if drawn is not None and self._dragged and times is not None:
            first, last = self._drawn_frames()
            lane = self._places.lanes[drawn[0]].name
            self.let_go()
            self.drawn.emit(lane, float(times[first]), float(times[last]))
            return True
        was_empty = drawn is not None
        self.let_go()
        return not was_empty

    def let_go(self) -> bool:
        """Forget what the mouse holds; return whether an annotation was dragged."""
        was_dragged = self._grip is not None and self._dragged
        self._grip = self._new = None
        self._dragged = False
        self.repaint.emit()
        return was_dragged

    def open_at(self, layout: TimelineLayout, shown: VisibleFrames, position: QPointF) -> bool:
        """Edit what was double-clicked; return whether it is in a lane."""
        lane = self.lane_at(layout, position.y())
        if lane is None:
            return False
        number = self.number_at(layout, shown, position)
        if number is not None:
            self.opened.emit(number)
        elif position.x() < layout.track.left():
            self.lane_opened.emit(lane)
        return True

    def _drawn_frames(self) -> tuple[int, int]:
        """Return the first and the last frame of the interval that is drawn."""
        assert self._new is not None
        assert self._times_s is not None
        first, last = sorted((self._new[1], self._place))
        end = len(self._times_s) - 1
        return min(max(int(first), 0), end), min(max(int(last), 0), end)
