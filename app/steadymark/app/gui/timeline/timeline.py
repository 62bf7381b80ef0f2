"""The timeline: times, jitter, a row per face, cuts, the loop and the playback position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolTip, QWidget

from steadymark.app.gui.annotations.lane_rows import LaneRows
from steadymark.app.gui.correction.correction_marks import paint_corrected_frames
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.timeline.face_row_codes import FacePresence, presence_of
from steadymark.app.gui.timeline.frame_description import describe_frame
from steadymark.app.gui.timeline.lane_scroll_bar import LaneScrollBar
from steadymark.app.gui.timeline.picture_strip import paint_pictures
from steadymark.app.gui.timeline.timeline_layout import TimelineLayout
from steadymark.app.gui.timeline.timeline_painter import (
    new_layer,
    paint_ground,
    paint_loop,
    paint_note,
    paint_place,
)
from steadymark.app.gui.timeline.visible_frames import VisibleFrames
from steadymark.app.session.people.face_names import FaceName
from steadymark.engine.output.video.draw_style import face_colour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.recording.thumbnails import Thumbnails
    from steadymark.app.session.state import Display
    from steadymark.models.user_text import UserText

_ZOOM = 1.25  # factor of one step of the wheel
_DEGREES_8 = 120  # eighths of a degree of one step of the wheel
_PAN = 0.1  # share of the shown part that one step of the horizontal wheel moves it


class Timeline(QWidget):
    """The timeline of a recording.

    A click seeks. A drag seeks too, or moves the shown part while the timeline is zoomed in; a
    drag along the times at the top always seeks. The wheel zooms, a double click shows everything.
    In the lanes at the bottom, the mouse selects and changes annotations, and the wheel with Shift
    scrolls.

    Attributes:
        lanes: The lanes with the annotations.
        seek_requested: Emitted with a frame, and whether the mouse button was released there.
    """

    seek_requested = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Timeline"))
        self.setAccessibleDescription(
            self.tr(
                "One row per face. Green: with the face. Orange: no face. Grey: not processed yet. "
                "Black: damaged. Above: jitter. Below: annotations"
            )
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.lanes = LaneRows(self)
        self.lanes.repaint.connect(self._repaint_lanes)
        self.lanes.resized.connect(self._new_layout)
        self._lane_bar = LaneScrollBar(self)
        self._lane_bar.valueChanged.connect(lambda _: self._repaint_lanes())
        self.lanes.row_chosen.connect(self._lane_bar.show_row)
        self._thumbnails: Thumbnails | None = None
        self._shows_pictures = False
        self._display: Display | None = None
        self._results: Results | None = None
        self._signature: tuple[int, int, int] | None = None
        self._presence: FacePresence | None = None
        self._measures: FaceMeasures | None = None
        self._shown = VisibleFrames.whole(0)
        self._background: QPixmap | None = None
        self._lane_layer: QPixmap | None = None
        self._picture_layer: QPixmap | None = None
        self._in_high_window = True
        self._pressed: tuple[QPointF, VisibleFrames] | None = None
        self._dragged = False
        self._note: UserText | None = None
        self._names: Mapping[int, FaceName] = {}
        self._corrected: tuple[int, ...] = ()

    def sizeHint(self) -> QSize:
        return QSize(600, self._layout().height)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self._layout().height)

    @property
    def shown(self) -> VisibleFrames:
        """The part of the recording that is shown."""
        return self._shown

    def show_part(self, shown: VisibleFrames) -> None:
        """Show another part of the recording."""
        if shown != self._shown:
            self._shown = shown
            self._repaint_all()

    def show_everything(self) -> None:
        """Show the whole recording."""
        self.show_part(VisibleFrames.whole(self._shown.count))

    def make_room(self, *, in_high_window: bool) -> None:
        """Give the lanes less room in a low window."""
        if in_high_window != self._in_high_window:
            self._in_high_window = in_high_window
            self._new_layout()

    def use_thumbnails(self, thumbnails: Thumbnails) -> None:
        """Take the thumbnails from here; `show_thumbnails` shows them."""
        self._thumbnails = thumbnails
        thumbnails.changed.connect(self._repaint_pictures)

    def show_thumbnails(self, *, shown: bool) -> None:
        """Show or hide the thumbnails; in a low window, there is no room for them."""
        self._shows_pictures = shown
        if self._thumbnails is not None and not shown:
            self._thumbnails.want(())
        self._new_layout()

    def set_display(self, display: Display) -> None:
        before, self._display = self._display, display
        moved = before is not None and before.frame != display.frame
        if moved and self._pressed is None:
            self.show_part(self._shown.following(display.frame))
        self.update()

    def set_results(self, results: Results | None) -> None:
        """Show new results of tracking."""
        if results is not self._results:
            self._results, self._signature, self._presence = results, None, None
            self._shown = VisibleFrames.whole(0 if results is None else results.frames)
            self.lanes.show_times(None if results is None else results.times_s)
            self._new_layout()
        if results is None:
            return
        known = results.frame_status()
        signature = (len(results.rows()), int(np.count_nonzero(known)), int(known.sum()))
        if signature != self._signature:
            rows_before = self._row_count()
            self._signature, self._presence = signature, presence_of(results)
            if rows_before != self._row_count():
                self._new_layout()
            self._repaint_all()

    def set_measures(self, measures: FaceMeasures | None) -> None:
        self._measures = measures
        self._repaint_all()

    def set_face_names(self, names: Mapping[int, FaceName]) -> None:
        """Show what the faces are called in the shown frame, beside their rows."""
        self._names = names
        self._repaint_all()

    def set_note(self, note: UserText | None) -> None:
        """Show a sentence above the rows, for a recording without any jitter to paint there."""
        if note != self._note:
            self._note = note
            self.setToolTip("" if note is None else translated(note))
            self._repaint_all()

    def set_corrected(self, frames: tuple[int, ...]) -> None:
        """Mark the frames in which landmarks were corrected by hand."""
        if frames != self._corrected:
            self._corrected = frames
            self._repaint_lanes()

    @property
    def face_ids(self) -> list[int]:
        """The ids of the faces that have a row."""
        return [] if self._presence is None else [int(face) for face in self._presence.ids]

    # -- coordinates

    def frame_at(self, x: float) -> int:
        """Return the frame at a horizontal position in the widget."""
        track = self._layout().track
        return self._shown.frame_at((x - track.left()) / track.width())

    def x_of(self, frame: float) -> float:
        """Return the horizontal position of the middle of a frame."""
        return self._layout().x_of(frame + 0.5, self._shown)

    def annotation_at(self, at: QPoint) -> tuple[str | None, int | None]:
        """Return the lane, and the number of the annotation, at a position in the widget."""
        layout, position = self._layout(), QPointF(at)
        lane = self.lanes.lane_at(layout, position.y())
        return lane, self.lanes.number_at(layout, self._shown, position)

    def _layout(self) -> TimelineLayout:
        return TimelineLayout(
            self.width(),
            self._row_count(),
            self.fontMetrics(),
            self.lanes.names,
            self._in_high_window,
            self._has_pictures,
            self._lane_bar.value(),
            tuple(self._name_of(face).short for face in self.face_ids),
        )

    def _name_of(self, face: int) -> FaceName:
        return self._names.get(face, FaceName(face, face))

    @property
    def _has_pictures(self) -> bool:
        return self._shows_pictures and self._in_high_window and self._thumbnails is not None

    def _row_count(self) -> int:
        return max(1, 0 if self._presence is None else len(self._presence.ids))

    def _new_layout(self) -> None:
        self._lane_bar.fit(self._layout())
        self.updateGeometry()
        self._repaint_all()

    def _repaint_all(self) -> None:
        self._background = self._picture_layer = None
        self._repaint_lanes()

    def _repaint_pictures(self) -> None:
        self._picture_layer = None
        self.update()

    def _repaint_lanes(self) -> None:
        self._lane_layer = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, layout = QPainter(self), self._layout()
        self._background = self._background or self._paint_background(layout)
        self._lane_layer = self._lane_layer or self._paint_lanes(layout)
        painter.drawPixmap(0, 0, self._background)
        if self._has_pictures:
            self._picture_layer = self._picture_layer or self._paint_pictures(layout)
            painter.drawPixmap(0, 0, self._picture_layer)
        painter.drawPixmap(0, 0, self._lane_layer)
        if self._display is not None and self._shown.count:
            painter.setClipRect(layout.track.adjusted(-6, 0, 6, 0))
            self.lanes.paint_unfinished(painter, layout, self._shown, self._display.frame)
            paint_loop(painter, layout, self._shown, self._display)
            paint_place(painter, layout, self._shown, self._display.frame, self.palette())

    def _paint_background(self, layout: TimelineLayout) -> QPixmap:
        """Paint the background, which changes with the results but not from frame to frame."""
        ground = new_layer(self)
        painter = QPainter(ground)
        painter.setFont(self.font())
        results = self._results
        paint_ground(
            painter,
            layout,
            self._shown,
            palette=self.palette(),
            times_s=None if results is None else results.times_s,
            presence=self._presence,
            measures=self._measures,
            colours=[face_colour(self._name_of(face).person) for face in self.face_ids],
        )
        if self._note is not None:
            paint_note(painter, layout, translated(self._note), self.palette())
        painter.end()
        return ground

    def _paint_lanes(self, layout: TimelineLayout) -> QPixmap:
        """Paint the annotations, which change more often than the background."""
        layer = new_layer(self)
        painter = QPainter(layer)
        painter.setFont(self.font())
        self.lanes.paint(painter, layout, self._shown, self.palette(), self._presence)
        if self._shown.count:
            paint_corrected_frames(painter, layout, self._shown, self._corrected)
        painter.end()
        return layer

    def _paint_pictures(self, layout: TimelineLayout) -> QPixmap:
        """Paint the thumbnails, and ask for those that are not there yet."""
        assert self._thumbnails is not None
        layer = new_layer(self)
        painter = QPainter(layer)
        wanted = paint_pictures(painter, layout, self._shown, self._thumbnails, self.palette())
        painter.end()
        self._thumbnails.want(wanted)
        return layer

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._repaint_all()
        self._lane_bar.fit(self._layout())

    def changeEvent(self, event: QEvent) -> None:
        self._repaint_all()
        super().changeEvent(event)

    # -- mouse events

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self._shown.count:
            return
        turned = event.angleDelta()
        aside, steps = turned.x() / _DEGREES_8, turned.y() / _DEGREES_8
        in_lanes = event.position().y() >= self._layout().all_lanes.top()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and in_lanes:
            self._lane_bar.scroll_lanes(steps or aside)  # some systems turn the wheel with Shift
            event.accept()
            return
        track = self._layout().track
        share = (event.position().x() - track.left()) / track.width()
        shown = self._shown.zoomed(_ZOOM**steps, min(max(share, 0.0), 1.0))
        self.show_part(shown.panned(-aside * _PAN * shown.span))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or not self._shown.count:
            return
        self._dragged = False
        if self.lanes.press(self._layout(), self._shown, event.position()):
            return
        in_times = event.position().y() < self._layout().strip.top()
        if self._shown.is_whole or in_times:
            self.seek_requested.emit(self.frame_at(event.position().x()), False)
        else:
            self._pressed = event.position(), self._shown

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._shown.count:
            return
        if self._pressed is not None:
            self._pan(event.position())
            return
        if self.lanes.is_pressed:
            self.lanes.drag(self._layout(), self._shown, event.position().x())
            return
        frame = self.frame_at(event.position().x())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.seek_requested.emit(frame, False)
        layout = self._layout()
        shape = self.lanes.cursor_at(layout, self._shown, event.position())
        if shape is None:
            self.unsetCursor()
        else:
            self.setCursor(shape)
        text = self.lanes.tooltip(layout, self._shown, event.position())
        if text is None:
            text = self._tooltip(frame, event.position().y())
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or not self._shown.count:
            return
        self._pressed = None
        self.unsetCursor()
        done = self.lanes.is_pressed and self.lanes.release()
        if not self._dragged and not done:
            self.seek_requested.emit(self.frame_at(event.position().x()), True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._dragged = True  # The release that follows must not seek.
            if not self.lanes.open_at(self._layout(), self._shown, event.position()):
                self.show_everything()

    def _pan(self, position: QPointF) -> None:
        """Move the shown part with the mouse."""
        assert self._pressed is not None
        pressed, shown = self._pressed
        way = position.x() - pressed.x()
        if self._dragged or abs(way) >= QApplication.startDragDistance():
            self._dragged = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.show_part(shown.panned(-way / self._layout().track.width() * shown.span))

    def _tooltip(self, frame: int, y: float) -> str:
        """Return the tooltip of a frame in the row at a vertical position."""
        presence, results = self._presence, self._results
        if presence is None or results is None:
            return ""
        row = self._layout().row_at(y)
        several = row >= 0 and len(presence.ids) > 1
        return describe_frame(
            frame,
            presence.status(max(0, row), frame),
            time_s=float(results.times_s[frame]),
            face=self._name_of(int(presence.ids[row])) if several else None,
            restarts=frame in presence.restarts,
            corrected=frame in self._corrected,
        )
