"""The main window connects the widgets with the session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QTimer

from steadymark.app.gui.action_handlers import (
    PlayTexts,
    connect_actions,
    update_actions,
    update_play_action,
    update_stop_action,
    update_track_action,
)
from steadymark.app.gui.actions.actions import reload_icons
from steadymark.app.gui.actions.context_menus import on_request, video_menu
from steadymark.app.gui.actions.drag_and_drop import open_dropped_files
from steadymark.app.gui.actions.menus import make_menus, make_toolbar
from steadymark.app.gui.actions.window_options import WindowOptions
from steadymark.app.gui.help.help_commands import wire_help
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.theme import icon
from steadymark.app.gui.video.shown_frame import drawing_state, shown_frame_of, without_position
from steadymark.app.gui.window_layout import WindowLayout
from steadymark.app.gui.window_rebuild import remove_translated_widgets, restore_arrangement
from steadymark.app.session.face_notes import no_face_note
from steadymark.app.session.state import Display, Phase, frame_at_time, parse_frame

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent

    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.gui.video.shown_frame import ShownFrame
    from steadymark.app.session.analysis.heatmap_worker import HeatmapReply
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.session import Session
    from steadymark.engine.tracking.settings import TrackSettings

_MEASURE_EVERY_MS = 500
_REFRESH_EVERY_MS = 100  # interval for what need not be as fast as the video


class MainWindow(WindowLayout):
    """The main window, which owns the session: closing the window ends the session.

    Args:
        session: The session to show.
        preferences: The stored preferences.
        log_file: Shown and copied on request.
    """

    def __init__(
        self, session: Session, preferences: Preferences, *, log_file: Path | None = None
    ) -> None:
        super().__init__(session, preferences)
        self._ready = False
        self.setWindowTitle("Steadymark")
        self.setAcceptDrops(True)
        self._use_style_sheet()
        self._make_controllers(log_file)
        self._measure_timer = QTimer(self, singleShot=True, interval=_MEASURE_EVERY_MS)
        self._refresh_timer = QTimer(self, singleShot=True, interval=_REFRESH_EVERY_MS)
        self._retranslate_timer = QTimer(self, singleShot=True, interval=0)
        self._shown_version: tuple[Results, int] | None = None
        self._applied_display: Display | None = None
        self.closed_in_time = True
        self._build()
        self.options = WindowOptions(
            self,
            preferences=preferences,
            messages=self.messages,
            settings=self.settings,
            actions={**self.actions_by_name, **self.docks.actions},
            menu_titles=lambda: [menu.text() for menu in self.menuBar().actions()],
        )
        self._connect_widgets()
        self._connect_session()
        self.resize(1280, 820)
        self.docks.resize()
        self._restore()
        self.docks.hide()
        session.set_overlay(preferences.overlay())
        self._restore_choices()
        self._on_changed()
        self._on_results_changed()
        # Qt reports colour changes already during construction, when the window is incomplete.
        self._ready = True

    # -- construction

    def _connect_widgets(self) -> None:
        """Build the menus and connect the signals of widgets that are rebuilt."""
        actions, session = self.actions_by_name, self.session
        recent = self.files.rebuild_recent_menu()
        options = self.options.theme_menu, self.options.language_menu
        annotations = self.annotations.make_menus()
        make_menus(self, actions, recent, options, list(self.docks.actions.values()), annotations)
        self.toolbar, self.landmarks_button = make_toolbar(self, actions)
        self.toolbar.addSeparator()
        self.toolbar.addActions(list(self.docks.actions.values()))
        self.statusBar().addWidget(self.status, 1)
        connect_actions(actions, session, self.view)
        self.view.zoom_changed.connect(self.status.set_zoom)
        self.playback_bar.timeline.seek_requested.connect(
            lambda frame, settled: session.recording.seek(frame, track_here=settled)
        )
        self.playback_bar.position_entered.connect(self._go_to)
        self.playback_bar.speed_chosen.connect(session.recording.set_speed)
        self.plots.clicked.connect(self._go_to_time)
        self.plots.region_chosen.connect(session.analysis.set_region)
        self.statistics.selection_changed.connect(self._select)
        self.comparison.connect_panel(self.statistics)
        self.settings.changed.connect(self._use_settings)
        self.settings.retrack_requested.connect(session.recording.retrack)
        for opened in (self.start_page.demo_requested, self.start_page.chosen):
            opened.connect(self.open_path)
        for name, slot in (
            ("go_to", self._focus_position),
            ("full_screen", self._toggle_full_screen),
            ("dismiss", self._dismiss),
            ("quit", self.close),
        ):
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        actions["full_screen"].setChecked(self.isFullScreen())
        self._offer_menus()
        wire_help(self, actions, session.recording.state_root)
        self._connect_controllers()

    def _connect_session(self) -> None:
        """Connect the signals of objects that are never rebuilt."""
        session = self.session
        session.changed.connect(self._on_changed)
        session.frame_changed.connect(self._on_frame_changed)
        session.results_changed.connect(self._on_results_changed)
        session.measures_changed.connect(self._on_measures_changed)
        session.review.changed.connect(self._on_frame_changed)
        session.message_posted.connect(self.messages.show_message)
        session.recording.recording_opened.connect(self._remember_recording)
        session.analysis.heatmaps_changed.connect(self._on_heatmaps_changed)
        self._measure_timer.timeout.connect(session.request_measures)
        self._refresh_timer.timeout.connect(self._refresh_now)
        self._retranslate_timer.timeout.connect(self._retranslate)
        self.view.wipe_moved.connect(session.set_wipe)
        self.view.landmark_clicked.connect(lambda index: session.select(landmark=index))
        self.view.frame_painted.connect(session.live.painted)
        on_request(self.view, lambda at: video_menu(self.view, self.actions_by_name))

    def _retranslate(self) -> None:
        """Rebuild the widgets in another language; tracking and exports continue meanwhile."""
        if not self._ready:
            return
        before = remove_translated_widgets(self, self._parts())
        self._build()
        self.options.reconnect(self.settings, {**self.actions_by_name, **self.docks.actions})
        self._connect_widgets()
        self.central.show()
        restore_arrangement(self, self._parts(), before, has_source=self.session.display.has_source)
        self._applied_display = None
        self._on_changed()
        self._on_frame_changed()
        self._on_measures_changed()

    # -- drag and drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            open_dropped_files(
                paths,
                open_path=self.open_path,
                load_ground_truth=self.session.analysis.load_ground_truth,
                show_queue=self.files.show_queue,
                messages=self.messages,
            )

    # -- signals of the session

    def _on_changed(self) -> None:
        display, before = self.session.display, self._applied_display
        self._applied_display = display
        self.playback_bar.set_position(display)
        self._refresh()
        if display.phase is Phase.FINISHED and (
            before is None or before.phase is not display.phase
        ):
            self.session.request_measures()
        if before is None or without_position(before) != without_position(display):
            self._apply(display, before)

    def _apply(self, display: Display, before: Display | None) -> None:
        """Show the display state, except the playback position and the tracking progress."""
        actions = self.actions_by_name
        update_actions(actions, display)
        playing = self._play_texts(display)
        update_play_action(actions["play"], playing=display.playing, texts=playing)
        update_stop_action(actions["stop"], display, playing)
        if before is None or before.can_pause != display.can_pause:
            texts = (self.tr("Continue &tracking"), self.tr("Pause &tracking"))
            update_track_action(actions["track"], running=display.can_pause, texts=texts)
        self._show_page(display)
        self.start_page.set_display(display)
        self.view.set_display(display)
        self.plots.set_variants(display.variants)
        self.comparison.show_variants()
        self.playback_bar.set_display(display)
        self.live_controller.set_display(display)
        self.settings.set_device_in_use(display.device)
        self._show_waiting()
        self.setWindowTitle(
            f"{translated(display.name)} – Steadymark" if display.name else "Steadymark"
        )
        if before is not None and before.overlay != display.overlay:
            self.preferences.set_overlay(display.overlay)
        if before is not None and drawing_state(before) != drawing_state(display):
            self._on_frame_changed()
        self._refresh_now()

    def _play_texts(self, display: Display) -> PlayTexts:
        if display.newest_only:  # a live view has no beginning to return to
            stop = self.tr("&Stop the live view")
            return PlayTexts(self.tr("Start ag&ain"), self.tr("Stop the &camera"), "stop", stop)
        stop = QCoreApplication.translate("commands", "&Stop, back to the beginning")
        return PlayTexts(self.tr("&Play"), self.tr("&Pause"), "pause", stop)

    def _show_waiting(self) -> None:
        waiting, changed = (
            self.session.source.settings_need_retracking,
            self.session.settings_to_retrack,
        )
        self.settings.set_retrack_needed(needed=waiting, changed=changed)

    def _refresh(self) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _refresh_now(self) -> None:
        """Update what is expensive and need not follow every frame."""
        session, results = self.session, self.session.results
        display, progress = session.display, session.source.progress()
        self.live_controller.refresh()
        self.plots.set_time(progress.time_s)
        self.status.set_display(display, progress.faces)
        self.playback_bar.timeline.set_results(results if display.has_recording else None)
        self.more_faces.update(session.source.state)
        no_face = no_face_note(display, progress.faces)
        self.playback_bar.timeline.set_note(no_face)
        self.statistics.set_no_face(no_face)
        detect_ms, landmarks_ms = (float("nan"),) * 2 if results is None else results.stage_ms()
        self.statistics.set_running_passes(session.analysis.running_passes())
        self.statistics.set_progress(
            share=progress.share,
            frames=progress.frames,
            device=display.device,
            detect_ms=detect_ms,
            landmarks_ms=landmarks_ms,
        )

    def _on_frame_changed(self) -> None:
        session, results = self.session, self.session.results
        # the version is read first because a filter may change the points meanwhile
        version = None if results is None else (results, results.version)
        shown = shown_frame_of(session)
        if shown is not None and version is not None:
            self._shown_version = version
        self.statistics.set_faces(None if shown is None else shown.faces)
        self._show_face3d(shown)
        if shown is not None and shown.faces and session.display.overlay.heatmaps:
            # The frame is shown together with its heatmaps.
            session.analysis.request_heatmaps(shown.frame, shown.faces, shown)
        else:
            self.view.show_frame(shown)

    def _show_face3d(self, shown: ShownFrame | None) -> None:
        self.face3d.set_faces(
            None if shown is None else shown.faces,
            {} if shown is None else shown.names,
            chosen=self.statistics.chosen_face,
            mirrored=self.session.display.mirrored,
            has_frame=shown is not None,
        )

    def _on_heatmaps_changed(self, reply: HeatmapReply) -> None:
        self.view.show_frame(replace(reply.context, heatmaps=reply.heatmaps))

    def _on_results_changed(self) -> None:
        shown, results = self.view.shown, self.session.results
        version = None if results is None else (results, results.version)
        if shown is None or shown.faces is None or version != self._shown_version:
            self._on_frame_changed()
        self._refresh()
        if results is not None and not self._measure_timer.isActive():
            self._measure_timer.start()

    def _on_measures_changed(self) -> None:
        measures = self.session.measures
        # Measuring a long recording is slow, so it may take at most a tenth of a core.
        wait_ms = max(_MEASURE_EVERY_MS, round(10_000 * self.session.measure_time_s))
        self._measure_timer.setInterval(wait_ms)
        self.plots.set_measures(measures)
        self.statistics.set_measures(measures)
        self._show_face3d(self.view.shown)
        self.playback_bar.timeline.set_measures(measures)
        if self.session.results is None:
            self.playback_bar.timeline.set_results(None)

    # -- signals of the widgets

    def _go_to(self, text: str) -> None:
        results = self.session.results
        if results is None:
            return
        frame = parse_frame(text, results.times_s)
        if frame is None:
            self.messages.show_message(
                self.tr(
                    "'{text}' is not a position: enter a time such as 1:23.4 or 83s, or a "
                    "frame number"
                ).format(text=text)
            )
        else:
            self.session.recording.seek(frame)
        self.view.setFocus()

    def _go_to_time(self, time_s: float) -> None:
        if self.session.results is not None:
            self.session.recording.seek(frame_at_time(self.session.results.times_s, time_s))

    def _focus_position(self) -> None:
        self.playback_bar.edit_time()

    def _select(self, face: int, landmark: int) -> None:
        self.session.select(
            face=None if face < 0 else face, landmark=None if landmark < 0 else landmark
        )

    def _use_settings(self, settings: TrackSettings) -> None:
        self.preferences.set_tracking(settings)
        self.session.use_settings(settings)
        self.session.request_measures()
        self.comparison.show_variants()
        self._show_waiting()

    # -- window events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._ready:
            self._make_room()

    def changeEvent(self, event: QEvent) -> None:
        ready = getattr(self, "_ready", False)
        if event.type() == QEvent.Type.LanguageChange and ready:
            # Wait, because Qt notifies the old widgets once per translator.
            self._retranslate_timer.start()
        elif event.type() == QEvent.Type.PaletteChange and ready:
            self._use_style_sheet()
            reload_icons(self.actions_by_name)
            self.docks.reload_icons()
            self.landmarks_button.setIcon(icon("face"))
            self._applied_display = None
            self._on_changed()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.close_questions.may_close():
            event.ignore()
            return
        self.preferences.set_window(self.saveGeometry(), self.docks.state())
        self._remember_choices()
        self._measure_timer.stop()
        self._refresh_timer.stop()
        self.expressions.close()
        self.gaze.close()
        ended = [
            self.exports.close_all(),
            self.options.close(),
            self.live_controller.close(),
            self.session.close(),
        ]
        self.closed_in_time, self._ready = all(ended), False
        event.accept()

    def _restore(self) -> None:
        geometry, state = self.preferences.window()
        if geometry is not None:
            self.restoreGeometry(geometry)
        if state is not None:
            self.restoreState(state)
