"""The commands for annotations: undo, lanes, intervals, events, and files of other programs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.actions.actions import set_extra_tooltip, update_tooltip
from steadymark.app.gui.annotations.annotation_dialog import AnnotationDialog
from steadymark.app.gui.annotations.annotation_menus import (
    AnnotationMenus,
    LaneCommands,
    key_fault,
    lane_menu,
)
from steadymark.app.gui.annotations.lane_dialog import LaneDialog
from steadymark.app.gui.annotations.lane_keys import free_keys, with_shift
from steadymark.app.gui.annotations.lane_names import lane_title
from steadymark.app.gui.files.exports_list import suggested_path
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.review.annotating import Annotating
from steadymark.app.session.state import frame_at_time
from steadymark.engine.core.errors import LandmarkFileError, SinkError, UsageError
from steadymark.engine.review.edits import LANE_COLOURS
from steadymark.engine.review.elan_file import ELAN, read_annotations, write_annotations
from steadymark.engine.review.project import Lane
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QMenu, QWidget

    from steadymark.app.gui.actions.shortcuts import Shortcuts
    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.timeline.timeline import Timeline
    from steadymark.app.session.session import Session
    from steadymark.engine.review.project import Annotation, Project

_TABLE = ".tsv"
_NEED_EDITING = ("add_lane", "import_annotations")
_NEED_SELECTED = ("edit_annotation", "delete_annotation", "start_here", "end_here")
_SHOW_SELECTED = ("to_start", "to_end", "loop_annotation")
_NEED_ANNOTATIONS = ("previous_annotation", "next_annotation", "export_annotations")


class AnnotationController(QObject):
    """Connects the commands, menus and lanes with the project of the open recording.

    Args:
        window: The window over which dialogs open.
        session: Has the project and the recording.
        messages: Tell the user what was done and what failed.
        shortcuts: Returns the keys of the commands.
    """

    def __init__(
        self,
        window: QWidget,
        *,
        session: Session,
        messages: Messages,
        shortcuts: Callable[[], Shortcuts],
    ) -> None:
        super().__init__(window)
        self._window, self._session, self._messages = window, session, messages
        self._shortcuts = shortcuts
        self.annotating = Annotating(session.review, self)
        self._listed: tuple[object, ...] = ()  # what the menus of the lanes were made from
        self._commands = self._lane_commands(lambda: session.marked_time_s)
        self.annotating.changed.connect(self.refresh)

    def make_menus(self) -> AnnotationMenus:
        """Make the menus that depend on the project, when the window is built or rebuilt."""
        self.menus, self._listed = AnnotationMenus(self._window, self._session.review), ()
        return self.menus

    def connect_widgets(self, actions: Mapping[str, QAction], timeline: Timeline) -> None:
        """Connect the commands and the lanes after they were built or rebuilt."""
        self._actions, self._timeline = actions, timeline
        review, annotating, lanes = self._session.review, self.annotating, timeline.lanes
        for name, slot in (
            ("undo", review.undo),
            ("redo", review.redo),
            ("previous_annotation", partial(self._go_to_adjacent, -1)),
            ("next_annotation", partial(self._go_to_adjacent, 1)),
            ("edit_annotation", self._edit_selected),
            ("delete_annotation", annotating.remove_selected),
            ("start_here", lambda: annotating.set_selected_times(start_s=self._now_s)),
            ("end_here", lambda: annotating.set_selected_times(end_s=self._now_s)),
            ("to_start", lambda: self._go_to(annotating.selected, end=False)),
            ("to_end", lambda: self._go_to(annotating.selected, end=True)),
            ("loop_annotation", self._loop_selected),
            ("add_lane", self._add_lane),
            ("import_annotations", self._import),
            ("export_annotations", self._export),
        ):
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        lanes.selected.connect(annotating.select)
        lanes.edited.connect(lambda one, group: annotating.change(one, group=group))
        lanes.drawn.connect(annotating.add)
        lanes.opened.connect(self._edit)
        lanes.lane_opened.connect(self._change_lane)
        self._shortcuts().changed.connect(self.refresh)
        self.refresh()

    def dismiss(self) -> bool:
        """Give up what is being marked; return whether there was something."""
        if self._timeline.lanes.is_pressed:
            if self._timeline.lanes.let_go():
                self._session.review.undo()
            return True
        return self.annotating.give_up()

    def context_menu(self, at: QPoint) -> QMenu | None:
        """Return the menu of the lane at a position in the timeline, or None outside the lanes."""
        annotating, line = self.annotating, self._timeline
        lane, number = line.annotation_at(at)
        results = self._session.results
        if lane is None or results is None:
            return None
        annotating.select(number)
        time_s = float(results.times_s[line.frame_at(at.x())])
        return lane_menu(
            self._window,
            self._actions,
            lane,
            self._lane_commands(lambda: time_s),
            on_annotation=number is not None,
            growing=lane in annotating.growing,
            can_edit=annotating.can_edit,
        )

    def refresh(self) -> None:
        """Show the project as it is now in the timeline, the menus and the commands."""
        annotating = self.annotating
        project, selected = annotating.project, annotating.selected
        self._timeline.lanes.show_project(
            project,
            selected=None if selected is None else selected.number,
            growing=annotating.growing,
            can_edit=annotating.can_edit,
        )
        why = self._why_not()
        unselected = self.tr("Select an annotation first: click it in the timeline.")
        empty = self.tr("There are no annotations yet.")
        some = project is not None and bool(project.annotations)
        no_selected = "" if selected is not None else unselected
        for names, fault in (
            (_NEED_EDITING, why),
            (_NEED_SELECTED, why or no_selected),
            (_SHOW_SELECTED, self._why_closed() or no_selected),
            (_NEED_ANNOTATIONS, self._why_closed() or ("" if some else empty)),
        ):
            for name in names:
                self._enable(name, fault)
        self._refresh_undo(why)
        self._refresh_lanes(project)

    @property
    def _now_s(self) -> float:
        return self._session.marked_time_s

    def _lane_commands(self, time_s: Callable[[], float]) -> LaneCommands:
        """Return what is done with a lane at a time."""
        annotating = self.annotating
        return LaneCommands(
            toggle_interval=lambda lane: annotating.toggle_interval(lane, time_s()),
            mark_event=lambda lane: annotating.add(lane, time_s()),
            change=self._change_lane,
            remove=annotating.remove_lane,
        )

    # -- what is enabled

    def _why_closed(self) -> str:
        if self._session.review.project is None:
            return self.tr("Open a recording first: annotations belong to a recording.")
        return ""

    def _why_not(self) -> str:
        """Return why nothing can be edited; empty if it can."""
        return self._why_closed() or translated(self._session.review.why_read_only)

    def _enable(self, name: str, fault: str) -> None:
        self._actions[name].setEnabled(not fault)
        set_extra_tooltip(self._actions[name], fault)

    def _refresh_undo(self, why: str) -> None:
        history, actions = self._session.review.history, self._actions
        undone = None if history is None else history.undone_next
        redone = None if history is None else history.redone_next
        for name, text, plain, step, nothing in (
            ("undo", self.tr("&Undo: {action}"), self.tr("&Undo"), undone,
             self.tr("There is nothing to undo.")),
            ("redo", self.tr("&Redo: {action}"), self.tr("&Redo"), redone,
             self.tr("There is nothing to redo.")),
        ):  # fmt: skip
            words = "" if step is None else translated(step).replace("&", "&&")
            actions[name].setText(text.format(action=words) if words else plain)
            self._enable(name, why or ("" if words else nothing))
            update_tooltip(actions[name])
        self.menus.history.menuAction().setEnabled(not why)

    def _refresh_lanes(self, project: Project | None) -> None:
        """List the lanes in the menus if something of them has changed."""
        shortcuts, annotating = self._shortcuts(), self.annotating
        lanes = project.lanes if project is not None and annotating.can_edit else ()
        keys = tuple(key_fault(shortcuts, lane.key) for lane in lanes)
        listed = (lanes, tuple(annotating.growing), keys)
        if listed == self._listed:
            return
        self._listed = listed
        self.menus.fill(lanes, annotating.growing, shortcuts, self._commands)
        titles = {lane.key: lane_title(lane.name) for lane in lanes if lane.key}
        shortcuts.reserve_for_lanes(titles | {with_shift(k): title for k, title in titles.items()})
        for menu in self.menus.all[1:]:
            menu.menuAction().setEnabled(bool(lanes))

    # -- annotations

    def _go_to_adjacent(self, step: int) -> None:
        one = self.annotating.adjacent(step, self._now_s)
        if one is not None:
            self.annotating.select(one.number)
            self._go_to(one, end=False)

    def _go_to(self, one: Annotation | None, *, end: bool) -> None:
        results = self._session.results
        if one is not None and results is not None:
            time_s = one.end_s if end else one.start_s
            self._session.recording.seek(frame_at_time(results.times_s, time_s))

    def _loop_selected(self) -> None:
        one, results = self.annotating.selected, self._session.results
        if one is not None and results is not None:
            first, last = (frame_at_time(results.times_s, t) for t in (one.start_s, one.end_s))
            self._session.recording.set_loop((first, last))

    def _edit(self, number: int) -> None:
        self.annotating.select(number)
        self._edit_selected()

    def _edit_selected(self) -> None:
        one, project = self.annotating.selected, self.annotating.project
        results = self._session.results
        if one is None or project is None or results is None:
            return
        if not self.annotating.can_edit:
            self._messages.show_message(self._session.review.why_read_only)
            return
        persons = {one.number for one in self._session.people.summaries}
        persons.update(person.number for person in project.people)
        dialog = AnnotationDialog(one, project, results.times_s, persons, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def use() -> None:
            if dialog.annotation is not None:
                self.annotating.change(dialog.annotation)

        dialog.accepted.connect(use)
        dialog.open()

    # -- lanes

    def _add_lane(self) -> None:
        project = self.annotating.project
        if project is None:
            return
        colour = LANE_COLOURS[(len(project.lanes) - 1) % len(LANE_COLOURS)]
        keys = free_keys(self._shortcuts(), project.lanes)
        self._show_lane(Lane("", colour, keys[0] if keys else ""), self.annotating.add_lane)

    def _change_lane(self, name: str) -> None:
        project = self.annotating.project
        if project is not None and self.annotating.can_edit:
            self._show_lane(project.lane(name), partial(self.annotating.change_lane, name))

    def _show_lane(self, lane: Lane, use: Callable[[Lane], object]) -> None:
        """Open the dialog of a lane.

        Args:
            lane: The lane; a new one has no name.
            use: Is called with what the user enters.
        """
        project, shortcuts = self.annotating.project, self._shortcuts()
        assert project is not None
        others = [one for one in project.lanes if one.name != lane.name]
        dialog = LaneDialog(
            lane,
            free_keys(shortcuts, others),
            [one.name for one in others],
            fault=key_fault(shortcuts, lane.key),
            parent=self._window,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: use(dialog.lane))
        dialog.open()

    # -- files

    def _import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Import annotations"),
            str(Path(self._session.display.path).parent),
            self.tr("Annotations ({kinds});;All files (*)").format(
                kinds=f"*{ELAN} *{_TABLE} *.txt"
            ),
        )
        if path:
            self.import_file(Path(path))

    def import_file(self, path: Path) -> None:
        """Add the annotations of a file to the project."""
        before = self.annotating.project
        if before is None:
            return
        try:
            read = read_annotations(path, before)
        except (LandmarkFileError, UsageError) as error:
            self._messages.show_message(error.sentence)
            return
        action = UserText("import {file}", file=path.name)
        if not self._session.review.edit(action, lambda _: read.project):
            return
        count = len(read.project.annotations) - len(before.annotations)
        words = self.tr("%n annotation(s) were added from {name}.", "", count)
        self._messages.show_message(words.format(name=path.name), passing=True)
        if read.unknown:
            words = self.tr(
                "No person is called {names}, so these annotations have lanes of their own. Name "
                "the persons and import the file again to assign them."
            )
            self._messages.show_message(words.format(names=", ".join(read.unknown)))

    def _export(self) -> None:
        name = suggested_path(self._session.source.export_base(""), f"_annotations{ELAN}")
        path, chosen = QFileDialog.getSaveFileName(
            self._window,
            self.tr("Export annotations"),
            name,
            self.tr("ELAN ({elan});;Table with tabs ({table})").format(
                elan=f"*{ELAN}", table=f"*{_TABLE}"
            ),
        )
        if path:
            suffix = _TABLE if _TABLE in chosen else ELAN
            known = Path(path).suffix.lower() in (ELAN, _TABLE, ".txt", ".csv")
            self.export_file(Path(path if known else path + suffix))

    def export_file(self, path: Path) -> None:
        """Write the annotations of the project; the suffix `.eaf` makes a file for ELAN."""
        project = self.annotating.project
        if project is None:
            return
        try:
            write_annotations(path, project)
        except SinkError as error:
            self._messages.show_message(error.sentence)
        else:
            words = self.tr("{name} was written.").format(name=path.name)
            self._messages.show_message(words, passing=True)
