"""The window's commands for cameras and streams: choosing, watching and recording."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.actions.actions import set_extra_tooltip, update_tooltip
from steadymark.app.gui.live import live_preferences
from steadymark.app.gui.live.camera_dialog import CameraDialog
from steadymark.app.gui.live.streaming_controller import StreamingController
from steadymark.app.session.live.camera_discovery import CameraDiscovery, connected_cameras
from steadymark.app.session.live.live_recording import CLEAN
from steadymark.app.session.state import ShownLandmarks
from steadymark.engine.output.video.drawing import DrawOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.live.live_bar import LiveBar
    from steadymark.app.gui.live.live_preferences import LivePreferences
    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.live.camera_discovery import CameraList
    from steadymark.app.session.live.open_stream import LiveTarget
    from steadymark.app.session.session import Session
    from steadymark.app.session.state import Display
    from steadymark.engine.output.live_recorder import RecorderReport

_EVERY_S = 0.4  # Figures that change faster cannot be read.


class LiveController(QObject):
    """Opens, shows and records cameras and streams.

    Args:
        parent: The window over which dialogs open.
        session: Runs the live view.
        preferences: Store addresses, the folder for recordings and how recordings are made.
        messages: Tell the user what was recorded and what failed.
        open_path: Opens a recording in the window.
        folder_choice: Returns the choice of a message that shows a folder.
        find_cameras: Returns the cameras that are connected.
    """

    def __init__(
        self,
        parent: QWidget,
        *,
        session: Session,
        preferences: Preferences,
        messages: Messages,
        open_path: Callable[[str], None],
        folder_choice: Callable[[str], tuple[str, Callable[[], None]]],
    ) -> None:
        super().__init__(parent)
        self._parent, self._session, self._preferences = parent, session, preferences
        self._messages, self._open_path, self._folder_choice = messages, open_path, folder_choice
        self.find_cameras: Callable[[], CameraList] = connected_cameras
        self.dialog: CameraDialog | None = None
        self.streaming = StreamingController(parent, session=session, preferences=preferences)
        self._discovery: CameraDiscovery | None = None
        self._refreshed_s = 0.0
        self._live_preferences = live_preferences.read(preferences)
        session.live.recorded.connect(self._on_recorded)
        session.live.set_mirrored(self._live_preferences.mirrored)

    @property
    def discovery(self) -> CameraDiscovery:
        """Return the camera discovery of the current or most recent dialog."""
        assert self._discovery is not None
        return self._discovery

    @property
    def live_preferences(self) -> LivePreferences:
        return self._live_preferences

    def connect_actions(self, actions: Mapping[str, QAction], bar: LiveBar) -> None:
        """Connect the camera commands after the window's widgets were built or rebuilt."""
        self._actions, self._bar = actions, bar
        self._text_of_record = actions["record"].text()
        actions["record_drawn"].setChecked(self._live_preferences.drawn)
        self.streaming.connect_actions(actions["send"], bar.sending)
        for name, slot in (
            ("open_camera", self.show_dialog),
            ("record", self._record),
            ("record_drawn", self._store_drawn),
            ("record_folder", self._choose_folder),
            ("mirror", self._mirror),
        ):
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())

    def show_dialog(self) -> None:
        """Open the dialog that chooses a camera or stream."""
        if self.dialog is not None:
            self.dialog.raise_()
            return
        live = self._session.live
        if self._discovery is not None and self._discovery.join(0):
            self._discovery.deleteLater()
        self._discovery = CameraDiscovery(live.opener, self.find_cameras, self)
        live_path = live.state.path if live.running else ""
        self.dialog = CameraDialog(
            self._discovery,
            self._live_preferences.addresses,
            live_path=live_path,
            parent=self._parent,
        )
        self.dialog.chosen.connect(self.open)
        self.dialog.finished.connect(self._on_dialog_finished)
        self.dialog.open()

    def open(self, target: LiveTarget) -> None:
        """Open a live view of this camera or stream."""
        self._messages.dismiss_all()
        if not target.text.startswith("camera:"):
            self._store(live_preferences.with_address(self._live_preferences, target.text))
        discovery = self._discovery
        after = (lambda: discovery.join(2.0)) if discovery is not None else (lambda: True)
        self._session.open_live(target, wait_for=after)

    def close(self) -> bool:
        """Close the dialogs when the program ends.

        Returns:
            Whether the threads of the camera dialog have ended.
        """
        self.streaming.close()
        if self.dialog is not None:
            self.dialog.reject()
        return self._discovery is None or self._discovery.join(1.0)

    def set_display(self, display: Display) -> None:
        """Enable and check the commands according to the display."""
        actions, live = self._actions, display.live
        actions["record"].setEnabled(display.can_record)
        recorded = self._session.live.is_recording
        actions["record"].setChecked(recorded)
        actions["record"].setText(self.tr("Stop &recording") if recorded else self._text_of_record)
        update_tooltip(actions["record"])
        actions["mirror"].setEnabled(live is not None)
        actions["mirror"].setChecked(self._session.live.mirrored)
        self._update_tooltips(display)
        self._bar.set_display(display)
        self._refreshed_s = 0.0

    def refresh(self) -> None:
        """Update the figures if the last update is old enough."""
        now_s = time.monotonic()
        if now_s - self._refreshed_s > _EVERY_S:
            self._refreshed_s = now_s
            self._bar.set_figures(self._session.live.figures())
            self.streaming.refresh()

    # -- commands

    def _record(self) -> None:
        live = self._session.live
        if live.is_recording:
            live.stop_recording()
            return
        folder = Path(self._live_preferences.folder)
        if str(folder) == live_preferences.default_folder():
            with contextlib.suppress(OSError):  # The recorder reports a folder that cannot be made.
                folder.mkdir(parents=True, exist_ok=True)
        live.start_recording(folder, self._draw_options())

    def _draw_options(self) -> DrawOptions:
        """Return what is drawn into recordings: what the view shows, or nothing."""
        if not self._live_preferences.drawn:
            return CLEAN
        display = self._session.display
        overlay = display.overlay
        return DrawOptions(
            points=overlay.points,
            contours=overlay.contours,
            box=overlay.boxes,
            face_id=overlay.ids,
            raw=display.shown_landmarks is ShownLandmarks.RAW,
            attributes=overlay.drawings,
            schema="",  # the recording takes that of the view
        )

    def _store_drawn(self) -> None:
        drawn = self._actions["record_drawn"].isChecked()
        self._store(replace(self._live_preferences, drawn=drawn))

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self._parent, self.tr("Folder for recordings"), self._live_preferences.folder
        )
        if folder:
            self._store(replace(self._live_preferences, folder=folder))

    def _mirror(self) -> None:
        mirrored = not self._session.live.mirrored
        self._session.live.set_mirrored(mirrored)
        self._store(replace(self._live_preferences, mirrored=mirrored))

    def _store(self, changed: LivePreferences) -> None:
        self._live_preferences = changed
        live_preferences.write(self._preferences, changed)
        self._update_tooltips(self._session.display)

    def _update_tooltips(self, display: Display) -> None:
        """Show in tooltips where recordings go, or why a command is not available."""
        actions, live = self._actions, display.live
        none = "" if live is not None else self.tr("Open a camera or stream first.")
        stopped = "" if display.playing else self.tr("The live view is stopped: start it again.")
        folder = self.tr("Into {folder}").format(folder=self._live_preferences.folder)
        set_extra_tooltip(actions["mirror"], none)
        set_extra_tooltip(actions["record"], none or stopped or folder)

    # -- signal handlers

    def _on_dialog_finished(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()

    def _on_recorded(self, report: RecorderReport) -> None:
        messages = self._messages
        if report.fault:
            messages.show_message(report.fault)
        if not report.frames:
            if not report.fault:
                messages.show_message(
                    self.tr("No frame arrived during the recording: no file was kept.")
                )
            return
        names = self.tr(" and ").join(Path(path).name for path in report.paths)
        video = report.paths[0]
        words = self.tr(
            "The recording was saved: {names} in {folder}, %n frame(s).", "", report.frames
        ).format(names=names, folder=Path(video).parent)
        if report.dropped:
            words += " " + self.tr(
                "%n frame(s) could not be written in time: use a smaller camera mode or a faster "
                "disk.",
                "",
                report.dropped,
            )
        choices = [self._folder_choice(str(Path(video).parent))]
        if video.endswith(".mp4"):
            choices.append((self.tr("Open"), lambda: self._open_path(video)))
        messages.show_message(words, choices, passing=not report.dropped and not report.fault)
