"""The commands of the menus Edit and Annotate."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

from steadymark.app.gui.actions.action_spec import ActionSpec

SELECTED_ACTIONS = (
    "edit_annotation",
    "delete_annotation",
    "",
    "start_here",
    "end_here",
    "to_start",
    "to_end",
    "loop_annotation",
)
EDIT_COMMANDS = (
    ActionSpec("undo", QT_TRANSLATE_NOOP("commands", "&Undo"), ("Ctrl+Z",)),
    ActionSpec("redo", QT_TRANSLATE_NOOP("commands", "&Redo"), ("Ctrl+Shift+Z", "Ctrl+Y")),
    ActionSpec(
        "previous_annotation",
        QT_TRANSLATE_NOOP("commands", "Select the &previous annotation"),
        ("Alt+Up",),
    ),
    ActionSpec(
        "next_annotation",
        QT_TRANSLATE_NOOP("commands", "Select the &next annotation"),
        ("Alt+Down",),
    ),
    ActionSpec("edit_annotation", QT_TRANSLATE_NOOP("commands", "&Edit annotation…"), ("F2",)),
    ActionSpec(
        "delete_annotation",
        QT_TRANSLATE_NOOP("commands", "&Delete annotation"),
        ("Del", "Backspace"),
    ),
    ActionSpec(
        "start_here",
        QT_TRANSLATE_NOOP("commands", "&Start the annotation at this frame"),
        ("Shift+Home",),
    ),
    ActionSpec(
        "end_here",
        QT_TRANSLATE_NOOP("commands", "End the annotation at this &frame"),
        ("Shift+End",),
    ),
    ActionSpec(
        "to_start",
        QT_TRANSLATE_NOOP("commands", "Go to the start of the annotation"),
        ("Alt+Home",),
    ),
    ActionSpec(
        "to_end", QT_TRANSLATE_NOOP("commands", "Go to the end of the annotation"), ("Alt+End",)
    ),
    ActionSpec(
        "loop_annotation", QT_TRANSLATE_NOOP("commands", "&Loop the annotation"), ("Shift+L",)
    ),
    ActionSpec("add_lane", QT_TRANSLATE_NOOP("commands", "&Add a lane…"), ("Ctrl+Shift+A",)),
    ActionSpec(
        "import_annotations", QT_TRANSLATE_NOOP("commands", "&Import annotations…"), ("Ctrl+I",)
    ),
    ActionSpec(
        "export_annotations",
        QT_TRANSLATE_NOOP("commands", "E&xport annotations…"),
        ("Ctrl+Shift+I",),
    ),
)
