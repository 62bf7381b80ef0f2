"""The menus and the toolbar: which commands they contain, and in which order.

An empty name stands for a separator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QToolButton

from steadymark.app.gui.actions.actions import (
    overlay_action_names,
    table_export_name,
    table_export_specs,
)
from steadymark.app.gui.actions.correction_actions import CORRECTION_ACTIONS, LABEL_EXPORTS
from steadymark.app.gui.actions.edit_actions import SELECTED_ACTIONS
from steadymark.app.gui.actions.people_actions import PEOPLE_ACTIONS
from steadymark.app.gui.actions.review_actions import REVIEW_ACTIONS, REVIEW_EXPORTS
from steadymark.app.gui.theme import icon
from steadymark.app.gui.widgets.menu_button import MenuButton

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steadymark.app.gui.annotations.annotation_menus import AnnotationMenus

translate = QCoreApplication.translate

LANDMARK_ACTIONS = ("show_off", "show_raw", "show_stabilized", "show_both")
LAYOUT_ACTIONS = ("layout_together", "layout_wipe", "layout_side")
_PLAYBACK_ACTIONS = (
    "play", "stop", "", "step_back", "step_on", "jump_back", "jump_on", "leap_back", "leap_on",
    "first", "last", "go_to", "", "slower", "faster", "loop",
)  # fmt: skip
_TRACKING_ACTIONS = ("track", "again", "track_from_here", "", "add_model", "remove_model")
_LIVE_ACTIONS = (
    "open_camera",
    "",
    "record",
    "record_drawn",
    "record_folder",
    "",
    "send",
    "expressions",
    "gaze_calibration",
    "",
    "mirror",
)


def make_menus(
    window: QMainWindow,
    actions: Mapping[str, QAction],
    recent: QMenu,
    options: Sequence[QMenu],
    docks: Sequence[QAction],
    annotations: AnnotationMenus,
) -> None:
    """Build the menus of the main window.

    Args:
        window: The main window.
        actions: The actions by the names of the commands.
        recent: The menu of recent recordings.
        options: The menus of the languages and of the themes, for the menu View.
        docks: The actions that show and hide the docks.
        annotations: The menus that depend on the annotations, for the menus Edit and Annotate.
    """
    bar = window.menuBar()
    file = bar.addMenu(translate("menus", "&File"))
    _add(file, actions, ("open", "open_folder", "open_camera"))
    file.addMenu(recent)
    _add(file, actions, ("", "load_truth", "drop_truth", ""))
    tables = (command.name for command in table_export_specs())
    videos = "export_video", "export_side", "export_frame", "copy_frame", "export_plots"
    exports = (*tables, *REVIEW_EXPORTS, *videos, *LABEL_EXPORTS)
    _add(file, actions, ("close", "", *exports, "queue", "", "quit"))
    edit = bar.addMenu(translate("menus", "&Edit"))
    _add(edit, actions, ("undo", "redo"))
    edit.addMenu(annotations.history)
    _add(edit, actions, ("", *CORRECTION_ACTIONS))
    _add(bar.addMenu(translate("menus", "&Playback")), actions, _PLAYBACK_ACTIONS)
    _add(bar.addMenu(translate("menus", "&Tracking")), actions, _TRACKING_ACTIONS)
    _add_annotate_menu(bar.addMenu(translate("menus", "&Annotate")), actions, annotations)
    _add(bar.addMenu(translate("menus", "L&ive")), actions, _LIVE_ACTIONS)
    _group_exclusive_actions(window, actions)
    landmarks = bar.addMenu(translate("menus", "&Landmarks"))
    _add(
        landmarks,
        actions,
        (
            *LANDMARK_ACTIONS,
            "",
            *LAYOUT_ACTIONS,
            "wipe_left",
            "wipe_right",
            "",
            *overlay_action_names(),
        ),
    )
    review = bar.addMenu(translate("menus", "&Review"))
    _add(review, actions, (*REVIEW_ACTIONS, "", *PEOPLE_ACTIONS, "gaze_calibration"))
    view = bar.addMenu(translate("menus", "&View"))
    _add(view, actions, ("zoom_in", "zoom_out", "fit", "actual", "full_screen", ""))
    view.addActions(list(docks))
    _add(view, actions, ("", "thumbnails", ""))
    for menu in options:
        view.addMenu(menu)
    view.addAction(actions["dismiss"])
    _add(
        bar.addMenu(translate("menus", "&Help")),
        actions,
        ("manual", "glossary", "shortcuts", "", "cite", "about", "", "diagnostics", "log"),
    )


def make_toolbar(
    window: QMainWindow, actions: Mapping[str, QAction]
) -> tuple[QToolBar, QToolButton]:
    """Build the toolbar with the most common commands.

    Returns:
        The toolbar, and its button whose menu chooses the drawn landmarks and overlays.
    """
    bar = QToolBar(translate("menus", "Toolbar"), window)
    bar.setObjectName("toolbar")
    bar.setIconSize(QSize(22, 22))
    bar.setMovable(False)
    for name in (
        "open",
        "open_camera",
        "send",
        table_export_name("native"),
        "export_frame",
        "",
        "track",
        "again",
        "",
    ):
        _add_action_or_separator(bar, actions, name)
    landmarks_button = MenuButton(bar)
    landmarks_button.setText(translate("menus", "Landmarks"))
    landmarks_button.setIcon(icon("face"))
    landmarks_button.setToolTip(translate("menus", "What is drawn over the image"))
    landmarks_button.setAccessibleName(translate("menus", "Landmarks"))
    landmarks_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    menu = QMenu(landmarks_button)
    _add(menu, actions, (*LANDMARK_ACTIONS, "", *overlay_action_names()))
    landmarks_button.setMenu(menu)
    bar.addWidget(landmarks_button)
    for name in (*LAYOUT_ACTIONS, "", "zoom_out", "zoom_in", "fit", "actual"):
        _add_action_or_separator(bar, actions, name)
    window.addToolBar(bar)
    return bar, landmarks_button


def _add_annotate_menu(
    menu: QMenu, actions: Mapping[str, QAction], annotations: AnnotationMenus
) -> None:
    menu.addMenu(annotations.intervals)
    menu.addMenu(annotations.events)
    _add(menu, actions, ("", "previous_annotation", "next_annotation", "", *SELECTED_ACTIONS, ""))
    menu.addMenu(annotations.lanes)
    _add(menu, actions, ("add_lane", "", "import_annotations", "export_annotations"))


def _group_exclusive_actions(window: QMainWindow, actions: Mapping[str, QAction]) -> None:
    for names in (LANDMARK_ACTIONS, LAYOUT_ACTIONS):
        group = QActionGroup(window)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        for name in names:
            group.addAction(actions[name])


def _add(menu: QMenu, actions: Mapping[str, QAction], names: Sequence[str]) -> None:
    for name in names:
        if name:
            menu.addAction(actions[name])
        else:
            menu.addSeparator()


def _add_action_or_separator(bar: QToolBar, actions: Mapping[str, QAction], name: str) -> None:
    if name:
        bar.addAction(actions[name])
    else:
        bar.addSeparator()
