"""The menus of the lanes: one entry for each lane of the open project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from steadymark.app.gui.actions.edit_actions import SELECTED_ACTIONS
from steadymark.app.gui.actions.shortcuts import native_key_text
from steadymark.app.gui.annotations.history_menu import HistoryMenu
from steadymark.app.gui.annotations.lane_dialog import swatch
from steadymark.app.gui.annotations.lane_keys import command_with, with_shift
from steadymark.app.gui.annotations.lane_names import lane_title
from steadymark.engine.review.project import EXCLUDE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.actions.shortcuts import Shortcuts
    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.review.project import Lane

translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True)
class LaneCommands:
    """What can be done with a lane; each function takes its name."""

    toggle_interval: Callable[[str], object]
    mark_event: Callable[[str], object]
    change: Callable[[str], object]
    remove: Callable[[str], object]


class AnnotationMenus:
    """The parts of the menus Edit and Annotate that depend on the open project.

    Attributes:
        history: What was done.
        intervals: Starts and ends an interval of a lane.
        events: Marks an event of a lane.
        lanes: Changes and removes lanes.
    """

    def __init__(self, window: QWidget, review: ReviewStore) -> None:
        self._window = window
        self.history = HistoryMenu(review, window)
        self.intervals = QMenu(translate("menus", "Start or end an in&terval"), window)
        self.events = QMenu(translate("menus", "Mark an e&vent"), window)
        self.lanes = QMenu(translate("menus", "Lanes"), window)

    @property
    def all(self) -> tuple[QMenu, ...]:
        return self.history, self.intervals, self.events, self.lanes

    def fill(
        self,
        lanes: Sequence[Lane],
        growing: Collection[str],
        shortcuts: Shortcuts,
        commands: LaneCommands,
    ) -> None:
        """List these lanes.

        Args:
            lanes: The lanes of the open project; empty while nothing can be edited.
            growing: The lanes with an interval that was started and not ended.
            shortcuts: The keys of the commands, which lanes cannot have.
            commands: What the entries do.
        """
        for menu in (self.intervals, self.events, self.lanes):
            for action in menu.actions():
                action.deleteLater()  # its key is free at once
                action.setShortcut(QKeySequence())
            menu.clear()
        for lane in lanes:
            start = _lane_entry(self.intervals, lane, commands.toggle_interval)
            start.setCheckable(True)
            start.setChecked(lane.name in growing)
            event = _lane_entry(self.events, lane, commands.mark_event)
            for action, key in ((start, lane.key), (event, with_shift(lane.key))):
                _give_key(action, lane, key, shortcuts)
                self._window.addAction(action)  # its key works while the menus are closed
            inside = self.lanes.addMenu(swatch(lane.colour), _plain(lane_title(lane.name)))
            add_lane_entries(inside, lane.name, commands)


def add_lane_entries(menu: QMenu, lane: str, commands: LaneCommands) -> None:
    """Add what changes and removes a lane to a menu."""
    change = menu.addAction(translate("menus", "Name, colour and &key of the lane…"))
    change.triggered.connect(lambda _=False: commands.change(lane))
    remove = menu.addAction(translate("menus", "&Remove the lane"))
    remove.triggered.connect(lambda _=False: commands.remove(lane))
    if lane == EXCLUDE:
        remove.setEnabled(False)
        remove.setStatusTip(
            translate("menus", "This lane stays, since exports leave out what is in it.")
        )


def lane_menu(
    parent: QWidget,
    actions: Mapping[str, QAction],
    lane: str,
    commands: LaneCommands,
    *,
    on_annotation: bool,
    growing: bool,
    can_edit: bool,
) -> QMenu:
    """Return the context menu of a lane.

    Args:
        parent: The parent of the menu.
        actions: The commands of the window.
        lane: The name of the lane.
        commands: What is done with the lane, at the place where the menu opens.
        on_annotation: Whether it opens on an annotation, which is selected.
        growing: Whether an interval of the lane was started and not ended.
        can_edit: Whether the project can be edited.
    """
    menu = QMenu(parent)
    if on_annotation:
        for name in SELECTED_ACTIONS:
            if name:
                menu.addAction(actions[name])
            else:
                menu.addSeparator()
        menu.addSeparator()
    ends = translate("menus", "End the &interval here")
    starts = translate("menus", "Start an &interval here")
    interval = menu.addAction(ends if growing else starts)
    interval.triggered.connect(lambda _=False: commands.toggle_interval(lane))
    event = menu.addAction(translate("menus", "Mark an e&vent here"))
    event.triggered.connect(lambda _=False: commands.mark_event(lane))
    menu.addSeparator()
    before = len(menu.actions())
    add_lane_entries(menu, lane, commands)
    for action in (interval, event, *menu.actions()[before:]):
        action.setEnabled(action.isEnabled() and can_edit)
    menu.addAction(actions["add_lane"])
    return menu


def key_fault(shortcuts: Shortcuts, key: str) -> str:
    """Return why a lane cannot be marked with its key; empty if it can, or has none."""
    command = command_with(shortcuts, key) if key else ""
    if not command:
        return ""
    return translate(
        "lanes", "{key} is the key of '{command}': choose another key for the lane."
    ).format(key=native_key_text(key), command=command)


def _lane_entry(menu: QMenu, lane: Lane, act: Callable[[str], object]) -> QAction:
    action = menu.addAction(swatch(lane.colour), _plain(lane_title(lane.name)))
    action.triggered.connect(lambda _=False: act(lane.name))
    action.setAutoRepeat(False)
    return action


def _give_key(action: QAction, lane: Lane, key: str, shortcuts: Shortcuts) -> None:
    """Give the entry of a lane its key, or say why it has none."""
    fault = key_fault(shortcuts, lane.key)
    if lane.key and not fault:
        action.setShortcut(QKeySequence(key))
    action.setStatusTip(fault)


def _plain(text: str) -> str:
    return text.replace("&", "&&")
