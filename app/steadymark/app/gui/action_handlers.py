"""This module connects commands to the session and sets when each command is enabled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from steadymark.app.gui.actions.actions import (
    overlay_action_names,
    set_extra_tooltip,
    table_export_name,
    update_tooltip,
)
from steadymark.app.gui.theme import icon
from steadymark.app.session.state import SPEEDS, ComparisonLayout, Display, Phase, ShownLandmarks
from steadymark.engine.output.table_formats import TABLE_FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QAction

    from steadymark.app.gui.video.video_view import VideoView
    from steadymark.app.session.session import Session

translate = QCoreApplication.translate

_WIPE_STEP = 0.02
_ONLY_RECORDINGS = QT_TRANSLATE_NOOP(
    "wiring",
    "A live view shows only the newest frame: to do this, record it and open the recording.",
)


@dataclass(frozen=True, slots=True)
class PlayTexts:
    """The texts of the commands that start and stop what is shown.

    Attributes:
        play: The text of the play command while stopped.
        pause: Its text while playing.
        pause_icon: Its icon while playing.
        stop: The text of the stop command.
    """

    play: str
    pause: str
    pause_icon: str
    stop: str


def connect_actions(actions: Mapping[str, QAction], session: Session, view: VideoView) -> None:
    """Connect the commands that need only the session and the view."""
    recording, last = session.recording, 2**31 - 1
    slots: dict[str, Callable[[], object]] = {
        "close": session.close_source,
        "play": lambda: session.source.toggle(),
        "stop": lambda: session.source.stop(),
        "step_back": lambda: recording.step(-1),
        "step_on": lambda: recording.step(1),
        "jump_back": lambda: recording.jump(-1),
        "jump_on": lambda: recording.jump(1),
        "leap_back": lambda: recording.jump(-10),
        "leap_on": lambda: recording.jump(10),
        "first": lambda: recording.seek(0),
        "last": lambda: recording.seek(last),
        "slower": lambda: recording.set_speed(_adjacent_speed(session.display.speed, -1)),
        "faster": lambda: recording.set_speed(_adjacent_speed(session.display.speed, 1)),
        "loop": recording.mark_loop,
        "track": recording.toggle_tracking,
        "again": recording.retrack,
        "drop_truth": session.analysis.remove_ground_truth,
        "wipe_left": lambda: session.set_wipe(session.display.wipe - _WIPE_STEP),
        "wipe_right": lambda: session.set_wipe(session.display.wipe + _WIPE_STEP),
        "zoom_in": lambda: view.zoom(1),
        "zoom_out": lambda: view.zoom(-1),
        "fit": view.fit,
        "actual": view.actual_size,
    }
    slots |= {f"show_{show}": _bound(session.set_shown_landmarks, show) for show in ShownLandmarks}
    slots |= {f"layout_{layout}": _bound(session.set_layout, layout) for layout in ComparisonLayout}
    slots |= {name: _bound(_toggle, (session, name)) for name in overlay_action_names()}
    for name, slot in slots.items():
        actions[name].triggered.connect(lambda _=False, slot=slot: slot())


def disabled_reason(display: Display) -> str:
    """Return why commands that need a recording are disabled; empty without a reason."""
    return translate("wiring", str(_ONLY_RECORDINGS)) if display.newest_only else ""


def update_actions(actions: Mapping[str, QAction], display: Display) -> None:
    """Enable, check and name the commands according to the display.

    During a live view, the tooltip of a command that needs a recording says so.
    """
    why = disabled_reason(display)
    for names, can in (
        (_NEED_RECORDING, display.has_recording),
        (("step_back",), display.can_step_back),
        (("step_on",), display.can_step_forward),
        (_EXPORTS, display.can_export),
        (map(table_export_name, TABLE_FORMATS.names()), display.can_export),
        (("track",), display.can_track or display.can_pause),
    ):
        for name in names:
            actions[name].setEnabled(can)
            set_extra_tooltip(actions[name], why)
    for name in _NEED_SOURCE:
        actions[name].setEnabled(display.has_source)
    actions["close"].setEnabled(display.phase is not Phase.EMPTY)
    actions["export_plots"].setEnabled(display.can_export_plots)
    _show_landmarks(actions, display)


def _show_landmarks(actions: Mapping[str, QAction], display: Display) -> None:
    """Update the commands that choose which landmarks and overlays are drawn."""
    for layout in ComparisonLayout:
        actions[f"layout_{layout}"].setEnabled(display.has_source)
        both = display.shown_landmarks is ShownLandmarks.BOTH
        actions[f"layout_{layout}"].setChecked(both and display.layout is layout)
    for name in ("wipe_left", "wipe_right"):
        actions[name].setEnabled(display.layout is ComparisonLayout.WIPE)
    for show in ShownLandmarks:
        actions[f"show_{show}"].setChecked(display.shown_landmarks is show)
    for name in overlay_action_names():
        actions[name].setChecked(display.overlay.shows(name))
        if name != "heatmaps":  # Heatmaps can also be drawn without landmarks.
            actions[name].setEnabled(display.shown_landmarks is not ShownLandmarks.OFF)
    for name in ("truth", "drop_truth"):
        actions[name].setEnabled(display.truth != "")
    actions["loop"].setChecked(display.loop is not None or display.loop_start is not None)


def update_play_action(action: QAction, *, playing: bool, texts: PlayTexts) -> None:
    """Give the play command its text and icon."""
    action.setText(texts.pause if playing else texts.play)
    action.setIcon(icon(texts.pause_icon if playing else "play"))
    update_tooltip(action)


def update_stop_action(action: QAction, display: Display, texts: PlayTexts) -> None:
    """Give the stop command its text, and enable it if it applies."""
    action.setText(texts.stop)
    action.setEnabled(display.has_source and display.phase is not Phase.STOPPED)
    update_tooltip(action)


def update_track_action(action: QAction, *, running: bool, texts: tuple[str, str]) -> None:
    """Give the tracking command its text and icon.

    Args:
        action: The command.
        running: Whether tracking is running.
        texts: The text while tracking is paused and the text while it is running.
    """
    action.setText(texts[running])
    action.setIcon(icon("track-pause" if running else "track"))
    update_tooltip(action)


_NEED_RECORDING = (
    "jump_back", "jump_on", "leap_back", "leap_on", "first", "last", "go_to",
    "slower", "faster", "loop", "again", "load_truth",
)  # fmt: skip
_NEED_SOURCE = (
    "play", "zoom_in", "zoom_out", "fit", "actual", "export_frame", "copy_frame", "heatmaps",
    "gaze_calibration",
)  # fmt: skip
_EXPORTS = ("export_video", "export_side")


def _bound(act: Callable[..., object], value: object) -> Callable[[], object]:
    return lambda: act(value)


def _toggle(what: tuple[Session, str]) -> None:
    session, name = what
    session.set_overlay(session.display.overlay.toggled(name))


def _adjacent_speed(speed: float, step: int) -> float:
    place = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - speed)) + step
    return SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]
