"""A table sink that smooths landmarks with a filter that needs the whole video."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.core.protocols import more_paths
from steadymark.engine.core.types import Landmarks
from steadymark.engine.output.output_paths import cannot_write, partial_of
from steadymark.engine.stabilizers.filter_runner import run_filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.protocols import OfflineFilter, Sink
    from steadymark.engine.core.types import SourceInfo, TrackResult

_SMOOTH = ".smooth"  # in the names of files that replace those of the raw rows


class OfflineFilterSink:
    """Writes raw landmarks during tracking, and replaces them by smoothed ones at the end.

    If the program is killed or the disk is full, the raw rows remain under the temporary or partial
    name.

    Args:
        path: Final path of the table.
        make: Creates the sink of a table from the path of its file.
        point_filter: The filter.
    """

    def __init__(
        self, path: Path, make: Callable[[Path], Sink], point_filter: OfflineFilter
    ) -> None:
        self._make, self._filter = make, point_filter
        self._sink, self._path = make(path), path
        self._info: SourceInfo | None = None
        self._results: list[TrackResult] = []
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

    def write(self, result: TrackResult) -> None:
        self._sink.write(result)
        self._results.append(result.without_image())

    def close(self, *, complete: bool) -> None:
        info, self._info = self._info, None
        results, self._results = self._results, []
        if info is None or not results:
            self._sink.close(complete=complete)
            self._path, self._more = Path(self._sink.path), more_paths(self._sink)
            return
        final = self._path
        self._sink.close(complete=False)
        raw = self._path = Path(self._sink.path)
        smooth = self._make(final.with_name(f"{final.stem}{_SMOOTH}{final.suffix}"))
        try:
            smooth.open(info)
            for result in filter_table(results, self._filter):
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


def _replace_more(raw: Sink, smooth: Sink, *, complete: bool) -> tuple[str, ...]:
    """Replace the further files of the raw rows, and return the paths of the new ones."""
    replaced = []
    for path in map(Path, more_paths(smooth)):
        final = path.with_name(path.name.replace(_SMOOTH, "", 1))
        replaced.append(str(path.replace(final if complete else partial_of(final))))
    for path in map(Path, more_paths(raw)) if complete else ():
        path.unlink(missing_ok=True)
    return tuple(replaced)


def filter_table(results: list[TrackResult], point_filter: OfflineFilter) -> list[TrackResult]:
    """Replace each face's stabilized landmarks by its filtered raw landmarks.

    Args:
        results: The results of all frames.
        point_filter: The filter.

    Returns:
        New results; attributes are computed again from the filtered landmarks.
    """
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
                faces[i][j] = with_points(face, filtered)
    return [replace(r, faces=tuple(f)) for r, f in zip(results, faces, strict=True)]
