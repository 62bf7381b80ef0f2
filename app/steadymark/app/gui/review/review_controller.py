"""Connects the list of doubtful stretches with the session, and decides about stretches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from steadymark.app.gui.action_handlers import disabled_reason
from steadymark.app.gui.actions.actions import set_extra_tooltip
from steadymark.app.gui.actions.review_actions import REVIEW_EXPORTS
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.review.stretch_rows import stretch_rows
from steadymark.app.session.state import ComparisonLayout
from steadymark.engine.review import edits
from steadymark.engine.review.doubtful_stretches import DoubtLimits
from steadymark.engine.review.stretch_table import StretchStatus
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QDockWidget, QWidget

    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.review.review_panel import ReviewPanel
    from steadymark.app.gui.video.video_view import VideoView
    from steadymark.app.session.review.stretch_rows import StretchRow
    from steadymark.app.session.session import Session
    from steadymark.engine.review.project import Project


class ReviewController(QObject):
    """Shows the doubtful stretches of the open recording, and what the user decides about them.

    Args:
        parent: The window.
        session: Holds the open recording, its doubtful stretches and its project.
        view: Shows the frame of a chosen stretch.
        messages: Tell the user why something is not possible.
    """

    def __init__(
        self, parent: QWidget, *, session: Session, view: VideoView, messages: Messages
    ) -> None:
        super().__init__(parent)
        self._session, self._view, self._messages = session, view, messages
        self._panel: ReviewPanel | None = None
        self._shown: object = None
        session.doubts.changed.connect(self._refresh)
        session.review.changed.connect(self._refresh)
        session.changed.connect(self._on_changed)

    def connect_actions(
        self, actions: Mapping[str, QAction], panel: ReviewPanel, dock: QDockWidget
    ) -> None:
        """Connect the commands and the panel after they were built or rebuilt."""
        self._actions, self._panel, self._dock = actions, panel, dock
        slots: dict[str, Callable[[], object]] = {
            "next_doubt": lambda: self._step(1),
            "previous_doubt": lambda: self._step(-1),
            "accept_doubt": self._accept,
            "exclude_doubt": self._exclude,
        }
        for name, slot in slots.items():
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        short = self.tr("Next"), self.tr("Previous"), self.tr("Accept"), self.tr("Exclude")
        for name, text in zip(slots, short, strict=True):
            actions[name].setIconText(text)
        panel.chosen.connect(self._show_stretch)
        panel.current_changed.connect(self._update_actions)
        panel.limits.changed.connect(self._set_limits)
        self._refresh()

    # -- what is shown

    def _on_changed(self) -> None:
        display = self._session.display
        shown = display.phase, display.has_source, display.can_export, display.newest_only
        if shown != self._shown:
            self._shown = shown
            self._refresh()

    def _refresh(self) -> None:
        panel, project = self._panel, self._session.review.project
        if panel is None:
            return
        rows = [] if project is None else stretch_rows(self._session.doubts.stretches, project)
        panel.show_rows(rows, 1 / self._session.recording.fps)
        panel.show_notice(self._notice(all_done=not any(row.is_open for row in rows)))
        limits = DoubtLimits()
        if project is not None:
            limits = DoubtLimits(project.limits, project.doubts_off)
        panel.limits.show_limits(limits)
        panel.limits.setEnabled(self._can_edit)
        self._update_actions()

    @property
    def _can_edit(self) -> bool:
        review = self._session.review
        return review.project is not None and not review.why_read_only

    def _notice(self, *, all_done: bool) -> str:
        """Return what the list cannot say by itself."""
        display, doubts = self._session.display, self._session.doubts
        if display.newest_only:
            return self.tr("A live view has no review: record it and open the recording.")
        sentences = [translated(self._session.review.why_read_only), translated(doubts.fault)]
        if not doubts.complete and not doubts.fault:
            sentences.append(
                self.tr("Tracking is not finished: these are the doubtful stretches so far.")
                if doubts.stretches
                else self.tr("Tracking is not finished: there is no doubtful stretch so far.")
            )
        elif doubts.complete and not doubts.has_faces:
            sentences.append(self.tr("No face was found, so there is nothing to review."))
        elif doubts.complete and not doubts.stretches:
            sentences.append(self.tr("There is no doubtful stretch."))
        elif doubts.complete and all_done:
            sentences.append(self.tr("All doubtful stretches were looked at."))
        return "\n".join(filter(None, sentences))

    def _update_actions(self) -> None:
        panel, actions, display = self._panel, self._actions, self._session.display
        if panel is None:
            return
        row, why = panel.current, disabled_reason(display)
        listed, can_decide = bool(panel.listed), row is not None and self._can_edit
        status = None if row is None else row.status
        for name, can in (
            ("next_doubt", listed),
            ("previous_doubt", listed),
            ("accept_doubt", can_decide and status is not StretchStatus.EXCLUDED),
            ("exclude_doubt", can_decide),
            *((name, display.can_export) for name in REVIEW_EXPORTS),
        ):
            actions[name].setEnabled(can)
            set_extra_tooltip(actions[name], why)
        accepted, excluded = status is StretchStatus.ACCEPTED, status is StretchStatus.EXCLUDED
        accept = self.tr("Open again") if accepted else self.tr("Accept")
        actions["accept_doubt"].setIconText(accept)
        actions["exclude_doubt"].setIconText(self.tr("Include") if excluded else self.tr("Exclude"))

    # -- what the user does

    def _step(self, by: int) -> None:
        self._dock.show()
        self._dock.raise_()
        if self._panel is not None:
            self._panel.step(by)

    def _show_stretch(self, row: StretchRow) -> None:
        """Show the first frame of a stretch and the measures of its face."""
        stretch = row.stretch
        self._session.recording.seek(stretch.first)
        self._session.select(face=stretch.face_id)
        if not self._is_in_view(stretch.face_id, stretch.first):
            self._view.fit()

    def _is_in_view(self, face_id: int, frame: int) -> bool:
        results = self._session.recording.results
        faces = None if results is None else results.faces(frame)
        points = [f.stabilized for f in faces or () if f.face_id == face_id]
        if not points or points[0] is None:
            return True
        at = self._view.viewport().to_view(points[0].xy_px)
        sides = 2 if self._session.display.layout is ComparisonLayout.SIDE else 1
        size = self._view.width() / sides, self._view.height()
        return bool(((at >= 0) & (at <= np.array(size))).all())

    def _accept(self) -> None:
        row = None if self._panel is None else self._panel.current
        if row is None:
            return
        stretch = row.stretch
        place = stretch.face_id, stretch.start_s, stretch.end_s
        if row.is_open:
            self._decide(row, UserText("Accept a stretch"), lambda p: edits.accept(p, *place))
        else:
            self._decide(row, UserText("Open a stretch again"), lambda p: edits.unaccept(p, *place))

    def _exclude(self) -> None:
        row, project = None if self._panel is None else self._panel.current, self._project
        if row is None or project is None:
            return
        stretch = row.stretch
        found = project.excluding(stretch.start_s, stretch.end_s, row.person)
        start_s, end_s = self._margins(row)
        if found is None:
            note = translated(stretch.reason)
            self._decide(
                row,
                UserText("Exclude a stretch"),
                lambda p: edits.exclude(p, start_s, end_s, person=row.person, note=note),
            )
        elif (found.start_s, found.end_s, found.person) == (start_s, end_s, row.person):
            self._decide(
                row,
                UserText("Include a stretch again"),
                lambda p: edits.remove_annotations(p, {found.number}),
            )
        else:
            self._messages.show_message(
                self.tr(
                    "A longer interval excludes this stretch: change the interval in the timeline."
                )
            )

    @property
    def _project(self) -> Project | None:
        return self._session.review.project

    def _margins(self, row: StretchRow) -> tuple[float, float]:
        """Return the start and end of a stretch, up to the middle between two frames.

        So the rounded times of tables lie inside.
        """
        times_s, stretch = self._session.recording.state.times_s, row.stretch
        half_s = 0.5 / self._session.recording.fps
        start_s, end_s = max(0.0, stretch.start_s - half_s), stretch.end_s + half_s
        if stretch.first > 0:
            start_s = float(times_s[stretch.first - 1] + times_s[stretch.first]) / 2
        if stretch.last + 1 < len(times_s):
            end_s = float(times_s[stretch.last] + times_s[stretch.last + 1]) / 2
        return start_s, end_s

    def _decide(
        self, row: StretchRow, action: UserText, change: Callable[[Project], Project]
    ) -> None:
        """Change the project, and go on to the next stretch that was not looked at."""
        assert self._panel is not None
        following = self._panel.next_open(row)
        if self._session.review.edit(action, change) and row.is_open:
            self._panel.select(following)

    def _set_limits(self, limits: DoubtLimits, kind: str) -> None:
        self._session.review.edit(
            UserText("Change the limits of doubtful stretches"),
            lambda project: edits.set_limits(project, limits),
            group=f"limits {kind}",
        )
