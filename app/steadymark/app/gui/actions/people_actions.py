"""The commands that say which face is whose; see `actions`."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

from steadymark.app.gui.actions.action_spec import ActionSpec

PEOPLE_COMMANDS = (
    ActionSpec("name_person", QT_TRANSLATE_NOOP("commands", "Name the pe&rson"), ("Ctrl+Alt+N",)),
    ActionSpec(
        "merge_people",
        QT_TRANSLATE_NOOP("commands", "&Merge the selected persons"),
        ("Ctrl+Alt+J",),
    ),
    ActionSpec(
        "split_person",
        QT_TRANSLATE_NOOP("commands", "New person from this &frame on"),
        ("Ctrl+Alt+S",),
    ),
    ActionSpec(
        "swap_people",
        QT_TRANSLATE_NOOP("commands", "S&wap two persons from this frame on"),
        ("Ctrl+Alt+X",),
    ),
    ActionSpec(
        "neutral_face",
        QT_TRANSLATE_NOOP("commands", "Face is ne&utral in this frame"),
        ("Ctrl+Alt+0",),
    ),
)
PEOPLE_ACTIONS = ("name_person", "merge_people", "split_person", "swap_people", "neutral_face")
