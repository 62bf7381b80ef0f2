"""Readers of video data sets: 300VW, and CSV files that Steadymark has written."""

from __future__ import annotations

import csv
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.datasets.image_folders import label_files, read_label
from steadymark.models.datasets.label_tables import usual_schema
from steadymark.models.datasets.labelled_face import (
    Dataset,
    Defect,
    LabelEntry,
    LabelledFace,
    as_points,
    check_points,
    read_entry,
    separate_defects,
)
from steadymark.models.datasets.video_frames import SUFFIXES, Video, VideoFrameImage
from steadymark.models.errors import DataError
from steadymark.models.face.schema import IBUG68

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from steadymark.models.face.crop import Points

CSV_START = "# steadymark-csv"
_CSV_FORMAT = "1"


def read_300vw(folder: Path) -> Dataset:
    """Read a 300VW video with annot/000001.pts …, or a folder of such videos.

    The files count frames and pixels from 1; the result counts from 0. Faces are in frame order, so
    loading their images one after another decodes the video once.

    Raises:
        DataError: The folder is not of this form.
    """
    if (folder / "annot").is_dir():
        return _annotated(folder)
    parts = [part for part in sorted(folder.glob("*")) if (part / "annot").is_dir()]
    if not parts:
        raise DataError(
            f"{folder} has no folder annot: name one of 300VW's, with vid.avi and annot"
        )
    found: list[LabelledFace | Defect] = []
    for part in parts:
        try:
            faces, defects = _annotated(part)
        except DataError as error:
            found.append(Defect(str(part), f"cannot be read: {error}"))
        else:
            found += [*faces, *defects]
    return separate_defects(found)


def read_steadymark_csv(table: Path, video: Path, *, raw: bool = False) -> Dataset:
    """Read the CSV that `steadymark track` wrote for a video; rows of lost faces are skipped.

    The schema is the usual one with that many landmarks.

    Args:
        table: The CSV file.
        video: The video that was tracked.
        raw: Read the network's landmarks instead of the stabilized ones.

    Raises:
        DataError: The file is not of this format, or the video cannot be read.
    """
    try:
        with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            start = next(file, "").split()
            if start != [*CSV_START.split(), _CSV_FORMAT]:
                raise DataError(f"{table} does not begin with '{CSV_START} {_CSV_FORMAT}'")
            next(file, "")
            rows = list(csv.reader(file))
    except (OSError, csv.Error) as error:
        raise DataError(f"{table} cannot be read ({error}): check the name") from error
    header = [name.strip() for name in rows[0]] if rows else []
    read = _row_reader(table, header, Video(video), raw=raw)
    duplicates = _DuplicateCheck()
    return separate_defects(
        read_entry(LabelEntry(f"{table}, line {n},", partial(read, row, duplicates)))
        for n, row in enumerate(rows[1:], 4)
        if row and not (len(row) == len(header) and row[header.index("state")].strip() == "lost")
    )


class _DuplicateCheck:
    """Rejects a frame, or a face of a frame, that occurs twice."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, ...]] = set()

    def check(self, *key: int) -> None:
        if key in self._seen:
            raise ValueError("is of a frame that is there already")
        self._seen.add(key)


def _annotated(folder: Path) -> Dataset:
    files = label_files(folder / "annot")
    video = Video(_video_in(folder), as_shown=False)
    duplicates = _DuplicateCheck()
    found = [
        read_entry(LabelEntry(str(p), partial(_read_label, p, folder.name, video, duplicates)))
        for p in files
    ]
    faces = [f for f in found if isinstance(f, LabelledFace)]
    return Dataset(
        tuple(sorted(faces, key=lambda face: face.frame or 0)),
        tuple(d for d in found if isinstance(d, Defect)),
    )


def _video_in(folder: Path) -> Path:
    videos = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES]
    named = [p for p in videos if p.stem == "vid"] or videos
    if len(named) != 1:
        raise DataError(f"{folder} holds {len(named)} videos beside annot: leave one, vid.avi")
    return named[0]


def _read_label(path: Path, name: str, video: Video, duplicates: _DuplicateCheck) -> LabelledFace:
    if not (path.stem.isascii() and path.stem.isdigit()):
        raise ValueError("is not named by a frame's number, as 000001.pts is")
    number = int(path.stem) - 1
    _check_frame(number, video)
    face = _face(name, number, video, read_label(path), IBUG68)
    duplicates.check(number)
    return face


def _row_reader(
    table: Path, header: Sequence[str], video: Video, *, raw: bool
) -> Callable[[Sequence[str], _DuplicateCheck], LabelledFace]:
    """Return the function that reads one row of the file."""
    column_of = {name: i for i, name in enumerate(header)}
    prefix = "raw_" if raw else ""
    count = sum(name.startswith(f"{prefix}x_") for name in column_of)
    points = [f"{prefix}{axis}_{i}" for i in range(count) for axis in "xy"]
    missing = [name for name in ("frame", "face_id", "state", *points) if name not in column_of]
    if missing or not count:
        column = missing[0] if missing else f"{prefix}x_0"
        raise DataError(f"{table}, line 3: column '{column}' is missing: write the file again")
    schema = usual_schema(count, table)

    def read(row: Sequence[str], duplicates: _DuplicateCheck) -> LabelledFace:
        if len(row) != len(header):
            raise ValueError(f"has {len(row)} fields, {len(header)} are expected")
        try:
            number, face_id = int(row[column_of["frame"]]), int(row[column_of["face_id"]])
            xy = np.array([float(row[column_of[name]]) for name in points])
        except ValueError as error:
            raise ValueError(f"holds something that is no number ({error})") from error
        _check_frame(number, video)
        name = f"{table.stem}#{face_id}"
        face = _face(name, number, video, as_points(xy.reshape(-1, 2)), schema)
        duplicates.check(number, face_id)
        return face

    return read


def _check_frame(number: int, video: Video) -> None:
    if not 0 <= number < video.count:
        raise ValueError(f"is of frame {number} from 0, {video.path.name} has {video.count}")


def _face(name: str, number: int, video: Video, points: Points, schema: str) -> LabelledFace:
    face = LabelledFace(
        f"{name}:{number}",
        f"{video.path.parent.name}/{video.path.name}",
        VideoFrameImage(video, number),
        points,
        schema,
        sequence=name,
        frame=number,
    )
    check_points(points, video.width, video.height)
    return face
