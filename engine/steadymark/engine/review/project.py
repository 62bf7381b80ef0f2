"""What a project holds: the quality control of one tracked video, as frozen values.

Times are presentation times in seconds, so they stay right when a video is tracked again. The
edits that a user makes are functions from one project to the next (`edits`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.gaze import GazeCalibration
from steadymark.engine.gaze.gaze_calibration import calibration_of

if TYPE_CHECKING:
    from collections.abc import Mapping

EXCLUDE = "exclude"  # the lane whose intervals are left out of exports and statistics
_SAME_S = 1e-3  # times that are closer than this are the same, since tables round them


@dataclass(frozen=True, slots=True)
class VideoReference:
    """The video that a project is about.

    Attributes:
        path: Its path, relative to the project's folder where possible.
        size_bytes: Its size; 0 if it is not known.
        sha256: SHA-256 of the file; empty if it is not known.
        frames: Number of frames; 0 if it is not known.
        width, height: Size of the upright frames in pixels; 0 if it is not known.
    """

    path: str
    size_bytes: int = 0
    sha256: str = ""
    frames: int = 0
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of the timeline that holds annotations.

    Attributes:
        name: Its name, which no other lane has.
        colour: Colour as `#rrggbb`.
        key: The key that starts and ends an interval while the video plays; empty for none.
    """

    name: str
    colour: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """An interval of a lane, or an event if it has no duration.

    Attributes:
        number: Number that no other annotation of the project has.
        lane: Name of its lane.
        start_s: Start in seconds.
        end_s: End in seconds; the start for an event.
        label: A short name, such as a category.
        note: A remark of any length.
        person: The person that it is about; None for all.

    Raises:
        UsageError: The end is before the start, or a time is not a number ≥ 0.
    """

    number: int
    lane: str
    start_s: float
    end_s: float
    label: str = ""
    note: str = ""
    person: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.end_s) and 0 <= self.start_s <= self.end_s):
            raise UsageError(
                "an annotation from {start:g} s to {end:g} s is not possible: it must end after "
                "it starts",
                start=self.start_s,
                end=self.end_s,
            )

    @property
    def is_event(self) -> bool:
        """Whether it is a moment without a duration."""
        return self.start_s == self.end_s

    def covers(self, time_s: float) -> bool:
        """Return whether a frame at this time belongs to the interval; its end does."""
        return self.start_s <= time_s <= self.end_s


@dataclass(frozen=True, slots=True)
class Correction:
    """Landmarks of one face in one frame that a person has put in place.

    Attributes:
        face_id: Number of the face, as it was tracked.
        frame: Index of the frame.
        time_s: Time of the frame in seconds.
        points: The landmarks that were moved: (index, x, y), in frame pixels.
        span_s: For how long before and after the frame the correction fades out.
    """

    face_id: int
    frame: int
    time_s: float
    points: tuple[tuple[int, float, float], ...]
    span_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Person:
    """A person in the video.

    Attributes:
        number: The number of the face that the person had first.
        name: The name that tables show; empty for the number.
    """

    number: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reassignment:
    """From a frame on, faces belong to other persons than before.

    Attributes:
        first: Index of the first frame.
        last: Index of the last frame, which belongs to it; None for the end of the video.
        persons: Pairs of the person until now and the person from now on, all at once.
    """

    first: int
    last: int | None
    persons: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A stretch of one face that a person has looked at and found good."""

    face_id: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class NeutralFrame:
    """A frame in which a person's face is neutral."""

    person: int
    frame: int


@dataclass(frozen=True, slots=True)
class PersonGaze:
    """A person's correction of gaze.

    Attributes:
        person: Number of the person.
        name: Name of the calibration, see `GazeCalibration`, as the other attributes.
        gain: Factors of the horizontal and of the vertical angle.
        offset_deg: Offsets of the right eye, and of the left eye.

    Raises:
        UsageError: The values are not those of a calibration.
    """

    person: int
    name: str = ""
    gain: tuple[float, float] = (1.0, 1.0)
    offset_deg: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))

    def __post_init__(self) -> None:
        if calibration_of(self._values) is None:
            raise UsageError(
                "the gaze calibration of the person {person} is not possible: its values are wrong",
                person=self.person,
            )

    @property
    def _values(self) -> dict[str, object]:
        return {"name": self.name, "gain": self.gain, "offset_deg": self.offset_deg}

    @property
    def calibration(self) -> GazeCalibration:
        """The calibration."""
        return GazeCalibration(self.name, self.gain, self.offset_deg)


@dataclass(frozen=True, slots=True)
class Project:
    """The quality control of one video.

    Attributes:
        video: The video.
        tables: Tables of its landmarks, relative to the project's folder; the first one is shown,
            the others are laid over it.
        limits: Limits of doubtful stretches by name, see `DoubtLimits`.
        doubts_off: Names of the doubts that are not looked for.
        lanes: The lanes, from top to bottom; one of them is called `exclude`.
        annotations: The annotations, by number.
        corrections: The corrections, by face and frame.
        people: The persons that have a name.
        reassignments: What was merged, split and swapped, in this order.
        accepted: The stretches that were found good.
        neutral: The neutral frames of persons.
        gaze_calibrations: The corrections of the gaze of persons.
        notes: Notes about the video.
        view: What the window shows, such as zoom and frame; not changed by undo.
        unknown: Fields of a newer version of the program, which are written again.
    """

    video: VideoReference
    tables: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    doubts_off: frozenset[str] = frozenset()
    lanes: tuple[Lane, ...] = (Lane(EXCLUDE, "#cc3311", "X"),)
    annotations: tuple[Annotation, ...] = ()
    corrections: tuple[Correction, ...] = ()
    people: tuple[Person, ...] = ()
    reassignments: tuple[Reassignment, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    neutral: tuple[NeutralFrame, ...] = ()
    gaze_calibrations: tuple[PersonGaze, ...] = ()
    notes: str = ""
    view: Mapping[str, object] = field(default_factory=dict)
    unknown: Mapping[str, object] = field(default_factory=dict)

    def lane(self, name: str) -> Lane:
        """Return a lane by its name.

        Raises:
            UsageError: There is no such lane.
        """
        found = next((lane for lane in self.lanes if lane.name == name), None)
        if found is None:
            raise UsageError(
                "there is no lane called '{name}': there are {known}",
                name=name,
                known=", ".join(lane.name for lane in self.lanes),
            )
        return found

    def annotation(self, number: int) -> Annotation:
        """Return an annotation by its number.

        Raises:
            UsageError: There is no such annotation.
        """
        found = next((one for one in self.annotations if one.number == number), None)
        if found is None:
            raise UsageError("there is no annotation {number}", number=number)
        return found

    def name_of(self, person: int) -> str:
        """Return the name of a person, or the number as text."""
        return next((p.name for p in self.people if p.number == person and p.name), str(person))

    @property
    def changes_tables(self) -> bool:
        """Whether a reviewed table differs from the one that was tracked."""
        edited = self.excluded, self.corrections, self.people, self.reassignments
        return any((*edited, self.neutral, self.gaze_calibrations))

    @property
    def calibrations(self) -> dict[int, GazeCalibration]:
        """The corrections of gaze by the number of the person."""
        return {one.person: one.calibration for one in self.gaze_calibrations}

    @property
    def excluded(self) -> tuple[Annotation, ...]:
        """The intervals that are left out of exports and statistics."""
        return tuple(one for one in self.annotations if one.lane == EXCLUDE)

    def is_excluded(self, time_s: float, person: int | None = None) -> bool:
        """Return whether a moment is left out, for one person or for everybody."""
        return any(one.covers(time_s) and one.person in (None, person) for one in self.excluded)

    def excluding(self, start_s: float, end_s: float, person: int) -> Annotation | None:
        """Return an interval that leaves a whole stretch of a person out, if there is one."""
        found = (
            one
            for one in self.excluded
            if one.person in (None, person) and _covers(one.start_s, one.end_s, start_s, end_s)
        )
        return next(found, None)

    def is_accepted(self, face_id: int, start_s: float, end_s: float) -> bool:
        """Return whether a person has found a whole stretch of a face good."""
        return any(
            one.face_id == face_id and _covers(one.start_s, one.end_s, start_s, end_s)
            for one in self.accepted
        )


def _covers(start_s: float, end_s: float, inner_start_s: float, inner_end_s: float) -> bool:
    return start_s <= inner_start_s + _SAME_S and inner_end_s - _SAME_S <= end_s
