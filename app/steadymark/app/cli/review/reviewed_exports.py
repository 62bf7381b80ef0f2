"""What `steadymark export` writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.cli.output_files import OutputFiles, check_outputs
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import FaceState
from steadymark.engine.expressions.expression_settings import AS_MEASURED, ExpressionSettings
from steadymark.engine.expressions.neutral_moment import PersonRows, movement_sentence
from steadymark.engine.face3d.identity import NEUTRAL_S
from steadymark.engine.output.labelled_pictures import labels_of, write_labelled_pictures
from steadymark.engine.output.motion.bvh_format import bvh_files
from steadymark.engine.output.motion.gltf_format import gltf_files
from steadymark.engine.output.motion.motion_sink import write_motion
from steadymark.engine.review.edits import choose_neutral
from steadymark.engine.review.elan_file import write_annotations
from steadymark.engine.review.export_motion import motions_of_table
from steadymark.engine.review.export_reviewed import (
    ExportOptions,
    export_reviewed,
    person_files,
)
from steadymark.engine.review.find_reviewed import ReviewedFile, find_reviewed
from steadymark.engine.review.interval_statistics import interval_statistics, write_statistics
from steadymark.engine.review.people.assignment import persons_of
from steadymark.engine.review.reviewed_table import ReviewedTable, reviewed
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.engine.output.motion.head_motion import HeadMotion
    from steadymark.engine.output.motion.motion_sink import Encode
    from steadymark.engine.review.project import Project


@dataclass(frozen=True, slots=True)
class Animations:
    """Files of moving heads.

    Attributes:
        gltf: A binary glTF file; None writes none.
        bvh: A BVH file; None writes none.
        expressions: Settings of the shapes, and whether characters are mirrored.

    Raises:
        UsageError: The name of the glTF file does not tell that it is binary.
    """

    gltf: Path | None = None
    bvh: Path | None = None
    expressions: ExpressionSettings = AS_MEASURED

    def __post_init__(self) -> None:
        if self.gltf is not None and self.gltf.suffix.lower() != ".glb":
            raise UsageError(
                "--gltf writes binary glTF: give {path} a name that ends in .glb", path=self.gltf
            )

    @property
    def files(self) -> list[tuple[Path, Encode]]:
        """Return the files, and how the content of each is made."""
        both = ((self.gltf, gltf_files), (self.bvh, bvh_files))
        return [(path, encode) for path, encode in both if path is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedExport:
    """What is exported, see `ExportOptions`.

    Attributes:
        target: File of the table; None takes NAME.reviewed.csv beside the table.
        statistics: File of the statistics, or None.
        annotations: File of the annotations, or None.
        pts: Folder of the corrected frames as pictures with .pts files, or None.
        motion: Files of moving heads.
        per_person: Whether each person has a file of its own.
        persons: Names or numbers of persons; empty for all.
        neutral_s: Times from which on all faces in the picture are neutral for a moment.
        overwrite: Whether existing files are replaced.
    """

    target: Path | None = None
    statistics: Path | None = None
    annotations: Path | None = None
    pts: Path | None = None
    motion: Animations = field(default_factory=Animations)
    per_person: bool = False
    wide: bool = False
    drop_excluded: bool = False
    start_s: float = 0.0
    end_s: float | None = None
    persons: tuple[str, ...] = ()
    neutral_s: tuple[float, ...] = ()
    overwrite: bool = False


def export_files(
    file: Path, request: ReviewedExport, note: Callable[[UserText], None]
) -> Iterator[tuple[Path, UserText, tuple[str, ...]]]:
    """Write the files, and yield each with how much it holds and the names of its persons.

    Args:
        file: A table, or a video or project with one.
        request: What is written.
        note: Receives sentences for the user, such as that a neutral face moves.

    Raises:
        LandmarkFileError: The table or its project cannot be read.
        SinkError: A file cannot be written.
        SourceError: The pictures of corrected frames cannot be read.
        UsageError: A file exists already, a person is unknown, or nothing is left to export.
    """
    found = find_reviewed(file)
    found = replace(found, project=_with_neutral(found, request.neutral_s, note))
    project, table = found.project, reviewed(found.table, found.project)
    target = request.target or found.table_path.with_name(
        f"{found.table_path.name.partition('.')[0]}.reviewed.csv"
    )
    options = ExportOptions(
        wide=request.wide,
        drop_excluded=request.drop_excluded,
        start_s=request.start_s,
        end_s=request.end_s,
        persons=_persons(table, project, request.persons),
    )
    parts = person_files(table, target, options) if request.per_person else {target: options}
    further = [path for path in (request.statistics, request.annotations) if path is not None]
    moving = _motion_files(found, table, request, options)
    further += [path for path, *_ in moving]
    _check_each(found, (*parts, *further), overwrite=request.overwrite)
    for path, part in parts.items():
        yield path, _rows(export_reviewed(table, path, part)), _names(table, project, part)
    if request.statistics is not None:
        rows = interval_statistics(table, project)
        write_statistics(request.statistics, rows)
        yield request.statistics, _rows(len(rows)), ()
    if request.annotations is not None:
        write_annotations(request.annotations, project)
        yield request.annotations, _rows(len(project.annotations)), ()
    for path, motions, encode in moving:
        write_motion(path, motions, encode)
        count = UserText.counted("1 head", "{count} heads", count=len(motions))
        yield path, count, ()
    if request.pts is not None:
        pictures = _write_pts(found, table, request.pts, overwrite=request.overwrite)
        count = UserText.counted("1 picture", "{count} pictures", count=pictures)
        yield request.pts, count, ()


def _with_neutral(
    found: ReviewedFile, times_s: tuple[float, ...], note: Callable[[UserText], None]
) -> Project:
    """Return the project with the persons' neutral faces at these times, and tell who moves then.

    Raises:
        UsageError: No face is tracked at a time, or the size of the frames is unknown.
    """
    project, table = found.project, found.table
    if times_s and not (project.video.width and project.video.height):
        raise UsageError(
            "--neutral needs the size of the frames, which {table} does not hold: put its video "
            "beside it",
            table=found.table_path,
        )
    person = persons_of(table.face_id, table.frame, project.reassignments)
    rows = PersonRows(person, table.frame, table.timestamp_s, table.attributes)
    tracked = table.state != FaceState.LOST
    for time_s in times_s:
        later = tracked & (table.timestamp_s >= time_s) & (table.timestamp_s < time_s + NEUTRAL_S)
        if not later.any():
            raise UsageError(
                "no face is tracked in the half second from {time} s on: choose another time for "
                "--neutral",
                time=f"{time_s:g}",
            )
        for one in np.unique(person[later]).tolist():
            frame = int(table.frame[later & (person == one)].min())
            project = choose_neutral(project, one, frame)
            name = project.name_of(one)
            moves = movement_sentence(rows, one, frame, f"#{one}" if name == str(one) else name)
            if moves:
                note(moves)
    return project


def _motion_files(
    found: ReviewedFile, table: ReviewedTable, request: ReviewedExport, options: ExportOptions
) -> list[tuple[Path, list[HeadMotion], Encode]]:
    """Return the files of moving heads, what is written into each, and how.

    A BVH file holds one head, so that each has a file if there are several.
    """
    files: list[tuple[Path, list[HeadMotion], Encode]] = []
    for target, encode in request.motion.files:
        measured = motions_of_table(found, table, options)
        motions = [each.with_settings(request.motion.expressions) for each in measured]
        separate = request.per_person or (encode is bvh_files and len(motions) > 1)
        if not separate:
            files.append((target, motions, encode))
            continue
        for path, part in person_files(table, target, options).items():
            alone = [each for each in motions if each.person in part.persons]
            if alone:
                files.append((path, alone, encode))
    return files


def _rows(count: int) -> UserText:
    return UserText.counted("1 row", "{count} rows", count=count)


def _write_pts(found: ReviewedFile, table: ReviewedTable, folder: Path, *, overwrite: bool) -> int:
    """Write the corrected frames as labelled pictures, and return their number."""
    if found.video is None:
        raise UsageError(
            "the video of {table} was not found: put it beside the table to save its pictures",
            table=found.table_path,
        )
    faces = {(one.frame, one.face_id) for one in found.project.corrections}
    labels = labels_of(table.table, faces)
    return write_labelled_pictures(
        str(found.video), labels, folder, found.video.stem, overwrite=overwrite
    )


def _names(table: ReviewedTable, project: Project, options: ExportOptions) -> tuple[str, ...]:
    """Return the names of the persons that are exported and have one."""
    there = set(np.unique(table.person).tolist())
    wanted = options.persons or there
    return tuple(one.name for one in project.people if one.number in there & wanted)


def _persons(table: ReviewedTable, project: Project, wanted: tuple[str, ...]) -> frozenset[int]:
    there = np.unique(table.person[table.person >= 0]).tolist()
    numbers = {project.name_of(person): person for person in there}
    numbers |= {str(person): person for person in there}
    for name in wanted:
        if name not in numbers:
            raise UsageError(
                "there is no person {name}: there are {known}",
                name=name,
                known=", ".join(project.name_of(person) for person in there),
            )
    return frozenset(numbers[name] for name in wanted)


def _check_each(found: ReviewedFile, paths: tuple[Path, ...], *, overwrite: bool) -> None:
    seen: set[Path] = set()
    for path in paths:
        _check(path, found, overwrite=overwrite)
        if path.resolve() in seen:
            raise UsageError(
                "{path} is named for two files: choose another name for one of them", path=path
            )
        seen.add(path.resolve())


def _check(path: Path, found: ReviewedFile, *, overwrite: bool) -> None:
    check_outputs(OutputFiles(path))
    if path.resolve() == found.table_path.resolve():
        raise UsageError("{path} is the table itself: choose another name with --out", path=path)
    if found.video is not None and path.resolve() == found.video.resolve():
        raise UsageError("{path} is the video itself: choose another name", path=path)
    if path.exists() and not overwrite:
        raise UsageError(
            "{path} is there already: add --overwrite, or choose another with --out", path=path
        )
