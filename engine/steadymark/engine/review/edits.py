"""The edits of a project: each function returns the next project and changes nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import UsageError
from steadymark.engine.review.doubtful_stretches import DoubtLimits
from steadymark.engine.review.project import (
    EXCLUDE,
    Accepted,
    Annotation,
    Correction,
    Lane,
    NeutralFrame,
    Person,
    PersonGaze,
    Project,
    Reassignment,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from steadymark.engine.core.gaze import GazeCalibration

# Okabe and Ito's colours, which colour-blind people can tell apart; the first lane is `exclude`.
LANE_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")


def list_table(project: Project, table: str, *, first: bool = True) -> Project:
    """List a table of the video, before or behind those that are listed.

    Args:
        project: The project.
        table: The table as the project holds it; see `relative_path`.
        first: Whether it is the one that is shown. A table that is listed already stays otherwise.
    """
    others = tuple(one for one in project.tables if one != table)
    if first:
        return replace(project, tables=(table, *others))
    return project if table in project.tables else replace(project, tables=(*others, table))


def add_lane(project: Project, name: str, *, key: str = "", colour: str = "") -> Project:
    """Add a lane below the others.

    Raises:
        UsageError: The name is empty or taken, or the key is taken.
    """
    _check_lane(project.lanes, name, key)
    chosen = colour or LANE_COLOURS[(len(project.lanes) - 1) % len(LANE_COLOURS)]
    return replace(project, lanes=(*project.lanes, Lane(name.strip(), chosen, key)))


def change_lane(project: Project, name: str, changed: Lane) -> Project:
    """Give a lane another name, colour or key; its annotations stay in it.

    Raises:
        UsageError: There is no such lane, the new name or key is taken, or `exclude` is renamed.
    """
    lane = project.lane(name)
    if name == EXCLUDE and changed.name != EXCLUDE:
        raise UsageError("the lane 'exclude' keeps its name: exports leave out what is in it")
    others = [one for one in project.lanes if one is not lane]
    _check_lane(others, changed.name, changed.key)
    return replace(
        project,
        lanes=tuple(changed if one is lane else one for one in project.lanes),
        annotations=tuple(
            replace(one, lane=changed.name) if one.lane == name else one
            for one in project.annotations
        ),
    )


def remove_lane(project: Project, name: str) -> Project:
    """Remove a lane and its annotations.

    Raises:
        UsageError: There is no such lane, or it is `exclude`.
    """
    lane = project.lane(name)
    if name == EXCLUDE:
        raise UsageError("the lane 'exclude' cannot be removed: remove its intervals instead")
    return replace(
        project,
        lanes=tuple(one for one in project.lanes if one is not lane),
        annotations=tuple(one for one in project.annotations if one.lane != name),
    )


def annotate(
    project: Project,
    lane: str,
    start_s: float,
    end_s: float | None = None,
    *,
    label: str = "",
    note: str = "",
    person: int | None = None,
) -> Project:
    """Add an interval, or an event if `end_s` is None.

    Raises:
        UsageError: There is no such lane, or the interval ends before it starts.
    """
    project.lane(lane)
    number = 1 + max((one.number for one in project.annotations), default=0)
    end = start_s if end_s is None else end_s
    added = Annotation(number, lane, start_s, end, label, note, person)
    return replace(project, annotations=(*project.annotations, added))


def change_annotation(project: Project, changed: Annotation) -> Project:
    """Replace the annotation that has the same number.

    Raises:
        UsageError: There is no such annotation or lane.
    """
    old = project.annotation(changed.number)
    project.lane(changed.lane)
    return replace(
        project,
        annotations=tuple(changed if one is old else one for one in project.annotations),
    )


def remove_annotations(project: Project, numbers: Collection[int]) -> Project:
    """Remove annotations by number; numbers that do not exist are ignored."""
    kept = tuple(one for one in project.annotations if one.number not in numbers)
    return replace(project, annotations=kept)


def exclude(
    project: Project, start_s: float, end_s: float, *, person: int | None = None, note: str = ""
) -> Project:
    """Leave an interval out of exports and statistics.

    Raises:
        UsageError: The interval ends before it starts.
    """
    return annotate(project, EXCLUDE, start_s, end_s, person=person, note=note)


def accept(project: Project, face_id: int, start_s: float, end_s: float) -> Project:
    """Mark a doubtful stretch as looked at and good."""
    added = Accepted(face_id, start_s, end_s)
    if added in project.accepted:
        return project
    return replace(project, accepted=(*project.accepted, added))


def unaccept(project: Project, face_id: int, start_s: float, end_s: float) -> Project:
    """Remove the marks of stretches that overlap this one."""
    kept = tuple(
        one
        for one in project.accepted
        if one.face_id != face_id or one.end_s < start_s or one.start_s > end_s
    )
    return replace(project, accepted=kept)


def set_limits(project: Project, limits: DoubtLimits) -> Project:
    """Set from which value on each kind of doubt counts; only what is no default is kept."""
    defaults = DoubtLimits().values
    own = {name: value for name, value in limits.values.items() if value != defaults[name]}
    return replace(project, limits=own, doubts_off=limits.off)


def correct(project: Project, correction: Correction) -> Project:
    """Move landmarks of a face in a frame; landmarks that were moved before keep their places."""
    old = next((one for one in project.corrections if _same_frame(one, correction)), None)
    points = {index: (x, y) for index, x, y in (old.points if old else ())}
    points |= {index: (x, y) for index, x, y in correction.points}
    joined = tuple((index, *points[index]) for index in sorted(points))
    kept = (one for one in project.corrections if one is not old)
    return _with_corrections(project, (*kept, replace(correction, points=joined)))


def remove_correction(project: Project, face_id: int, frame: int) -> Project:
    """Remove the correction of a face in a frame, if there is one."""
    kept = (one for one in project.corrections if (one.face_id, one.frame) != (face_id, frame))
    return _with_corrections(project, kept)


def name_person(project: Project, person: int, name: str) -> Project:
    """Give a person a name; an empty one shows the number again.

    Raises:
        UsageError: Another person has this name.
    """
    wanted = " ".join(name.split())
    if wanted and any(p.name == wanted and p.number != person for p in project.people):
        raise UsageError(
            "another person is called {name} already: merge the two, or choose another name",
            name=wanted,
        )
    others = [p for p in project.people if p.number != person]
    named = [Person(person, wanted)] if wanted else []
    people = sorted((*others, *named), key=lambda one: one.number)
    return replace(project, people=tuple(people))


def choose_neutral(project: Project, person: int, frame: int) -> Project:
    """Say that a person is neutral for half a second from a frame on, instead of another one."""
    others = (one for one in project.neutral if one.person != person)
    chosen = sorted((*others, NeutralFrame(person, frame)), key=lambda one: one.person)
    return replace(project, neutral=tuple(chosen))


def forget_neutral(project: Project, person: int) -> Project:
    """Forget which frame shows a person's neutral face."""
    kept = tuple(one for one in project.neutral if one.person != person)
    return replace(project, neutral=kept)


def merge_people(project: Project, kept: int, merged: int) -> Project:
    """Make two persons one: all frames and annotations of `merged` belong to `kept`.

    A name of `merged` becomes that of `kept` if it has none.

    Raises:
        UsageError: Both are the same person.
    """
    if kept == merged:
        raise UsageError("person {number} cannot be merged with itself", number=kept)
    joined = _reassign(project, Reassignment(0, None, ((merged, kept),)), 0.0)
    names = {one.number: one.name for one in project.people}
    name = names.get(kept) or names.get(merged, "")
    people = tuple(p for p in joined.people if p.number != merged)
    return name_person(replace(joined, people=people), kept, name)


def split_person(
    project: Project, person: int, frame: int, new: int, *, since_s: float = math.inf
) -> Project:
    """Make a new person of the frames of a person from one frame on.

    Args:
        project: The project.
        person: The person.
        frame: Index of the first frame of the new person.
        new: Number of the new person, which nobody has.
        since_s: Time of that frame in seconds; annotations of the person whose middle is not
            before it become those of the new person.

    Raises:
        UsageError: The numbers are the same, or the frame is the first one.
    """
    if new == person or frame <= 0:
        raise UsageError(
            "person {number} cannot be split at frame {frame}: choose a later frame",
            number=person,
            frame=frame,
        )
    return _reassign(project, Reassignment(frame, None, ((person, new),)), since_s)


def swap_people(
    project: Project,
    one: int,
    other: int,
    first: int,
    last: int | None = None,
    *,
    since_s: float = math.inf,
) -> Project:
    """Exchange two persons from one frame on, to the last one or to the end of the video.

    Args:
        project: The project.
        one: A person.
        other: Another person.
        first: Index of the first frame.
        last: Index of the last frame; None for the end of the video.
        since_s: Time of the first frame in seconds; annotations of both whose middle is not before
            it are exchanged too.

    Raises:
        UsageError: Both are the same person, or the frames are in the wrong order.
    """
    if one == other or (last is not None and last < first):
        raise UsageError(
            "persons {one} and {other} cannot be exchanged from frame {first} on",
            one=one,
            other=other,
            first=first,
        )
    return _reassign(project, Reassignment(first, last, ((one, other), (other, one))), since_s)


def _reassign(project: Project, added: Reassignment, since_s: float) -> Project:
    """Add a reassignment; annotations whose middle is not before a time follow their persons."""
    after = dict(added.persons)
    annotations = tuple(
        replace(one, person=after[one.person])
        if one.person in after and (one.start_s + one.end_s) / 2 >= since_s
        else one
        for one in project.annotations
    )
    reassignments = (*project.reassignments, added)
    return replace(project, annotations=annotations, reassignments=reassignments)


def _with_corrections(project: Project, corrections: Iterable[Correction]) -> Project:
    ordered = sorted(corrections, key=lambda one: (one.face_id, one.frame))
    return replace(project, corrections=tuple(ordered))


def _same_frame(one: Correction, other: Correction) -> bool:
    return (one.face_id, one.frame) == (other.face_id, other.frame)


def _check_lane(others: Iterable[Lane], name: str, key: str) -> None:
    if not name.strip():
        raise UsageError("a lane needs a name")
    for lane in others:
        if lane.name == name.strip():
            raise UsageError("there is a lane called '{name}' already", name=lane.name)
        if key and lane.key == key:
            raise UsageError("the key {key} belongs to the lane '{name}'", key=key, name=lane.name)


def calibrate_gaze(project: Project, person: int, calibration: GazeCalibration) -> Project:
    """Correct the gaze of a person with a calibration, instead of another one."""
    others = (one for one in project.gaze_calibrations if one.person != person)
    new = PersonGaze(person, calibration.name, calibration.gain, calibration.offset_deg)
    return replace(
        project, gaze_calibrations=tuple(sorted((*others, new), key=lambda one: one.person))
    )


def forget_gaze(project: Project, person: int) -> Project:
    """Leave the gaze of a person as it was tracked."""
    return replace(
        project,
        gaze_calibrations=tuple(one for one in project.gaze_calibrations if one.person != person),
    )
