"""Connects the list of persons with the session, and shows what faces are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from steadymark.app.gui.action_handlers import disabled_reason
from steadymark.app.gui.actions.actions import set_extra_tooltip
from steadymark.app.gui.actions.people_actions import PEOPLE_ACTIONS
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.people.face_names import FaceName, face_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QDockWidget, QWidget

    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.panels.statistics_panel import StatisticsPanel
    from steadymark.app.gui.people.people_panel import PeoplePanel
    from steadymark.app.gui.timeline.timeline import Timeline
    from steadymark.app.session.people.people import PersonRow
    from steadymark.app.session.session import Session
    from steadymark.engine.review.people.same_person import SamePerson


class PeopleController(QObject):
    """Shows the persons of the open recording, and lets the user name, merge and divide them.

    Args:
        parent: The window.
        session: Holds the open recording and its persons.
        messages: Tell the user what to do first.
    """

    def __init__(self, parent: QWidget, *, session: Session, messages: Messages) -> None:
        super().__init__(parent)
        self._session, self._people, self._messages = session, session.people, messages
        self._panel: PeoplePanel | None = None
        self._names: dict[int, FaceName] = {}
        self._shown: object = None
        for changed in (
            session.people.changed,
            session.people.pictures.changed,
            session.people.suggestions.changed,
            session.review.changed,
        ):
            changed.connect(self._refresh)
        session.changed.connect(self._on_changed)
        session.results_changed.connect(self._show_names)
        session.measures_changed.connect(self._show_names)

    def connect_widgets(
        self,
        actions: Mapping[str, QAction],
        panel: PeoplePanel,
        dock: QDockWidget,
        *,
        timeline: Timeline,
        statistics: StatisticsPanel,
    ) -> None:
        """Connect the commands and the widgets after they were built or rebuilt."""
        self._actions, self._panel, self._dock = actions, panel, dock
        self._timeline, self._statistics, self._names = timeline, statistics, {}
        slots: dict[str, Callable[[], object]] = {
            "name_person": self._name,
            "merge_people": self._merge,
            "split_person": self._split,
            "swap_people": self._swap,
            "neutral_face": self._neutral,
        }
        for name, slot in slots.items():
            actions[name].triggered.connect(lambda _=False, slot=slot: slot())
        short = (
            self.tr("Rename"),
            self.tr("Merge"),
            self.tr("Split here"),
            self.tr("Swap from here"),
            self.tr("Neutral here"),
        )
        for name, text in zip(slots, short, strict=True):
            actions[name].setIconText(text)
        panel.chosen.connect(self._show_person)
        panel.selection_changed.connect(self._update_actions)
        panel.suggestion_answered.connect(self._answer)
        panel.model.named.connect(self._people.rename)
        self._refresh()

    # -- what is shown

    def _on_changed(self) -> None:
        display = self._session.display
        shown = display.phase, display.has_source, display.newest_only
        if shown != self._shown:
            self._shown = shown
            self._refresh()
        else:
            self._show_names()

    def _refresh(self) -> None:
        panel = self._panel
        if panel is None:
            return
        panel.show_rows(self._people.rows())
        panel.show_notice(self._notice())
        pair = self._suggested
        text = ""
        if pair is not None and self._can_edit:
            text = self.tr("{one} may be {other}: they look alike and are never seen together.")
            text = text.format(
                one=self._people.title_of(pair.other), other=self._people.title_of(pair.one)
            )
        panel.show_suggestion(text)
        self._update_actions()
        self._show_names()

    def _show_names(self) -> None:
        """Show what faces are called in the shown frame, beside their rows and in the choice."""
        if self._panel is None:
            return
        review, display = self._session.review, self._session.display
        names = face_names(review.project, self._timeline.face_ids, display.frame)
        if names != self._names:
            self._names = names
            self._timeline.set_face_names(names)
            self._statistics.set_face_names(names)

    @property
    def _can_edit(self) -> bool:
        review = self._session.review
        return review.project is not None and not review.why_read_only

    @property
    def _suggested(self) -> SamePerson | None:
        """The most likely suggestion about persons that still exist."""
        known = {one.number for one in self._people.summaries}
        pairs = self._people.suggestions.pairs
        return next((pair for pair in pairs if {pair.one, pair.other} <= known), None)

    def _notice(self) -> str:
        """Return what the list cannot say by itself."""
        people, review = self._people, self._session.review
        if self._session.display.newest_only:
            return self.tr("A live view has no list of persons: record it and open the recording.")
        sentences = [translated(review.why_read_only), translated(people.fault)]
        if people.complete and not people.summaries:
            sentences.append(self.tr("No face was found."))
        twice = next((one for one in people.summaries if one.doubled), None)
        if twice is not None:
            sentences.append(
                self.tr(
                    "{name} has two faces in frame {frame}: undo the merge, or split the person "
                    "there."
                ).format(name=people.title_of(twice.number), frame=twice.first_doubled)
            )
        return "\n".join(filter(None, sentences))

    def _update_actions(self) -> None:
        if self._panel is None:
            return
        count, known = len(self._panel.selected), len(self._people.summaries)
        can, why = self._can_edit, disabled_reason(self._session.display)
        enabled = {
            "name_person": can and known > 0,
            "merge_people": can and count > 1,
            "split_person": can and known > 0 and self._people.complete,
            "swap_people": can and (count == 2 or (known == 2 and count < 2)),
            "neutral_face": self._session.display.newest_only or (can and known > 0),
        }
        hints = {
            "merge_people": self.tr("Select two or more persons in the list first"),
            "split_person": self.tr("Possible when tracking is finished"),
            "swap_people": self.tr("Select two persons in the list first"),
        }
        for name in PEOPLE_ACTIONS:
            self._actions[name].setEnabled(enabled[name])
            hint = "" if enabled[name] or not can else hints.get(name, "")
            set_extra_tooltip(self._actions[name], why or hint)

    # -- what the user does

    def _show_person(self, row: PersonRow) -> None:
        """Show the best frame of a person and the measures of the face."""
        self._session.recording.seek(row.summary.best_frame)
        self._session.select(face=row.summary.best_face)

    def _chosen(self) -> int | None:
        """Return the selected person; if none is selected, the one whose face is measured."""
        assert self._panel is not None
        rows, measures = self._panel.selected, self._session.measures
        if len(rows) == 1:
            return rows[0].number
        if rows or not self._people.summaries:
            return None
        face = None if measures is None else measures.face
        if face in self._names:
            return self._names[face].person
        return self._people.summaries[0].number

    def _name(self) -> None:
        person = self._chosen()
        if person is None:
            self._messages.show_message(self.tr("Select one person in the list first."))
            return
        self._dock.show()
        self._dock.raise_()
        assert self._panel is not None
        self._panel.edit_name(person)

    def _merge(self) -> None:
        assert self._panel is not None
        self._people.merge([row.number for row in self._panel.selected])

    def _split(self) -> None:
        person = self._chosen()
        if person is None:
            self._messages.show_message(self.tr("Select one person in the list first."))
        else:
            self._people.split(person, self._session.display.frame)

    def _swap(self) -> None:
        assert self._panel is not None
        rows = self._panel.selected
        pair = [row.number for row in (rows if len(rows) == 2 else self._panel.model.rows)]
        self._people.swap(pair[0], pair[1], self._session.display.frame)

    def _neutral(self) -> None:
        """Take the face of the shown frame, or of the next half second of a camera, as neutral."""
        if self._session.display.newest_only:
            self._session.choose_neutral()
            said = self.tr("The face of the next half second is neutral.")
            self._messages.show_message(said, passing=True)
            return
        person = self._chosen()
        if person is None:
            self._messages.show_message(self.tr("Select one person in the list first."))
        else:
            frame = self._session.display.frame
            if self._people.choose_neutral(person, frame):
                chosen = any(row.neutral == frame for row in self._people.rows())
                if chosen and (moves := self._people.movement_in(person, frame)):
                    self._messages.show_message(translated(moves), note=True)
                    return
                said = (
                    self.tr(
                        "{name} is neutral in the half second from this frame on: shapes are "
                        "relative to it."
                    ).format(name=self._people.title_of(person))
                    if chosen
                    else self.tr("The neutral face is forgotten.")
                )
                self._messages.show_message(said, passing=True)

    def _answer(self, same: bool) -> None:
        """Take the suggestion, or do not make it again."""
        pair = self._suggested
        if pair is None:
            return
        if same:
            self._people.merge((pair.one, pair.other))
        else:
            self._people.suggestions.refuse(pair)
