"""The main window connects the widgets with the session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QTimer

from steadymark.app.gui.action_handlers import (
    PlayTexts,
    name_play,
    name_stop,
    name_track,
    show_state,
    why_disabled,
    wire,
)
from steadymark.app.gui.actions.actions import recolour
from steadymark.app.gui.actions.context_menus import on_request, video_menu
from steadymark.app.gui.actions.drag_and_drop import take_dropped
from steadymark.app.gui.actions.menus import make_menus, make_toolbar
from steadymark.app.gui.actions.window_options import WindowOptions
from steadymark.app.gui.help.help_commands import wire_help
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.theme import icon
from steadymark.app.gui.video.shown_frame import points_to_draw, shown_frame_of, without_place
from steadymark.app.gui.window_layout import WindowLayout
from steadymark.app.gui.window_rebuild import put_back, take_out
from steadymark.app.session.analysis.variants import variants_for
from steadymark.app.session.face_notes import no_face_note
from steadymark.app.session.state import Display, Phase, ShownLandmarks, frame_at_time, parse_place

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent

    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.analysis.heatmap_worker import HeatmapReply
    from steadymark.app.session.analysis.variants import VariantPair
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
        self._measure_soon = QTimer(self, singleShot=True, interval=_MEASURE_EVERY_MS)
        self._refresh_soon = QTimer(self, singleShot=True, interval=_REFRESH_EVERY_MS)
        self._say_soon = QTimer(self, singleShot=True, interval=0)
        self._pictured_version: tuple[Results, int] | None = None
        self._applied: Display | None = None
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
        self._finish()
        self._connect()
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

    def _finish(self) -> None:
        """Build the menus and connect the signals of widgets that are rebuilt."""
        actions, session = self.actions_by_name, self.session
        recent = self.files.renew_menu()
        options = self.options.theme_menu, self.options.language_menu
        make_menus(self, actions, recent, options, list(self.docks.actions.values()))
        self.toolbar, self.landmarks_button = make_toolbar(self, actions)
        self.toolbar.addSeparator()
        self.toolbar.addActions(list(self.docks.actions.values()))
        self.statusBar().addWidget(self.status, 1)
        wire(actions, session, self.view)
        self.view.zoomed.connect(self.status.set_zoom)
        self.transport.timeline.sought.connect(
            lambda frame, settled: session.recording.seek(frame, track_here=settled)
        )
        self.transport.typed.connect(self._go_to)
        self.transport.speed_chosen.connect(session.recording.set_speed)
        self.plots.clicked.connect(self._go_to_time)
        self.plots.region_chosen.connect(session.analysis.set_region)
        self.numbers.chosen.connect(self._choose)
        self.numbers.compared.connect(self._compare)
        self.settings.changed.connect(self._use_settings)
        self.settings.again.connect(session.recording.retrack)
        for opened in (self.empty.demo, self.empty.chosen):
            opened.connect(self.open_path)
        for name, slot in (
            ("go_to", self._focus_place),
            ("full_screen", self._full_screen),
            ("dismiss", self._dismiss),
            ("quit", self.close),
        ):
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        actions["full_screen"].setChecked(self.isFullScreen())
        self._offer_menus()
        wire_help(self, actions, session.recording.state_root)
        self.files.wire(actions, plots=self.plots, settings=self.settings)
        self.desk.wire(actions, self.live_bar)

    def _connect(self) -> None:
        """Connect the signals of objects that are never rebuilt."""
        session = self.session
        session.changed.connect(self._on_changed)
        session.frame_changed.connect(self._on_frame_changed)
        session.results_changed.connect(self._on_results_changed)
        session.measures_changed.connect(self._on_measures_changed)
        session.message_posted.connect(self.messages.tell)
        session.analysis.heatmaps_changed.connect(self._on_heatmaps_changed)
        self._measure_soon.timeout.connect(session.request_measures)
        self._refresh_soon.timeout.connect(self._refresh_now)
        self._say_soon.timeout.connect(self._say_again)
        self.view.wiped.connect(session.set_wipe)
        self.view.picked.connect(lambda index: session.select(landmark=index))
        self.view.painted.connect(session.live.painted)
        on_request(self.view, lambda at: video_menu(self.view, self.actions_by_name))

    def _say_again(self) -> None:
        """Rebuild the widgets in another language; tracking and exports continue meanwhile."""
        if not self._ready:
            return
        before = take_out(self, self._parts())
        self._build()
        self.options.renew(self.settings, {**self.actions_by_name, **self.docks.actions})
        self._finish()
        self.middle.show()
        put_back(self, self._parts(), before, has_source=self.session.display.has_source)
        self._applied = None
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
            take_dropped(
                paths,
                open_path=self.open_path,
                load_truth=self.session.analysis.load_truth,
                show_queue=self.files.show_queue,
                messages=self.messages,
            )

    # -- signals of the session

    def _on_changed(self) -> None:
        display, before = self.session.display, self._applied
        self._applied = display
        self.transport.set_place(display)
        self._refresh()
        if display.phase is Phase.FINISHED and (
            before is None or before.phase is not display.phase
        ):
            self.session.request_measures()
        if before is None or without_place(before) != without_place(display):
            self._apply(display, before)

    def _apply(self, display: Display, before: Display | None) -> None:
        """Show the display state, except the playback position and the tracking progress."""
        actions = self.actions_by_name
        show_state(actions, display)
        playing = self._play_texts(display)
        name_play(actions["play"], playing=display.playing, texts=playing)
        name_stop(actions["stop"], display, playing)
        if before is None or before.can_pause != display.can_pause:
            texts = (self.tr("Continue &tracking"), self.tr("Pause &tracking"))
            name_track(actions["track"], running=display.can_pause, texts=texts)
        self._show_page(display)
        self.empty.set_display(display)
        self.view.set_display(display)
        self.plots.set_takes(display.variants)
        self._show_takes()
        self.transport.set_display(display)
        self.desk.set_display(display)
        self.settings.set_used(display.device)
        self._show_waiting()
        self.setWindowTitle(
            f"{translated(display.name)} – Steadymark" if display.name else "Steadymark"
        )
        if before is not None and before.overlay != display.overlay:
            self.preferences.set_overlay(display.overlay)
        if before is not None and points_to_draw(before) != points_to_draw(display):
            self._on_frame_changed()
        self._refresh_now()

    def _play_texts(self, display: Display) -> PlayTexts:
        if display.newest_only:  # a live view has no beginning to return to
            stop = self.tr("&Stop the live view")
            return PlayTexts(self.tr("Start ag&ain"), self.tr("Stop the &camera"), "stop", stop)
        stop = QCoreApplication.translate("commands", "&Stop, back to the beginning")
        return PlayTexts(self.tr("&Play"), self.tr("&Pause"), "pause", stop)

    def _show_takes(self) -> None:
        display, settings = self.session.display, self.session.settings
        why = why_disabled(display)
        self.numbers.set_takes(display.variants, settings, variants_for(settings), why_disabled=why)

    def _show_waiting(self) -> None:
        waiting, changed = (
            self.session.source.settings_need_retracking,
            self.session.settings_to_retrack,
        )
        self.settings.set_waiting(waiting=waiting, changed=changed)

    def _refresh(self) -> None:
        if not self._refresh_soon.isActive():
            self._refresh_soon.start()

    def _refresh_now(self) -> None:
        """Update what is expensive and need not follow every frame."""
        session, results = self.session, self.session.results
        display, progress = session.display, session.source.progress()
        self.desk.refresh()
        self.plots.set_time(progress.time_s)
        self.status.set_display(display, progress.faces)
        self.transport.timeline.set_results(results if display.has_recording else None)
        self.more_faces.update(session.source.state)
        no_face = no_face_note(display, progress.faces)
        self.transport.timeline.set_note(no_face)
        self.numbers.set_no_face(no_face)
        detect_ms, landmarks_ms = (float("nan"),) * 2 if results is None else results.stage_ms()
        self.numbers.set_passes(session.analysis.running_passes())
        self.numbers.set_work(
            share=progress.share,
            frames=progress.frames,
            device=display.device,
            detect_ms=detect_ms,
            landmarks_ms=landmarks_ms,
        )

    def _on_frame_changed(self) -> None:
        session, shown = self.session, shown_frame_of(self.session)
        if shown is not None and session.results is not None:
            self._pictured_version = (session.results, session.results.version)
        self.numbers.set_faces(None if shown is None else shown.faces)
        if shown is not None and shown.faces and session.display.overlay.heatmaps:
            # The frame is shown together with its heatmaps.
            session.analysis.request_heatmaps(shown.frame, shown.faces, shown)
        else:
            self.view.show_frame(shown)

    def _on_heatmaps_changed(self, heats: HeatmapReply) -> None:
        self.view.show_frame(replace(heats.context, heats=heats.heatmaps))

    def _on_results_changed(self) -> None:
        shown, results = self.view.shown, self.session.results
        version = None if results is None else (results, results.version)
        if shown is None or shown.faces is None or version != self._pictured_version:
            self._on_frame_changed()
        self._refresh()
        if results is not None and not self._measure_soon.isActive():
            self._measure_soon.start()

    def _on_measures_changed(self) -> None:
        measures = self.session.measures
        # Measuring a long recording is slow, so it may take at most a tenth of a core.
        wait_ms = max(_MEASURE_EVERY_MS, round(10_000 * self.session.measure_time_s))
        self._measure_soon.setInterval(wait_ms)
        self.plots.set_measures(measures)
        self.numbers.set_measures(measures)
        self.transport.timeline.set_measures(measures)
        if self.session.results is None:
            self.transport.timeline.set_results(None)

    # -- signals of the widgets

    def _go_to(self, text: str) -> None:
        results = self.session.results
        if results is None:
            return
        frame = parse_place(text, results.times_s)
        if frame is None:
            self.messages.tell(
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

    def _focus_place(self) -> None:
        self.transport.edit_time()

    def _choose(self, face: int, landmark: int) -> None:
        self.session.select(
            face=None if face < 0 else face, landmark=None if landmark < 0 else landmark
        )

    def _compare(self, takes: VariantPair) -> None:
        self.session.analysis.compare(takes)
        self.session.set_shown_landmarks(ShownLandmarks.BOTH)

    def _use_settings(self, settings: TrackSettings) -> None:
        self.preferences.set_tracking(settings)
        self.session.use_settings(settings)
        self.session.request_measures()
        self._show_takes()
        self._show_waiting()

    # -- window events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._ready:
            self._make_room()

    def changeEvent(self, event: QEvent) -> None:
        ready = getattr(self, "_ready", False)
        if event.type() == QEvent.Type.LanguageChange and ready:
            self._say_soon.start()  # wait, because Qt notifies the old widgets once per translator
        elif event.type() == QEvent.Type.PaletteChange and ready:
            self._use_style_sheet()
            recolour(self.actions_by_name)
            self.docks.recolour()
            self.landmarks_button.setIcon(icon("face"))
            self._applied = None
            self._on_changed()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.closing.may_close():
            event.ignore()
            return
        self.preferences.set_window(self.saveGeometry(), self.docks.state())
        self._remember_choices()
        self._measure_soon.stop()
        self._refresh_soon.stop()
        ended = [
            self.exports.close_all(),
            self.options.close(),
            self.desk.close(),
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
