"""Landmark tables as results of a recording, without tracking it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.recording.results import Results
from steadymark.engine.attributes.attribute_registry import attributes_from
from steadymark.engine.attributes.attribute_rows import (
    attributes_of_rows,
    raw_or_stabilized,
    rows_of_table,
)
from steadymark.engine.core.errors import LandmarkFileError, SourceError
from steadymark.engine.core.types import (
    FaceBox,
    FaceState,
    FrameTime,
    Intrinsics,
    Landmarks,
    TrackedFace,
    TrackResult,
)
from steadymark.engine.face3d.face_at_rest import is_of_recording
from steadymark.engine.output.csv.native_csv import Header
from steadymark.engine.output.read_table import read_table
from steadymark.engine.pipeline.fingerprint import source_digest
from steadymark.engine.review.find_reviewed import project_tables
from steadymark.engine.review.project_file import read_project
from steadymark.models.face.schema import USUAL_SCHEMAS, load_schema
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from steadymark.engine.core.types import FaceContext, SourceInfo
    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.models.face.crop import Crop, Points

    CropOf = Callable[[Points], Crop]

_MOST_FACES, _LARGEST_ID, _FARTHEST_PX = 1000, 10**6, 1e6


@dataclass(frozen=True, slots=True, eq=False)
class TableResults:
    """The results that a table holds of a recording.

    Attributes:
        path: The table.
        results: Its results. Frames without a row are left out, see `FrameStatus`.
        header: How the table was made; exports of the results tell it.
        note: What does not fit the recording, in one sentence, or nothing.
    """

    path: Path
    results: Results
    header: Header
    note: UserText = NOTHING

    def check_source(
        self, video: str, tell: Callable[[UserText], object], *, stop: Callable[[], bool]
    ) -> None:
        """Tell if the file of the video is not the one that the table was made of.

        Args:
            video: The path of the recording.
            tell: Receives the sentence.
            stop: Returns whether the answer is no longer needed.
        """
        wanted = self.header.source_sha256
        if wanted is None or not Path(video).is_file():
            return
        try:
            digest = source_digest(video, stop=stop)
        except SourceError:
            return  # the player tells it
        if digest not in (None, wanted):
            tell(
                UserText(
                    "{video} is not the file that {table} was made of: the landmarks may lie "
                    "beside the face.",
                    video=Path(video).name,
                    table=self.path.name,
                )
            )


def read_table_results(
    path: Path,
    info: SourceInfo,
    times_s: NDArray[np.float64],
    crop_of: Mapping[str, CropOf] | None = None,
) -> TableResults:
    """Read a table as results of a recording.

    Args:
        path: The table, in any format that can be read.
        info: The recording.
        times_s: (frames,), the times of its frames in seconds.
        crop_of: Computes the crop of a face from its raw landmarks, by the name of the schema.

    Returns:
        The results of the frames that the recording has.

    Raises:
        LandmarkFileError: The table cannot be read, or nothing in it fits the recording.
    """
    table = _in_order(read_table(path))
    name = table.schema or USUAL_SCHEMAS.get(table.xy_px.shape[1], "")
    if not name:
        raise LandmarkFileError(
            "{table} has {count} landmarks, and it is not known which ones: the window shows "
            "{known}",
            table=path.name,
            count=table.xy_px.shape[1],
            known=", ".join(USUAL_SCHEMAS.values()),
        )
    table, note = _fitting(_whole_faces(table, path), path, info, times_s)
    header = Header.of_fields(table.header)
    focal = header.settings.get("focal_px")
    known = float(focal) if isinstance(focal, int | float) and 0 < focal < _FARTHEST_PX else None
    camera = Intrinsics(info.width, info.height, known)
    results = Results(times_s, load_schema(name))
    results.begin_segment()
    for result in results_in(table, name, camera, crop_of=(crop_of or {}).get(name)):
        results.add(result)
    results.leave_out_unknown()
    results.of_recording = is_of_recording(table.header.get("settings"))
    return TableResults(path, results, header, note)


def results_of_project(
    project: Path, read: Callable[[Path], TableResults]
) -> tuple[TableResults | None, UserText]:
    """Read the first table that a project lists and that can be used.

    Args:
        project: The file of the project, which need not exist.
        read: Reads a table.

    Returns:
        The results, or None. If a table is listed and none can be used, also a sentence that says
        so. A project that cannot be read has none: the review tells it.
    """
    try:
        tables = project_tables(project, read_project(project)) if project.is_file() else []
    except LandmarkFileError:
        return None, NOTHING
    note = NOTHING
    for table in tables:
        try:
            return read(table), NOTHING
        except LandmarkFileError as error:
            note = note or UserText(
                "The table of the project cannot be used, so the video is tracked: {fault}",
                fault=error,
            )
    return None, note


def results_in(
    table: LandmarkTable,
    schema: str,
    camera: Intrinsics | None,
    *,
    crop_of: CropOf | None = None,
) -> Iterator[TrackResult]:
    """Yield the results that a table holds, without pictures and scene cuts, which it lacks.

    A result counts as restarted at least where the frame numbers have a gap.

    Args:
        table: The table; the rows of a frame follow each other.
        schema: The name of its schema.
        camera: The camera of the recording, for head poses.
        crop_of: Computes the crop of a face from its raw landmarks; None leaves crops out.

    Yields:
        The result of each frame.
    """
    tracked = rows_of_table(table, schema, camera)
    if not np.isfinite(table.pose).any():
        computed = attributes_of_rows(tracked, table.xy_px)
        known = np.where(np.isfinite(table.attributes), table.attributes, computed)
        table = replace(table, attributes=known)
    if not len(table):
        return
    last = -2
    starts = [0, *(np.flatnonzero(np.diff(table.frame)) + 1).tolist(), len(table)]
    for first, end in pairwise(starts):
        frame = FrameTime(int(table.frame[first]), float(table.timestamp_s[first]))
        faces = (
            _face(table, row, tracked.context(row))
            for row in range(first, end)
            if table.face_id[row] >= 0
        )
        if crop_of is not None:
            faces = (_with_crop(face, crop_of) for face in faces)
        yield TrackResult(frame, tuple(faces), restarted=frame.index != last + 1)
        last = frame.index


def _in_order(table: LandmarkTable) -> LandmarkTable:
    """Return the rows by frame and face; of two rows of a face in a frame, the first one stays."""
    order = np.lexsort((table.face_id, table.frame))
    frame, face = table.frame[order], table.face_id[order]
    again = np.zeros(len(order), np.bool_)
    again[1:] = (np.diff(frame) == 0) & (np.diff(face) == 0)
    return table.select(order[~again])


def _whole_faces(table: LandmarkTable, path: Path) -> LandmarkTable:
    """Return a table in which each face has raw and stabilized landmarks, or is lost.

    Tables of OpenFace have no raw landmarks: they are the stabilized ones then.
    """
    faces = np.unique(table.frame, return_counts=True)[1].max(initial=0)
    if table.face_id.max(initial=0) > _LARGEST_ID or faces > _MOST_FACES:
        raise LandmarkFileError(
            "{table} has more faces than a video can show: check its column 'face_id'",
            table=path.name,
        )
    raw = table.raw_xy_px
    raw = raw_or_stabilized(raw, table.xy_px)
    near = np.isfinite(table.xy_px) & (np.abs(table.xy_px) < _FARTHEST_PX)
    near &= np.abs(raw) < _FARTHEST_PX
    state = np.where(near.all((1, 2)), table.state, np.str_(FaceState.LOST))
    return replace(table, raw_xy_px=raw, state=state)


def _fitting(
    table: LandmarkTable, path: Path, info: SourceInfo, times_s: NDArray[np.float64]
) -> tuple[LandmarkTable, UserText]:
    """Return the rows of frames that a recording has, and a sentence if something does not fit.

    Raises:
        LandmarkFileError: Nothing fits.
    """
    video, frames = info.name, len(times_s)
    if not len(table):
        raise LandmarkFileError("{table} has no rows: there is nothing to show", table=path.name)
    inside = table.frame < frames
    if not inside.any():
        raise LandmarkFileError(
            "{table} does not fit {video}: it begins at frame {first}, and the video has {frames} "
            "frames",
            table=path.name,
            video=video,
            first=int(table.frame.min()),
            frames=frames,
        )
    kept = table.select(inside)
    seen = kept.state != FaceState.LOST
    if seen.any() and not (seen & _touches(kept, info)).any():
        raise LandmarkFileError(
            "{table} does not fit {video}: its faces lie outside the picture of {width} × {height} "
            "pixels",
            table=path.name,
            video=video,
            width=info.width,
            height=info.height,
        )
    if not inside.all():
        return kept, UserText(
            "{table} has more frames than {video}: those after frame {last} are not shown.",
            table=path.name,
            video=video,
            last=frames - 1,
        )
    return kept, _doubt(kept, path, info, times_s)


def _doubt(
    table: LandmarkTable, path: Path, info: SourceInfo, times_s: NDArray[np.float64]
) -> UserText:
    """Return why a table may be of another recording that has its frames, or nothing."""
    seen = table.state != FaceState.LOST
    if (seen & ~_touches(table, info)).any():
        return UserText(
            "Some faces of {table} lie outside the picture of {video} ({width} × {height} pixels): "
            "the table may be of another video.",
            table=path.name,
            video=info.name,
            width=info.width,
            height=info.height,
        )
    apart_s = float(np.median(np.abs(table.timestamp_s - times_s[table.frame])))
    if apart_s > 1 / (info.fps or 25.0):
        return UserText(
            "The times of {table} and {video} differ by {apart:.2f} s: the table may be of another "
            "video.",
            table=path.name,
            video=info.name,
            apart=apart_s,
        )
    return NOTHING


def _touches(table: LandmarkTable, info: SourceInfo) -> NDArray[np.bool_]:
    """Return whether a landmark of each row lies in the picture, (N,)."""
    size = np.array([info.width, info.height])
    with np.errstate(invalid="ignore"):
        inside = (table.xy_px >= 0) & (table.xy_px < size)
    return np.asarray(np.any(np.all(inside, axis=2), axis=1))


def _with_crop(face: TrackedFace, crop_of: CropOf) -> TrackedFace:
    if face.raw is None or np.ptp(face.raw.xy_px, axis=0).min() < 1:
        return face  # too small for a crop
    return replace(face, crop=crop_of(face.raw.xy_px))


def _face(table: LandmarkTable, row: int, context: FaceContext) -> TrackedFace:
    face_id, state = int(table.face_id[row]), FaceState(str(table.state[row]))
    if state is FaceState.LOST:
        return TrackedFace(face_id, state, 0.0)
    score, points = float(table.score[row]), table.point_score[row]
    left, top, width, height = (float(v) for v in table.box[row])
    return TrackedFace(
        face_id,
        state,
        score,
        FaceBox(left, top, width, height, score) if np.isfinite(left) else None,
        Landmarks(table.raw_xy_px[row], points),
        Landmarks(table.xy_px[row], points),
        attributes=attributes_from(table.attributes[row].tolist(), context),
    )
