"""The commands of the review; see `actions`."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

from steadymark.app.gui.actions.action_spec import ActionSpec

REVIEW_COMMANDS = (
    ActionSpec("next_doubt", QT_TRANSLATE_NOOP("commands", "&Next doubtful stretch"), ("Shift+N",)),
    ActionSpec(
        "previous_doubt", QT_TRANSLATE_NOOP("commands", "&Previous doubtful stretch"), ("Shift+P",)
    ),
    ActionSpec(
        "accept_doubt",
        QT_TRANSLATE_NOOP("commands", "&Accept the stretch, or open it again"),
        ("A",),
    ),
    ActionSpec(
        "exclude_doubt",
        QT_TRANSLATE_NOOP("commands", "E&xclude the stretch, or include it again"),
        ("Shift+A",),
    ),
    ActionSpec(
        "export_stretches",
        QT_TRANSLATE_NOOP("commands", "Export doubtful &stretches…"),
        ("Ctrl+Shift+X",),
    ),
    ActionSpec(
        "export_reviewed",
        QT_TRANSLATE_NOOP("commands", "Export &table with options…"),
        ("Ctrl+Shift+T",),
    ),
    ActionSpec(
        "export_statistics",
        QT_TRANSLATE_NOOP("commands", "Export statistics of &intervals…"),
        ("Ctrl+Shift+J",),
    ),
    ActionSpec("export_report", QT_TRANSLATE_NOOP("commands", "R&eport…"), ("Ctrl+P",)),
)
REVIEW_ACTIONS = ("next_doubt", "previous_doubt", "", "accept_doubt", "exclude_doubt")
REVIEW_EXPORTS = ("export_stretches", "export_reviewed", "export_statistics", "export_report")
