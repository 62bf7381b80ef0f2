"""A table sink for what is only known when a whole video is tracked.

These are the results of filters that need future frames, and the persons' faces at rest.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.core.protocols import more_paths
from steadymark.engine.core.types import Landmarks
from steadymark.engine.face3d.face_at_rest import FACE_AT_REST, Moments
from steadymark.engine.output.csv.result_file import ResultFile
from steadymark.engine.output.output_paths import cannot_write, partial_of
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.stabilizers.filter_runner import run_filter
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from steadymark.engine.core.protocols import OfflineFilter, Sink
    from steadymark.engine.core.types import SourceInfo, TrackedFace, TrackResult
    from steadymark.engine.face3d.face_basis import Floats
    from steadymark.engine.output.csv.native_csv import Header
    from steadymark.models.face.schema import LandmarkSchema

_SMOOTH = ".smooth"  # in the names of files that replace those of the rows as they were tracked


class WholeRecordingSink:
    """Writes rows during tracking, and replaces them at the end by what the whole video tells.

    If the program is killed or the disk is full, the rows as they were tracked remain under the
    temporary or partial name. They also remain if tracking is interrupted, unless a filter has to
    run over them.

    Args:
        path: Final path of the table.
        make: Creates the sink of a table from the path of its file.
        point_filter: The filter over landmarks that needs future frames; None if there is none.
        make_final: Creates the sink of a complete table, whose 3D faces are those of the whole
            recording; None if they stay as they were tracked.
    """

    def __init__(
        self,
        path: Path,
        make: Callable[[Path], Sink],
        point_filter: OfflineFilter | None = None,
        *,
        make_final: Callable[[Path], Sink] | None = None,
    ) -> None:
        self._make, self._filter, self._make_final = make, point_filter, make_final
        self._sink, self._path = make(path), path
        self._info: SourceInfo | None = None
        self._kept: ResultFile | None = None
        self._moments = Moments()
        self._more: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return str(self._path)

    @property
    def more_paths(self) -> tuple[str, ...]:
        return self._more

    def open(self, info: SourceInfo) -> None:
        self._sink.open(info)
        self._info = info
        try:
            self._kept = ResultFile(self._path.parent)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def write(self, result: TrackResult) -> None:
        self._sink.write(result)
        self._moments.add_faces(result)
        if self._kept is not None:
            try:
                self._kept.add(result)
            except OSError as error:
                raise cannot_write(self._path, error) from error

    def close(self, *, complete: bool) -> None:
        info, self._info = self._info, None
        kept, self._kept = self._kept, None
        try:
            if info is None or kept is None or not self._is_finished_later(complete=complete):
                self._sink.close(complete=complete)
                self._path, self._more = Path(self._sink.path), more_paths(self._sink)
            else:
                self._finish(info, kept, complete=complete)
        finally:
            if kept is not None:
                kept.close()

    def _is_finished_later(self, *, complete: bool) -> bool:
        return self._filter is not None or (complete and self._make_final is not None)

    def _finish(self, info: SourceInfo, kept: ResultFile, *, complete: bool) -> None:
        final = self._path
        self._sink.close(complete=False)
        raw = self._path = Path(self._sink.path)
        make_final = self._make_final if complete else None
        identities = {} if make_final is None else self._moments.identities()
        smooth = (make_final or self._make)(final.with_name(f"{final.stem}{_SMOOTH}{final.suffix}"))
        with _named_as(final):
            try:
                smooth.open(info)
                for result in finished_results(kept.results(), self._filter, identities):
                    smooth.write(result)
            except SteadymarkError:
                smooth.close(complete=False)
                for path in (smooth.path, *more_paths(smooth)):  # the raw rows are kept instead
                    Path(path).unlink(missing_ok=True)
                raise
            smooth.close(complete=True)
        target = final if complete else raw
        try:
            Path(smooth.path).replace(target)
            self._path = target
            if complete:
                raw.unlink(missing_ok=True)
            self._more = _replace_more(self._sink, smooth, complete=complete)
        except OSError as error:
            raise cannot_write(target, error) from error


@contextmanager
def _named_as(final: Path) -> Iterator[None]:
    """Name the table that the user knows in errors about the file that is to replace it."""
    try:
        yield
    except SteadymarkError as error:
        fields = {
            name: value.replace(f"{final.stem}{_SMOOTH}", final.stem)
            if isinstance(value, str) and not isinstance(value, UserText)
            else value
            for name, value in error.sentence.fields.items()
        }
        raise type(error)(error.sentence.template, **fields) from error


def table_sink(
    path: Path,
    header: Header,
    schema: LandmarkSchema,
    table: str,
    point_filter: OfflineFilter | None = None,
) -> Sink:
    """Return the sink of a table, which is written anew at the end if it needs the whole video.

    Args:
        path: Final path of the table.
        header: Header of the complete table.
        schema: The landmark schema.
        table: Name of the table's format.
        point_filter: The filter over landmarks that needs future frames; None if there is none.
    """

    def maker(head: Header) -> Callable[[Path], Sink]:
        return lambda path: TABLE_FORMATS.find(table).sink(path, head, schema)

    make = maker(header)
    if FACE_AT_REST in header.settings:
        tracked = maker(header.while_tracking)
        return WholeRecordingSink(path, tracked, point_filter, make_final=make)
    return make(path) if point_filter is None else WholeRecordingSink(path, make, point_filter)


def _replace_more(raw: Sink, smooth: Sink, *, complete: bool) -> tuple[str, ...]:
    """Replace the further files of the raw rows, and return the paths of the new ones."""
    replaced = []
    for path in map(Path, more_paths(smooth)):
        final = path.with_name(path.name.replace(_SMOOTH, "", 1))
        replaced.append(str(path.replace(final if complete else partial_of(final))))
    for path in map(Path, more_paths(raw)) if complete else ():
        path.unlink(missing_ok=True)
    return tuple(replaced)


def finished_results(
    results: Iterable[TrackResult],
    point_filter: OfflineFilter | None = None,
    identities: Mapping[int, Floats] | None = None,
) -> Iterator[TrackResult]:
    """Compute what is only known when a whole video is tracked.

    Args:
        results: The results of all frames.
        point_filter: A filter that runs over each face's raw landmarks; None keeps the stabilized
            ones.
        identities: The (M,) identities of the 3D faces, by the numbers of the faces. The others
            keep what they were tracked with.

    Yields:
        The results of the frames with attributes that are computed again.
    """
    known = identities or {}
    for result in results if point_filter is None else _filtered(list(results), point_filter):
        faces = (_finished_face(face, known.get(face.face_id)) for face in result.faces)
        yield replace(result, faces=tuple(faces))


def _finished_face(face: TrackedFace, identity: Floats | None) -> TrackedFace:
    """Return a face with attributes that are computed again, with an identity if it is known."""
    stabilized = face.stabilized
    if face.attributes is None or stabilized is None:
        return face
    if identity is not None:
        context = replace(face.attributes.context, identity=identity)
        face = replace(face, attributes=replace(face.attributes, context=context))
    return with_points(face, stabilized)


def _filtered(results: list[TrackResult], point_filter: OfflineFilter) -> list[TrackResult]:
    """Replace each face's stabilized landmarks by its filtered raw landmarks."""
    # face id → indices of result and face
    rows: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for i, result in enumerate(results):
        for j, face in enumerate(result.faces):
            rows[face.face_id].append((i, j))
    faces = [list(result.faces) for result in results]
    for places in rows.values():
        seen = [faces[i][j] for i, j in places]
        count = max(len(face.raw.score) if face.raw else 0 for face in seen)
        points = np.full((len(seen), count, 2), np.nan)
        for row, face in zip(points, seen, strict=True):
            if face.raw is not None:
                row[:] = face.raw.xy_px
        times = np.array([results[i].frame.pts_s for i, _ in places])
        smoothed = run_filter(point_filter, points, times)
        for (i, j), face, xy in zip(places, seen, smoothed, strict=True):
            if face.raw is not None:
                filtered = Landmarks(xy.astype(np.float32), face.raw.score)
                faces[i][j] = replace(face, stabilized=filtered)
    return [replace(r, faces=tuple(f)) for r, f in zip(results, faces, strict=True)]
