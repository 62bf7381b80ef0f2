"""Every command once: its name, text, icon, keys and hint. Menus, toolbar and buttons share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PySide6.QtGui import QAction, QKeySequence

from steadymark.app.window.theme import icon

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class Command:
    """icon: a file's stem in assets/icons. keys: the first is shown in menus."""

    name: str
    text: object
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False


_T = QT_TRANSLATE_NOOP
COMMANDS = (
    Command("open", _T("commands", "&Open video…"), ("Ctrl+O",), "open"),
    Command("open_folder", _T("commands", "Open &folder of pictures…"), ("Ctrl+Shift+O",)),
    Command("close", _T("commands", "&Close recording"), ("Ctrl+W",)),
    Command("export_csv", _T("commands", "Export &table (CSV)…"), ("Ctrl+E",), "export"),
    Command(
        "export_openface", _T("commands", "Export table for Open&Face scripts…"), ("Ctrl+Shift+F",)
    ),
    Command("export_video", _T("commands", "Export &video with landmarks…"), ("Ctrl+Shift+E",)),
    Command(
        "export_frame",
        _T("commands", "Save this &frame as a picture…"),
        ("Ctrl+Shift+S",),
        "camera",
    ),
    Command("export_plots", _T("commands", "Save the &plots as a picture…"), ("Ctrl+Shift+P",)),
    Command("quit", _T("commands", "&Quit"), ("Ctrl+Q",)),
    Command("play", _T("commands", "&Play"), ("Space", "Media Play"), "play"),
    Command(
        "stop",
        _T("commands", "&Stop, back to the beginning"),
        ("Shift+Space", "Media Stop"),
        "stop",
    ),
    Command("step_back", _T("commands", "One frame back"), ("Left",), "step-back"),
    Command("step_on", _T("commands", "One frame on"), ("Right",), "step-on"),
    Command("jump_back", _T("commands", "1 second back"), ("Shift+Left",), "jump-back"),
    Command("jump_on", _T("commands", "1 second on"), ("Shift+Right",), "jump-on"),
    Command("leap_back", _T("commands", "10 seconds back"), ("Ctrl+Left",)),
    Command("leap_on", _T("commands", "10 seconds on"), ("Ctrl+Right",)),
    Command("first", _T("commands", "First frame"), ("Home",)),
    Command("last", _T("commands", "Last frame"), ("End",)),
    Command("go_to", _T("commands", "&Go to time or frame"), ("Ctrl+G",)),
    Command("slower", _T("commands", "Slower"), ("[",)),
    Command("faster", _T("commands", "Faster"), ("]",)),
    Command(
        "loop",
        _T("commands", "Mark a region to &loop: begin, end, none"),
        ("L",),
        "loop",
        checkable=True,
    ),
    Command("track", _T("commands", "Pause &tracking"), ("T",), "track-pause"),
    Command("again", _T("commands", "Track &again from the beginning"), ("Ctrl+T",), "again"),
    Command("show_off", _T("commands", "No landmarks"), ("O",), checkable=True),
    Command("show_raw", _T("commands", "Raw landmarks"), ("R",), checkable=True),
    Command("show_stabilized", _T("commands", "Stabilized landmarks"), ("S",), checkable=True),
    Command("show_both", _T("commands", "Both, compared"), ("B",), checkable=True),
    Command(
        "layout_together",
        _T("commands", "Over each other"),
        ("Shift+O",),
        "together",
        checkable=True,
    ),
    Command(
        "layout_wipe", _T("commands", "Divided by a line to drag"), ("W",), "wipe", checkable=True
    ),
    Command("layout_side", _T("commands", "Side by side"), ("D",), "side", checkable=True),
    Command("wipe_left", _T("commands", "Move the dividing line left"), ("Alt+Left",)),
    Command("wipe_right", _T("commands", "Move the dividing line right"), ("Alt+Right",)),
    Command("points", _T("commands", "Points"), ("P",), "points", checkable=True),
    Command("contours", _T("commands", "Contours"), ("C",), checkable=True),
    Command("numbers", _T("commands", "Numbers of the points"), ("N",), checkable=True),
    Command("scores", _T("commands", "Points coloured by score"), ("K",), checkable=True),
    Command(
        "trails",
        _T("commands", "Trails of the last second, coloured by speed"),
        ("Y",),
        checkable=True,
    ),
    Command("boxes", _T("commands", "Boxes"), ("X",), checkable=True),
    Command("ids", _T("commands", "Ids and scores of faces"), ("I",), checkable=True),
    Command("crop", _T("commands", "Crop: what the network sees"), ("Q",), checkable=True),
    Command("zoom_in", _T("commands", "Zoom in"), ("Ctrl++", "+", "="), "zoom-in"),
    Command("zoom_out", _T("commands", "Zoom out"), ("Ctrl+-", "-"), "zoom-out"),
    Command("fit", _T("commands", "Fit the picture"), ("Ctrl+0", "0"), "fit"),
    Command("actual", _T("commands", "Actual size, 1:1"), ("Ctrl+1", "1"), "actual"),
    Command("full_screen", _T("commands", "Full screen"), ("F11",), checkable=True),
    Command("about", _T("commands", "&About Steadymark"), ("F1",), "info"),
    Command("diagnostics", _T("commands", "&Copy diagnostics"), ("Ctrl+Shift+D",)),
    Command("log", _T("commands", "Show the &log file")),
    Command("dismiss", _T("commands", "Dismiss messages"), ("Esc",)),
)
OVERLAYS = ("points", "contours", "numbers", "scores", "trails", "boxes", "ids", "crop")


def make_actions(parent: QWidget) -> dict[str, QAction]:
    """By name; tooltips tell the key."""
    actions = {}
    for command in COMMANDS:
        text = QCoreApplication.translate("commands", str(command.text))
        action = QAction(text, parent)
        action.setObjectName(command.name)
        action.setCheckable(command.checkable)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        if command.icon:
            action.setIcon(icon(command.icon))
        set_hint(action)
        parent.addAction(action)
        actions[command.name] = action
    return actions


def set_hint(action: QAction) -> None:
    """The tooltip: the text and its key."""
    text = action.text().replace("&", "").removesuffix("…")
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{text} ({keys})" if keys else text)


def recolour(actions: dict[str, QAction]) -> None:
    """After light became dark, or dark light."""
    for command in COMMANDS:
        if command.icon:
            actions[command.name].setIcon(icon(command.icon))
