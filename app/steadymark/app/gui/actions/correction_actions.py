"""The commands that correct landmarks by hand; see `actions`."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

from steadymark.app.gui.actions.action_spec import ActionSpec

CORRECTION_COMMANDS = (
    ActionSpec(
        "correct_landmarks",
        QT_TRANSLATE_NOOP("commands", "&Correct landmarks"),
        ("Shift+C",),
        checkable=True,
    ),
    ActionSpec(
        "previous_correction",
        QT_TRANSLATE_NOOP("commands", "Go to the &previous corrected frame"),
        ("Ctrl+PgUp",),
    ),
    ActionSpec(
        "next_correction",
        QT_TRANSLATE_NOOP("commands", "Go to the &next corrected frame"),
        ("Ctrl+PgDown",),
    ),
    ActionSpec(
        "remove_correction",
        QT_TRANSLATE_NOOP("commands", "Re&move the correction of this frame"),
        ("Ctrl+Del",),
    ),
    ActionSpec(
        "track_from_here",
        QT_TRANSLATE_NOOP("commands", "Track again from t&his frame"),
        ("Shift+T",),
    ),
    ActionSpec(
        "export_labels",
        QT_TRANSLATE_NOOP("commands", "Save corrected frames as ground truth…"),
        ("Ctrl+Shift+B",),
    ),
    ActionSpec(
        "export_frame_label",
        QT_TRANSLATE_NOOP("commands", "Save this frame as ground truth…"),
        ("Ctrl+Alt+B",),
    ),
)
CORRECTION_ACTIONS = (
    "correct_landmarks",
    "previous_correction",
    "next_correction",
    "remove_correction",
)
LABEL_EXPORTS = ("export_labels", "export_frame_label")
