"""What the user annotates: the selected annotation, and the intervals that have no end yet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from steadymark.engine.review import edits
from steadymark.engine.review.project import EXCLUDE
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.review.project import Annotation, Lane, Project


class Annotating(QObject):
    """Edits the annotations and lanes of the open project. It lives in the GUI thread.

    Args:
        review: Holds the project.
        parent: The owner.

    Attributes:
        changed: Emitted when the project, `selected` or `growing` has changed.
        growing: The intervals that were started and not ended: lane and start in seconds.
    """

    changed = Signal()

    def __init__(self, review: ReviewStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._review = review
        self._selected: int | None = None
        self.growing: dict[str, float] = {}
        review.changed.connect(self._on_project_changed)

    @property
    def project(self) -> Project | None:
        """The project as it is now; None while no recording is open."""
        return self._review.project

    @property
    def can_edit(self) -> bool:
        """Whether a recording is open and its project can be edited."""
        return self._review.project is not None and not self._review.why_read_only

    @property
    def selected(self) -> Annotation | None:
        """The selected annotation."""
        project = self._review.project
        if project is None or self._selected is None:
            return None
        return next((one for one in project.annotations if one.number == self._selected), None)

    def select(self, number: int | None) -> None:
        """Select an annotation by its number, or none."""
        if number != self._selected:
            self._selected = number
            self.changed.emit()

    def adjacent(self, step: int, time_s: float) -> Annotation | None:
        """Return the annotation before or after the selected one, in the order of their starts.

        Args:
            step: 1 for the next one, -1 for the previous one.
            time_s: Where the search begins while no annotation is selected.
        """
        project, selected = self._review.project, self.selected
        if project is None:
            return None
        here = (time_s, 0) if selected is None else _order(selected)
        if step > 0:
            later = (one for one in project.annotations if _order(one) > here)
            return min(later, key=_order, default=None)
        earlier = (one for one in project.annotations if _order(one) < here)
        return max(earlier, key=_order, default=None)

    # -- annotations

    def toggle_interval(self, lane: str, time_s: float) -> None:
        """Start an interval of a lane at this time, or end the one that was started.

        An interval that ends where it starts is an event.
        """
        if lane in self.growing:
            start_s = self.growing.pop(lane)
            self.add(lane, min(start_s, time_s), max(start_s, time_s))
        elif self.can_edit:
            self.growing[lane] = time_s
            self.changed.emit()

    def give_up(self) -> bool:
        """Give up the interval that was started last; return whether there was one."""
        if not self.growing:
            return False
        self.growing.popitem()
        self.changed.emit()
        return True

    def add(self, lane: str, start_s: float, end_s: float | None = None) -> bool:
        """Add an interval, or an event if there is no end, and select it."""
        event = UserText("event in '{lane}'", lane=lane_text(lane))
        action = event if end_s is None else _added(lane)
        done = self._review.edit(action, lambda p: edits.annotate(p, lane, start_s, end_s))
        project = self._review.project
        if done and project is not None:
            self.select(project.annotations[-1].number)
        return done

    def change(self, annotation: Annotation, *, group: str = "") -> bool:
        """Replace the annotation with the same number.

        Args:
            annotation: The new annotation.
            group: See `ReviewStore.edit`.
        """
        return self._review.edit(
            UserText("change in '{lane}'", lane=lane_text(annotation.lane)),
            lambda project: edits.change_annotation(project, annotation),
            group=group,
        )

    def set_selected_times(
        self, *, start_s: float | None = None, end_s: float | None = None
    ) -> bool:
        """Give the selected annotation another start or another end.

        An event moves there. An end before the start, or a start after the end, is refused with
        a message.
        """
        one = self.selected
        if one is None:
            return False
        if one.is_event:
            start_s = end_s = start_s if start_s is not None else end_s
        first = one.start_s if start_s is None else start_s
        last = one.end_s if end_s is None else end_s

        def change(project: Project) -> Project:
            return edits.change_annotation(project, replace(one, start_s=first, end_s=last))

        return self._review.edit(UserText("change in '{lane}'", lane=lane_text(one.lane)), change)

    def remove_selected(self) -> bool:
        """Remove the selected annotation."""
        one = self.selected
        return one is not None and self._review.edit(
            UserText("delete in '{lane}'", lane=lane_text(one.lane)),
            lambda project: edits.remove_annotations(project, {one.number}),
        )

    # -- lanes

    def add_lane(self, lane: Lane) -> bool:
        """Add a lane below the others."""
        return self._review.edit(
            UserText("add the lane '{lane}'", lane=lane_text(lane.name)),
            lambda project: edits.add_lane(project, lane.name, key=lane.key, colour=lane.colour),
        )

    def change_lane(self, name: str, changed: Lane) -> bool:
        """Give a lane another name, colour or key."""
        return self._review.edit(
            UserText("change the lane '{lane}'", lane=lane_text(name)),
            lambda project: edits.change_lane(project, name, changed),
        )

    def remove_lane(self, name: str) -> bool:
        """Remove a lane and its annotations."""
        return self._review.edit(
            UserText("delete the lane '{lane}'", lane=lane_text(name)),
            lambda project: edits.remove_lane(project, name),
        )

    def _on_project_changed(self) -> None:
        project = self._review.project
        if self.selected is None:
            self._selected = None
        names = set() if project is None else {lane.name for lane in project.lanes}
        for lane in set(self.growing) - names:
            del self.growing[lane]
        self.changed.emit()


def lane_text(lane: str) -> str:
    """Return what a lane is called in messages and menus: `exclude` is translated."""
    return UserText("exclude") if lane == EXCLUDE else lane


def _added(lane: str) -> UserText:
    """Return what a new interval of this lane is called in the menus of undo and redo."""
    if lane == EXCLUDE:
        return UserText("exclude")
    return UserText("interval in '{lane}'", lane=lane)


def _order(annotation: Annotation) -> tuple[float, int]:
    return annotation.start_s, annotation.number
