"""The commands of the window: the name, text, icon and shortcuts of each.

`make_actions` makes one QAction of each command; menus, the toolbar and buttons share it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PySide6.QtGui import QAction, QKeySequence

from steadymark.app.gui.actions.action_spec import ActionSpec
from steadymark.app.gui.actions.correction_actions import CORRECTION_COMMANDS
from steadymark.app.gui.actions.edit_actions import EDIT_COMMANDS
from steadymark.app.gui.actions.people_actions import PEOPLE_COMMANDS
from steadymark.app.gui.actions.review_actions import REVIEW_COMMANDS
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.theme import icon
from steadymark.engine.attributes.attribute_registry import ATTRIBUTES, drawing_names
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.models.errors import ContentError
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


_COMMANDS = (
    ActionSpec("open", QT_TRANSLATE_NOOP("commands", "&Open video…"), ("Ctrl+O",), "open"),
    ActionSpec(
        "open_folder", QT_TRANSLATE_NOOP("commands", "Open &folder of images…"), ("Ctrl+Shift+O",)
    ),
    ActionSpec(
        "open_camera",
        QT_TRANSLATE_NOOP("commands", "Open &camera or stream…"),
        ("Ctrl+L",),
        "webcam",
    ),
    ActionSpec(
        "load_truth", QT_TRANSLATE_NOOP("commands", "Load &ground truth…"), ("Ctrl+Shift+G",)
    ),
    ActionSpec(
        "drop_truth", QT_TRANSLATE_NOOP("commands", "Remove groun&d truth"), ("Ctrl+Alt+G",)
    ),
    ActionSpec("close", QT_TRANSLATE_NOOP("commands", "C&lose recording"), ("Ctrl+W",)),
    ActionSpec(
        "export_video",
        QT_TRANSLATE_NOOP("commands", "Export &video with landmarks…"),
        ("Ctrl+Shift+E",),
    ),
    ActionSpec(
        "export_side",
        QT_TRANSLATE_NOOP("commands", "Export video of &both, side by side…"),
        ("Ctrl+Alt+E",),
    ),
    ActionSpec(
        "queue",
        QT_TRANSLATE_NOOP("commands", "Track and export m&any videos…"),
        ("Ctrl+Shift+M",),
    ),
    ActionSpec(
        "export_frame",
        QT_TRANSLATE_NOOP("commands", "Save this fra&me as an image…"),
        ("Ctrl+Shift+S",),
        "camera",
    ),
    ActionSpec("copy_frame", QT_TRANSLATE_NOOP("commands", "Copy t&his frame"), ("Ctrl+C",)),
    ActionSpec(
        "export_plots",
        QT_TRANSLATE_NOOP("commands", "Save the &plots as an image…"),
        ("Ctrl+Shift+P",),
    ),
    ActionSpec("quit", QT_TRANSLATE_NOOP("commands", "&Quit"), ("Ctrl+Q",)),
    ActionSpec("play", QT_TRANSLATE_NOOP("commands", "&Play"), ("Space", "Media Play"), "play"),
    ActionSpec(
        "stop",
        QT_TRANSLATE_NOOP("commands", "&Stop, back to the beginning"),
        ("Shift+Space", "Media Stop"),
        "stop",
    ),
    ActionSpec(
        "step_back", QT_TRANSLATE_NOOP("commands", "One frame back"), ("Left",), "step-back"
    ),
    ActionSpec(
        "step_on", QT_TRANSLATE_NOOP("commands", "One frame forward"), ("Right",), "step-on"
    ),
    ActionSpec(
        "jump_back", QT_TRANSLATE_NOOP("commands", "1 second back"), ("Shift+Left",), "jump-back"
    ),
    ActionSpec(
        "jump_on", QT_TRANSLATE_NOOP("commands", "1 second forward"), ("Shift+Right",), "jump-on"
    ),
    ActionSpec("leap_back", QT_TRANSLATE_NOOP("commands", "10 seconds back"), ("Ctrl+Left",)),
    ActionSpec("leap_on", QT_TRANSLATE_NOOP("commands", "10 seconds forward"), ("Ctrl+Right",)),
    ActionSpec("first", QT_TRANSLATE_NOOP("commands", "First frame"), ("Home",)),
    ActionSpec("last", QT_TRANSLATE_NOOP("commands", "Last frame"), ("End",)),
    ActionSpec("go_to", QT_TRANSLATE_NOOP("commands", "&Go to time or frame"), ("Ctrl+G",)),
    ActionSpec("slower", QT_TRANSLATE_NOOP("commands", "Slower"), ("[",)),
    ActionSpec("faster", QT_TRANSLATE_NOOP("commands", "Faster"), ("]",)),
    ActionSpec(
        "loop",
        QT_TRANSLATE_NOOP("commands", "Mark a &loop: start, end, remove"),
        ("L",),
        "loop",
        checkable=True,
    ),
    ActionSpec("track", QT_TRANSLATE_NOOP("commands", "Pause &tracking"), ("T",), "track-pause"),
    ActionSpec(
        "again",
        QT_TRANSLATE_NOOP("commands", "Track &again from the beginning"),
        ("Ctrl+T",),
        "again",
    ),
    ActionSpec("add_model", QT_TRANSLATE_NOOP("commands", "Add a &model…"), ("Ctrl+M",)),
    ActionSpec(
        "remove_model",
        QT_TRANSLATE_NOOP("commands", "&Remove the selected own model"),
        ("Ctrl+Alt+M",),
    ),
    ActionSpec(
        "record",
        QT_TRANSLATE_NOOP("commands", "&Record video and table"),
        ("Ctrl+R",),
        "record",
        checkable=True,
    ),
    ActionSpec(
        "record_drawn",
        QT_TRANSLATE_NOOP("commands", "&Draw landmarks into recordings"),
        ("Ctrl+Shift+R",),
        checkable=True,
    ),
    ActionSpec(
        "record_folder",
        QT_TRANSLATE_NOOP("commands", "&Folder for recordings…"),
        ("Ctrl+Alt+R",),
    ),
    ActionSpec(
        "send",
        QT_TRANSLATE_NOOP("commands", "&Send to other programs…"),
        ("Ctrl+Shift+N",),
        "send",
        checkable=True,
    ),
    ActionSpec("expressions", QT_TRANSLATE_NOOP("commands", "E&xpressions…"), ("Ctrl+Alt+F",)),
    ActionSpec(
        "gaze_calibration", QT_TRANSLATE_NOOP("commands", "&Gaze calibration…"), ("Ctrl+Alt+K",)
    ),
    ActionSpec(
        "mirror", QT_TRANSLATE_NOOP("commands", "&Mirrored view"), ("M",), "mirror", checkable=True
    ),
    ActionSpec("show_off", QT_TRANSLATE_NOOP("commands", "No landmarks"), ("O",), checkable=True),
    ActionSpec("show_raw", QT_TRANSLATE_NOOP("commands", "Raw landmarks"), ("R",), checkable=True),
    ActionSpec(
        "show_stabilized",
        QT_TRANSLATE_NOOP("commands", "Stabilized landmarks"),
        ("S",),
        checkable=True,
    ),
    ActionSpec(
        "show_both", QT_TRANSLATE_NOOP("commands", "Both, compared"), ("B",), checkable=True
    ),
    ActionSpec(
        "layout_together",
        QT_TRANSLATE_NOOP("commands", "Overlaid"),
        ("Shift+O",),
        "together",
        checkable=True,
    ),
    ActionSpec(
        "layout_wipe",
        QT_TRANSLATE_NOOP("commands", "Split by a movable line"),
        ("W",),
        "wipe",
        checkable=True,
    ),
    ActionSpec(
        "layout_side", QT_TRANSLATE_NOOP("commands", "Side by side"), ("D",), "side", checkable=True
    ),
    ActionSpec(
        "wipe_left", QT_TRANSLATE_NOOP("commands", "Move the dividing line left"), ("Alt+Left",)
    ),
    ActionSpec(
        "wipe_right", QT_TRANSLATE_NOOP("commands", "Move the dividing line right"), ("Alt+Right",)
    ),
    ActionSpec("points", QT_TRANSLATE_NOOP("commands", "Points"), ("P",), "points", checkable=True),
    ActionSpec("contours", QT_TRANSLATE_NOOP("commands", "Contours"), ("C",), checkable=True),
    ActionSpec(
        "numbers", QT_TRANSLATE_NOOP("commands", "Landmark numbers"), ("N",), checkable=True
    ),
    ActionSpec(
        "scores", QT_TRANSLATE_NOOP("commands", "Points coloured by score"), ("K",), checkable=True
    ),
    ActionSpec(
        "trails",
        QT_TRANSLATE_NOOP("commands", "Trails of the last second, coloured by speed"),
        ("Y",),
        checkable=True,
    ),
    ActionSpec("boxes", QT_TRANSLATE_NOOP("commands", "Face boxes"), ("F",), checkable=True),
    ActionSpec(
        "ids", QT_TRANSLATE_NOOP("commands", "Ids and scores of faces"), ("I",), checkable=True
    ),
    ActionSpec(
        "crop",
        QT_TRANSLATE_NOOP("commands", "Crop: the input of the network"),
        ("Q",),
        checkable=True,
    ),
    ActionSpec(
        "heatmaps",
        QT_TRANSLATE_NOOP("commands", "&Heatmaps along the crop's edges"),
        ("H",),
        checkable=True,
    ),
    ActionSpec("truth", QT_TRANSLATE_NOOP("commands", "&Ground truth"), ("G",), checkable=True),
    ActionSpec(
        "zoom_in", QT_TRANSLATE_NOOP("commands", "Zoom in"), ("Ctrl++", "+", "="), "zoom-in"
    ),
    ActionSpec("zoom_out", QT_TRANSLATE_NOOP("commands", "Zoom out"), ("Ctrl+-", "-"), "zoom-out"),
    ActionSpec("fit", QT_TRANSLATE_NOOP("commands", "Fit to the window"), ("Ctrl+0", "0"), "fit"),
    ActionSpec(
        "actual", QT_TRANSLATE_NOOP("commands", "Actual size, 1:1"), ("Ctrl+1", "1"), "actual"
    ),
    ActionSpec(
        "full_screen", QT_TRANSLATE_NOOP("commands", "Full screen"), ("F11",), checkable=True
    ),
    ActionSpec(
        "thumbnails",
        QT_TRANSLATE_NOOP("commands", "Thu&mbnails in the timeline"),
        ("Ctrl+Alt+T",),
        checkable=True,
    ),
    ActionSpec("shortcuts", QT_TRANSLATE_NOOP("commands", "&Keyboard shortcuts…"), ("Ctrl+K",)),
    ActionSpec("manual", QT_TRANSLATE_NOOP("commands", "&Manual"), ("F1",)),
    ActionSpec("glossary", QT_TRANSLATE_NOOP("commands", "&Glossary"), ("Ctrl+F1",)),
    ActionSpec("cite", QT_TRANSLATE_NOOP("commands", "&How to cite…"), ("Ctrl+Shift+H",)),
    ActionSpec("about", QT_TRANSLATE_NOOP("commands", "&About Steadymark"), ("Shift+F1",), "info"),
    ActionSpec(
        "diagnostics", QT_TRANSLATE_NOOP("commands", "&Copy diagnostics"), ("Ctrl+Shift+D",)
    ),
    ActionSpec("log", QT_TRANSLATE_NOOP("commands", "Show the &log file"), ("Ctrl+Shift+L",)),
    ActionSpec("dismiss", QT_TRANSLATE_NOOP("commands", "Dismiss messages"), ("Esc",)),
    *REVIEW_COMMANDS,
    *PEOPLE_COMMANDS,
    *CORRECTION_COMMANDS,
)
_TABLE_KEYS = {
    "native": ("Ctrl+E",),
    "openface": ("Ctrl+Shift+F",),
    "livelink": ("Ctrl+Alt+L",),
    "gltf": ("Ctrl+Alt+D",),
    "bvh": ("Ctrl+Alt+H",),
}
_EXTRA_TOOLTIP = "more"  # name of a dynamic property of the action
_OVERLAY_NAMES = (
    "points",
    "contours",
    "numbers",
    "scores",
    "trails",
    "boxes",
    "ids",
    "crop",
    "heatmaps",
    "truth",
)


def table_export_name(name: str) -> str:
    """Return the name of the command that exports a table in this format."""
    return f"export_table_{name}"


def table_export_specs() -> tuple[ActionSpec, ...]:
    """Return the commands that export a table, one for each format."""
    return tuple(
        ActionSpec(
            table_export_name(each.name),
            UserText("Export {table}…", table=each.label),
            _TABLE_KEYS.get(each.name, ()),
            "export" if each.name == "native" else "",
        )
        for each in TABLE_FORMATS.all()
    )


def action_specs() -> tuple[ActionSpec, ...]:
    """Return all commands, including those of table formats and of drawings of face attributes.

    Raises:
        ContentError: The drawing of a plug-in has the name of another command.
    """
    drawn = [a.drawing for a in ATTRIBUTES.all() if a.drawing is not None]
    for drawing in drawn:
        if drawing.name in {command.name for command in (*_COMMANDS, *EDIT_COMMANDS)}:
            raise ContentError(
                "the drawing '{name}' has the name of another command", name=drawing.name
            )
    place = next(i for i, command in enumerate(_COMMANDS) if command.name == "heatmaps")
    own = (ActionSpec(d.name, d.label, d.keys, checkable=True) for d in drawn)
    return (*_COMMANDS[:place], *own, *_COMMANDS[place:], *EDIT_COMMANDS, *table_export_specs())


def overlay_action_names() -> tuple[str, ...]:
    """Return the names of the commands that switch an overlay on or off."""
    place = _OVERLAY_NAMES.index("heatmaps")
    return (*_OVERLAY_NAMES[:place], *drawing_names(), *_OVERLAY_NAMES[place:])


def make_actions(parent: QWidget) -> dict[str, QAction]:
    """Return a new action for each command, by the command's name.

    The tooltip of each action includes its shortcut.
    """
    actions = {}
    for command in action_specs():
        action = QAction(_translated_text(command), parent)
        action.setObjectName(command.name)
        action.setCheckable(command.checkable)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        if command.icon:
            action.setIcon(icon(command.icon))
        if command.checkable:
            # The menu shows a check mark in the place of the icon.
            action.setIconVisibleInMenu(False)
        update_tooltip(action)
        parent.addAction(action)
        actions[command.name] = action
    return actions


def _translated_text(command: ActionSpec) -> str:
    if isinstance(command.text, UserText):
        return translated(command.text)
    return QCoreApplication.translate("commands", str(command.text))


def update_tooltip(action: QAction) -> None:
    """Set the tooltip to the command's text and shortcut.

    A text that was set by `set_extra_tooltip` follows on a new line.
    """
    text = text_without_mnemonic(action.text())
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    tooltip, extra = f"{text} ({keys})" if keys else text, action.property(_EXTRA_TOOLTIP)
    action.setToolTip(f"{tooltip}\n{extra}" if extra else tooltip)


def set_extra_tooltip(action: QAction, text: str) -> None:
    """Add text to the action's tooltip and show it as its status tip.

    Args:
        action: The command.
        text: The additional text; an empty string removes it.
    """
    if (action.property(_EXTRA_TOOLTIP) or "") != text:
        action.setProperty(_EXTRA_TOOLTIP, text)
        action.setStatusTip(text)
        update_tooltip(action)


def text_without_mnemonic(text: str) -> str:
    """Return the text of a command or menu without mnemonics and the final ellipsis."""
    return re.sub(r"\(&\w\)|&", "", text).removesuffix("…").rstrip()


def reload_icons(actions: dict[str, QAction]) -> None:
    """Reload all icons after the window changed between light and dark."""
    for command in action_specs():
        if command.icon:
            actions[command.name].setIcon(icon(command.icon))
