"""The commands that correct landmarks, and what shows the corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from steadymark.app.gui.actions.actions import set_extra_tooltip
from steadymark.app.gui.correction.correction_marks import paint_chosen, paint_corrected
from steadymark.app.gui.correction.correction_tool import CorrectionTool
from steadymark.app.gui.correction.label_exports import LabelExports
from steadymark.app.gui.i18n.display_names import landmark_name
from steadymark.app.gui.i18n.local_numbers import share_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.analysis.variants import RAW_AND_STABILIZED
from steadymark.app.session.review.correcting import DEFAULT_SPAN_S, Correcting
from steadymark.app.session.state import ShownLandmarks
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.correction.correction_bar import CorrectionBar
    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.gui.timeline.timeline import Timeline
    from steadymark.app.gui.video.video_view import VideoView
    from steadymark.app.session.session import Session

_CHOICE = "correction"  # name of the stored choice


class CorrectionController(QObject):
    """Connects the commands, the view, the bar and the timeline with the corrections.

    Args:
        window: The window over which dialogs open.
        session: Has the project and the recording.
        view: Shows the corrected landmarks, in which the user moves them.
        preferences: Store the span of new corrections.
        exports: Runs the exports.
        messages: Tell what is being tracked again.
    """

    def __init__(
        self,
        window: QWidget,
        *,
        session: Session,
        view: VideoView,
        preferences: Preferences,
        exports: ExportsList,
        messages: Messages,
    ) -> None:
        super().__init__(window)
        self._messages, self._told = messages, UserText("")
        self._labels = LabelExports(window, session=session, exports=exports)
        self._session, self._view, self._preferences = session, view, preferences
        self.correcting = correcting = Correcting(session.review, self)
        stored = preferences.values(_CHOICE).get("span_s")
        correcting.span_s = float(stored) if isinstance(stored, int | float) else DEFAULT_SPAN_S
        self._tool = CorrectionTool(view, correcting, lambda: not session.display.playing)
        view.layers.append(paint_corrected)
        view.layers.append(
            lambda painter, shown, port: paint_chosen(painter, shown, port, correcting.chosen)
        )
        correcting.changed.connect(self.refresh)
        session.changed.connect(self.refresh)
        session.frame_changed.connect(self._on_frame_changed)
        session.retracking.changed.connect(self._on_retracking)

    def connect_widgets(
        self, actions: Mapping[str, QAction], bar: CorrectionBar, timeline: Timeline
    ) -> None:
        """Connect the commands and widgets after they were built or rebuilt."""
        self._actions, self._bar, self._timeline = actions, bar, timeline
        session = self._session
        actions["correct_landmarks"].triggered.connect(self._switch)
        for name, slot in (
            ("previous_correction", lambda: self._go_to_adjacent(-1)),
            ("next_correction", lambda: self._go_to_adjacent(1)),
            ("remove_correction", lambda: self.correcting.remove(self._frame)),
            ("track_from_here", lambda: session.retracking.start(self._frame)),
        ):
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        self._labels.connect_actions(actions)
        bar.scope_chosen.connect(self.correcting.set_scope)
        bar.span_chosen.connect(self._set_span)
        self.refresh()

    def dismiss(self) -> bool:
        """Give up a drag, let the chosen landmark go, or stop correcting.

        Returns:
            Whether there was something to give up.
        """
        if not self.correcting.active:
            return False
        if not self.correcting.give_up():
            self.correcting.set_active(False)
        return True

    def refresh(self) -> None:
        """Show the corrections as they are now in the commands, the bar and the timeline."""
        correcting, frame = self.correcting, self._frame
        why = translated(correcting.why_not)
        here, none = correcting.at(frame), self.tr("This frame is not corrected.")
        no_more = self.tr("There is no further corrected frame.")
        closed = why if self._session.review.project is None else ""
        no_face = self.tr("There is no tracked face in this frame.")
        uncorrected = self.tr("No frame is corrected yet.")
        for name, fault in (
            ("correct_landmarks", why),
            ("track_from_here", translated(self._session.retracking.why_not(frame))),
            ("export_labels", closed or ("" if correcting.corrections else uncorrected)),
            ("export_frame_label", closed or ("" if self._is_tracked else no_face)),
            ("remove_correction", why or ("" if here else none)),
            ("previous_correction", closed or self._adjacent_fault(-1, no_more)),
            ("next_correction", closed or self._adjacent_fault(1, no_more)),
        ):
            self._actions[name].setEnabled(not fault)
            set_extra_tooltip(self._actions[name], fault)
        self._actions["correct_landmarks"].setChecked(correcting.active)
        self._bar.setVisible(correcting.active)
        if correcting.active:
            span_s = here[0].span_s if here else correcting.span_s
            self._bar.show_state(correcting.scope, span_s, self._note())
        self._timeline.set_corrected(tuple(sorted({one.frame for one in correcting.corrections})))

    @property
    def _frame(self) -> int:
        return self._session.display.frame

    @property
    def _is_tracked(self) -> bool:
        """Whether there is a tracked or lost face in the shown frame."""
        results, frame = self._session.recording.results, self._frame
        return results is not None and frame < results.frames and len(results.rows_at(frame)) > 0

    def _adjacent_fault(self, step: int, fault: str) -> str:
        return fault if self.correcting.adjacent(step, self._frame) is None else ""

    def _note(self) -> str:
        """Return a sentence about the shown frame and the chosen landmark."""
        results, chosen = self._session.recording.results, self.correcting.chosen
        if self._session.retracking.running is not None:
            share = share_text(self._session.retracking.share)
            return self.tr("Tracking again: {share}").format(share=share)
        if self._session.display.playing:
            return self.tr("Pause to move landmarks.")
        if results is None or not self._is_tracked:
            return self.tr("There is no tracked face in this frame.")
        if chosen is None:
            return self.tr(
                "Drag a landmark. Shift drags its part of the face, Ctrl the whole face."
            )
        text = self.tr(
            "{number} {name} of face {face}: arrow keys move it by 1 pixel, with Shift by 10, with "
            "Ctrl by 0.1. Esc lets it go."
        )
        name = landmark_name(chosen.landmark, results.schema)
        return text.format(number=chosen.landmark, name=name, face=chosen.face_id)

    def _switch(self, on: bool) -> None:
        """Begin or stop correcting; a paused frame with its stabilized landmarks is needed."""
        session = self._session
        if on:
            session.recording.pause()
            shown = session.display.shown_landmarks
            compared = shown is ShownLandmarks.BOTH and (
                session.analysis.variants != RAW_AND_STABILIZED
            )
            if compared or shown in (ShownLandmarks.OFF, ShownLandmarks.RAW):
                session.set_shown_landmarks(ShownLandmarks.STABILIZED)
            self._view.setFocus()
        self.correcting.set_active(on)

    def _set_span(self, span_s: float) -> None:
        self.correcting.set_span(self._frame, span_s)
        self._preferences.set_values(_CHOICE, {"span_s": span_s})

    def _go_to_adjacent(self, step: int) -> None:
        frame = self.correcting.adjacent(step, self._frame)
        if frame is not None:
            self._session.recording.seek(frame)

    def _on_retracking(self) -> None:
        """Tell what is tracked again while it is."""
        retracking, messages, told = self._session.retracking, self._messages, self._told
        part = retracking.running
        if part is not None and not told:
            self._told = UserText(
                "Frames {first} to {last} are tracked again. Until then, they are as they were.",
                first=part.frames.start,
                last=part.frames[-1],
            )
            stop = self.tr("Stop"), retracking.give_up
            messages.show_message(self._told, [stop])
        elif part is None and told:
            messages.dismiss(told)
            self._told = UserText("")
        self.refresh()

    def _on_frame_changed(self) -> None:
        """Let go of what was held in another frame."""
        held = self.correcting.held_frame
        frame = self._session.frame
        if held is not None and (frame is None or frame.index != held):
            self.correcting.release()
        self.refresh()
