"""The persons of the open recording: which there are, and what the user makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal

from steadymark.app.session.people.face_pictures import FacePictures
from steadymark.app.session.people.neutral_faces import NeutralFaces
from steadymark.app.session.people.people_worker import PeopleReply, PeopleRequest, PeopleWorker
from steadymark.app.session.people.suggestions import Suggestions
from steadymark.app.session.recording.face_rows import STATES
from steadymark.app.session.review.background_review import BackgroundReview
from steadymark.engine.core.types import FaceState
from steadymark.engine.expressions.neutral_moment import PersonRows, movement_sentence
from steadymark.engine.review import edits
from steadymark.engine.review.people.assignment import common_frames, new_person, persons_of
from steadymark.engine.review.project import NeutralFrame
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.app.session.recording.recording_view import RecordingView
    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.review.people.person_summary import PersonSummary
    from steadymark.engine.review.project import Project
    from steadymark.models.face.crop import Image

_LOST = STATES.index(FaceState.LOST)


@dataclass(frozen=True, slots=True, eq=False)
class PersonRow:
    """A person in the list.

    Attributes:
        summary: What is known of the person.
        name: The name; empty if there is none.
        share: Share of the tracked frames with the person.
        image: The picture, (side, side, 3); None while there is none.
        neutral: Index of the frame from which on the face is neutral; None if none is chosen.
        calibrated: Whether the gaze has a calibration.
    """

    summary: PersonSummary
    name: str
    share: float
    image: Image | None
    neutral: int | None = None
    calibrated: bool = False

    @property
    def number(self) -> int:
        """The number of the person."""
        return self.summary.number

    @property
    def title(self) -> str:
        """The name, or the number as `#3`."""
        return self.name or f"#{self.number}"


class People(BackgroundReview):
    """The persons of the open recording. It lives in the GUI thread.

    Attributes:
        changed: Emitted when the attributes below have changed.
        refused: Emitted with a UserText that says why an edit is not possible.
        summaries: The persons, by number.
        frames: Number of frames that were tracked so far.
        complete: Whether all frames were processed.
        fault: A sentence that says why there are none, or nothing.
        pictures: Their pictures.
        suggestions: Pairs of them that may be the same person.
        neutral: Their attributes when their neutral faces are known.

    Args:
        recording: The recording.
        review: Its project.
    """

    refused = Signal(object)
    summaries: tuple[PersonSummary, ...]
    frames: int
    complete: bool
    fault: UserText

    def __init__(self, recording: RecordingView, review: ReviewStore) -> None:
        super().__init__(recording, review, PeopleWorker)
        self.pictures = FacePictures(recording, self)
        self.suggestions = Suggestions(recording, review, self)
        self.neutral = NeutralFaces(recording, review)
        self.changed.connect(self._request_pictures)
        review.changed.connect(self._follow_project)

    def close(self, timeout_s: float) -> bool:
        """End the worker threads for good. Returns whether all of them ended in time."""
        ended = super().close(timeout_s)
        ended = self.pictures.close(timeout_s) and ended
        ended = self.suggestions.close(timeout_s) and ended
        return self.neutral.close(timeout_s) and ended

    def rows(self) -> list[PersonRow]:
        """Return the persons with their names, by number."""
        project = self._review.project
        names = {} if project is None else {one.number: one.name for one in project.people}
        neutral = {} if project is None else {one.person: one.frame for one in project.neutral}
        calibrated = {} if project is None else project.calibrations
        return [
            PersonRow(
                one,
                names.get(one.number, ""),
                one.frames / self.frames if self.frames else 0.0,
                self.pictures.image_of(one),
                neutral.get(one.number),
                one.number in calibrated,
            )
            for one in self.summaries
        ]

    def title_of(self, person: int) -> str:
        """Return the name of a person, or the number as `#3`."""
        project = self._review.project
        name = str(person) if project is None else project.name_of(person)
        return f"#{person}" if name == str(person) else name

    # -- edits

    def rename(self, person: int, name: str) -> bool:
        """Give a person a name; an empty one shows the number again."""
        return self._review.edit(
            UserText("name the person"), lambda project: edits.name_person(project, person, name)
        )

    def choose_neutral(self, person: int, frame: int) -> bool:
        """Say that a person is neutral in a frame; the frame that is chosen already is forgotten.

        It is refused if the person has no face in the frame.
        """
        results, project = self._recording.results, self._review.project
        if results is None or project is None:
            return False
        rows = results.rows_at(frame)
        there = results.rows().state[rows] != _LOST
        faces = results.rows().face_id[rows][there]
        persons = persons_of(faces, np.full(len(faces), frame), project.reassignments)
        if person not in persons:
            self.refused.emit(
                UserText("{name} has no face in this frame", name=self.title_of(person))
            )
            return False
        if NeutralFrame(person, frame) in project.neutral:
            return self._review.edit(
                UserText("forget the neutral face"),
                lambda project: edits.forget_neutral(project, person),
            )
        return self._review.edit(
            UserText("choose the neutral face"),
            lambda project: edits.choose_neutral(project, person, frame),
        )

    def movement_in(self, person: int, frame: int) -> UserText:
        """Return a sentence if a person's face moves in the half second from a frame on."""
        results, project = self._recording.results, self._review.project
        if results is None or project is None:
            return NOTHING
        rows = results.rows()
        persons = persons_of(rows.face_id, rows.frame, project.reassignments)
        there = PersonRows(persons, rows.frame, results.times_s[rows.frame], rows.attributes)
        return movement_sentence(there, person, frame, self.title_of(person))

    def merge(self, persons: Sequence[int]) -> bool:
        """Make persons one: the first of them that has a name stays, otherwise the first.

        It is refused if two of them have a face in the same frame.
        """
        project = self._review.project
        if project is None:
            return False
        for place, one in enumerate(persons):
            for other in persons[place + 1 :]:
                if why := self._why_not_same(one, other):
                    self.refused.emit(why)
                    return False
        named = {one.number for one in project.people}
        kept = next((one for one in persons if one in named), persons[0])

        def change(project: Project) -> Project:
            for one in persons:
                if one != kept:
                    project = edits.merge_people(project, kept, one)
            return project

        return self._review.edit(UserText("merge persons"), change)

    def split(self, person: int, frame: int) -> bool:
        """Make a new person of the frames of a person from this frame on."""
        results, project = self._recording.results, self._review.project
        summary = next((one for one in self.summaries if one.number == person), None)
        if results is None or project is None or summary is None:
            return False
        if not summary.first < frame <= summary.last:
            self.refused.emit(
                UserText(
                    "{name} cannot be split at this frame: go to the first frame of the new person",
                    name=self.title_of(person),
                )
            )
            return False
        new = new_person(np.unique(results.rows().face_id).tolist(), project)
        since_s = float(results.times_s[frame])
        return self._review.edit(
            UserText("split the person"),
            lambda project: edits.split_person(project, person, frame, new, since_s=since_s),
        )

    def swap(self, one: int, other: int, frame: int) -> bool:
        """Exchange two persons from this frame on."""
        results = self._recording.results
        if results is None:
            return False
        since_s = float(results.times_s[frame])
        return self._review.edit(
            UserText("swap two persons"),
            lambda project: edits.swap_people(project, one, other, frame, since_s=since_s),
        )

    def _why_not_same(self, one: int, other: int) -> UserText:
        """Return why two persons cannot be one; empty if they can."""
        results, project = self._recording.results, self._review.project
        assert project is not None
        if results is None:
            return NOTHING
        rows = results.rows()
        there = rows.state != _LOST
        frame = rows.frame[there]
        persons = persons_of(rows.face_id[there], frame, project.reassignments)
        frames = common_frames(persons, frame, one, other)
        if not len(frames):
            return NOTHING
        return UserText(
            "{one} and {other} are not merged, because both are in frame {frame}: a person has "
            "one face",
            one=self.title_of(one),
            other=self.title_of(other),
            frame=int(frames[0]),
        )

    # -- what is known

    def _request_of(self, results: Results) -> PeopleRequest | None:
        project = self._review.project
        return None if project is None else PeopleRequest(results, project.reassignments)

    def _use(self, reply: PeopleReply | None) -> None:
        if reply is None:
            self.summaries, self.frames, self.complete, self.fault = (), 0, False, NOTHING
        else:
            self.summaries, self.frames = reply.people, reply.frames
            self.complete, self.fault = reply.complete, reply.fault

    def _request_pictures(self) -> None:
        self.pictures.request(self.summaries)
        if self.complete and len(self.summaries) > 1:
            self.suggestions.request()
        elif not self.summaries:
            self.suggestions.clear()
