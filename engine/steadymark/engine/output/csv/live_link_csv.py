"""The CSV file of Epic's Live Link Face app, which Unreal, Blender and Maya import."""

from __future__ import annotations

import logging
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.expressions.expression_settings import AS_MEASURED, character_face
from steadymark.engine.expressions.live_link_values import COLUMNS, live_link_values, timecode
from steadymark.engine.output.csv.row_file import RowFile
from steadymark.engine.output.output_paths import face_file
from steadymark.engine.output.table_formats import TABLE_FORMATS, TableFormat
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import SourceInfo, TrackedFace, TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings

log = logging.getLogger(__name__)
MOST_PEOPLE = 64  # files of one recording
_NOBODY = ",".join(("0", *("0.0",) * len(COLUMNS)))
_HEADER = ",".join(("Timecode", "BlendShapeCount", *COLUMNS)) + "\n"
_BLOCK = 4096  # rows that are written at once


class LiveLinkCsvSink:
    """Writes a file for each face: `Timecode,BlendShapeCount,EyeBlinkLeft,…,RightEyeRoll`.

    The face that is seen first (of several, the one with the lowest id) gets the file of the given
    name, and each other face `NAME_face3.csv` with its id. All files have a row for every frame, so
    that programs that count rows stay in time with the picture. A row without the face, or in which
    its pose is unknown, has the count 0 and only zeros: importers read numbers only. The 65th face
    and all after it have no file.

    Args:
        path: Path of the first face's file.
        expressions: Settings of the shapes, and whether the character is mirrored.
    """

    def __init__(self, path: str | Path, expressions: ExpressionSettings = AS_MEASURED) -> None:
        self._path, self._expressions = Path(path), expressions
        self._first = RowFile(self._path)
        self._files: dict[int, RowFile] = {}
        self._times_s = array("d")
        self._live = False

    @property
    def path(self) -> str:
        return str(self._first.path)

    @property
    def more_paths(self) -> tuple[str, ...]:
        """The paths of the files of all faces but the first."""
        return tuple(str(file.path) for file in self._files.values() if file is not self._first)

    def open(self, info: SourceInfo) -> None:
        self._live = info.live
        self._first.open(live=info.live)
        self._first.add(_HEADER)

    def write(self, result: TrackResult) -> None:
        faces = {face.face_id: face for face in result.faces if face.stabilized is not None}
        for face_id in sorted(faces.keys() - self._files.keys()):
            self._add_file(face_id)
        time_s = result.frame.pts_s
        start = f"{timecode(time_s)},"
        if not self._files:
            self._first.add(f"{start}{_NOBODY}\n")
        for face_id, file in self._files.items():
            file.add(f"{start}{self._row(faces.get(face_id))}\n")
        self._times_s.append(time_s)

    def close(self, *, complete: bool) -> None:
        self._first.close(complete=complete)
        for file in self._files.values():
            file.close(complete=complete)

    def _add_file(self, face_id: int) -> None:
        """Begin the file of a face, with a row for each frame before it was seen."""
        if not self._files:
            self._files[face_id] = self._first
            return
        if len(self._files) >= MOST_PEOPLE:
            log.warning("%s: no Live Link file for face %d", self._path.name, face_id)
            return
        file = RowFile(face_file(self._path, face_id))
        file.open(live=self._live)
        self._files[face_id] = file
        file.add(_HEADER)
        for first in range(0, len(self._times_s), _BLOCK):
            times_s = self._times_s[first : first + _BLOCK]
            file.add("".join(f"{timecode(time_s)},{_NOBODY}\n" for time_s in times_s))

    def _row(self, face: TrackedFace | None) -> str:
        shown = None if face is None else character_face(face, self._expressions)
        if shown is None:
            return _NOBODY
        values = live_link_values(shown)
        return f"{len(COLUMNS)}," + ",".join(f"{value:.8f}" for value in values.tolist())


TABLE_FORMATS.add(
    TableFormat(
        "livelink",
        UserText("animation for Live Link Face (CSV)"),
        UserText("Expressions and head rotation for Unreal, Blender and Maya, a file per face."),
        lambda path, header, _: LiveLinkCsvSink(path, header.expressions),
        export_ending="_livelink.csv",
        schemas=IBUG_ORDER,
        animation=True,
        one_per_face=True,
    )
)
