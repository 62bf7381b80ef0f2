"""Finds the video, the table and the project that belong to a file."""

from __future__ import annotations

import glob
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import LandmarkFileError, SourceError, UsageError
from steadymark.engine.output.csv.columns import column_faults, read_head
from steadymark.engine.output.csv.row_parsing import lines_of, open_text
from steadymark.engine.output.output_paths import PARTIAL
from steadymark.engine.output.read_table import read_by_format, read_table
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.review.project import Project, VideoReference
from steadymark.engine.review.project_file import SUFFIX, project_path, read_project
from steadymark.engine.sources.input_paths import VIDEO_SUFFIXES
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.engine.output.csv.columns import TableHead
    from steadymark.engine.output.csv.landmark_table import LandmarkTable

# what exports add to the name of a video, besides the suffix
_ENDINGS = ("_reviewed", "_openface")


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedFile:
    """A tracked video with its review.

    Attributes:
        table_path: The table of its landmarks.
        table: The landmarks.
        project: Its project; an empty one if it has none.
        video: The video; None if it was not found.
    """

    table_path: Path
    table: LandmarkTable
    project: Project
    video: Path | None


def find_reviewed(path: Path, video: Path | None = None) -> ReviewedFile:
    """Find what belongs to a table, a video or a project.

    A table, a video and a project belong together if they have the same name and lie in the same
    folder, or the table in a folder beside the others. A project may also name its video and
    tables.

    Args:
        path: A table (`talk.csv`), a video (`talk.mp4`) or a project (`talk.steadymark`).
        video: The video, if it is known where it lies.

    Returns:
        The table with its project and its video.

    Raises:
        LandmarkFileError: The table or the project cannot be read, or they do not fit.
        UsageError: There is no table for it.
    """
    project_file = _project_of(path) or (None if video is None else _project_of(video))
    project = None if project_file is None else read_project(project_file)
    table = path if is_table(path) else _table_of(path, project)
    loaded = read_table(table)
    source = loaded.header.get("source")
    if table.stem.endswith(PARTIAL) and isinstance(source, dict):
        # The frames after its last one were not tracked, which does not make them damaged.
        loaded = replace(loaded, header={**loaded.header, "source": {**source, "frames": None}})
    named = _source_names(loaded.header)
    if project is not None:
        named.insert(0, project.video.path)
    if video is None:
        video = path if path.suffix.lower() in VIDEO_SUFFIXES else _video_of(table, named)
    project = project or Project(VideoReference((video or table).name))
    check_corrections(project, loaded.xy_px.shape[1])
    return ReviewedFile(table, loaded, _with_size(project, video), video)


def is_table(path: Path) -> bool:
    """Return whether a file has the suffix of a table of landmarks."""
    return path.suffix.lower() in {one.suffix for one in TABLE_FORMATS.all() if one.is_readable}


def is_project(path: Path) -> bool:
    """Return whether a file has the suffix of a project."""
    return path.suffix.lower() == SUFFIX


def holds_results(path: Path) -> bool:
    """Return whether a file is a table with landmarks of tracked faces, without reading its rows.

    Ground truth with other columns is none.
    """
    if not (is_table(path) and path.is_file()):
        return False
    try:
        return read_by_format(path) is not None or not column_faults(_head(path))
    except LandmarkFileError:
        return False


def video_of(path: Path) -> Path | None:
    """Find the video of a table or a project, without reading the rows of a CSV file.

    The video of a table has the name that the table's header tells, or the name of the table, and
    lies in the folder of the table or in the one above. A project names its video.

    Args:
        path: The table or the project.

    Returns:
        The video or the folder of images; None if it was not found.

    Raises:
        LandmarkFileError: The file is neither a table of landmarks nor a project that can be read.
    """
    if is_project(path):
        named = path.parent / read_project(path).video.path
        return named if named.exists() and named != path.parent else _video_of(path, [])
    read = read_by_format(path)
    header = _head(path).header if read is None else read.header
    return _video_of(path, _source_names(header))


def _head(table: Path) -> TableHead:
    """Read the lines above the first row of a CSV file."""
    with open_text(table) as file:
        try:
            return read_head(lines_of(file))
        except (LandmarkFileError, OSError) as error:
            raise LandmarkFileError("{path}, {fault}", path=table, fault=error) from error


def project_tables(path: Path, project: Project) -> list[Path]:
    """Return the tables that a project lists, whether they exist or not.

    Args:
        path: The file of the project.
        project: The project.
    """
    return [path.parent / one for one in project.tables]


def _source_names(header: Mapping[str, object]) -> list[str]:
    """Return the name of the video that the header of a table tells, if it tells any."""
    source = header.get("source")
    return [str(source.get("name", ""))] if isinstance(source, dict) else []


def _project_of(path: Path) -> Path | None:
    if is_project(path):
        return path
    beside = project_path(path)
    above = beside.parent.absolute().parent / beside.name
    return next((one for one in (beside, above) if one.is_file()), None)


def _table_of(path: Path, project: Project | None) -> Path:
    named = project_tables(path, project) if project else []
    beside = [path.with_suffix(ending) for ending in (".csv", ".openface.csv")]
    below = sorted(path.absolute().parent.glob(f"*/{glob.escape(path.stem)}.csv"))
    found = next((one for one in (*named, *beside, *below) if one.is_file()), None)
    if found is None:
        raise UsageError(
            "{path} has no table of landmarks beside it: track it first (steadymark track {path} "
            "--out {folder}), or name the table",
            path=path,
            folder=path.parent,
        )
    return found


def _video_of(table: Path, named: list[str]) -> Path | None:
    """Return the video of a table, by the names that are told and by the table's own name.

    A name that is told may also be that of a folder of images.
    """
    first = table.name.partition(".")[0]
    stems = [table.stem, first]
    stems += [first.removesuffix(end) for end in _ENDINGS if first.endswith(end)]
    told = [Path(name).name for name in named if Path(name).name]
    files = [stem + suffix for stem in stems for suffix in sorted(VIDEO_SUFFIXES)]
    folder = table.absolute().parent
    places = [place / name for place in (folder, folder.parent) for name in told]
    places += [Path(name) for name in named if Path(name).is_absolute()]
    beside = [place / name for place in (folder, folder.parent) for name in files]
    others = (one for one in (*places, *beside) if not _same(one, table))
    return next((one for one in others if one.is_file() or (one in places and one.is_dir())), None)


def _with_size(project: Project, video: Path | None) -> Project:
    """Return a project that knows the size of the frames, which head poses need, if it can.

    Raises:
        LandmarkFileError: The project was made for a video of another size.
    """
    known = project.video
    if video is None or not video.is_file():
        return project
    try:
        file = VideoFile(video)
    except (SourceError, UsageError):
        return project
    info = file.info
    file.close()
    if known.width and known.height and (known.width, known.height) != (info.width, info.height):
        raise LandmarkFileError(
            "the project of {video} was made for a video of {made} pixels, and this one has "
            "{found}: put the project beside the video that it belongs to",
            video=video.name,
            made=f"{known.width}×{known.height}",
            found=f"{info.width}×{info.height}",
        )
    return replace(project, video=replace(known, width=info.width, height=info.height))


def check_corrections(project: Project, count: int) -> None:
    """Check that a project corrects only landmarks that there are.

    Args:
        project: The project.
        count: The number of landmarks of a face.

    Raises:
        LandmarkFileError: It corrects a landmark with another number.
    """
    for one in project.corrections:
        largest = max((landmark for landmark, *_ in one.points), default=0)
        if largest >= count:
            raise LandmarkFileError(
                "the project corrects landmark {landmark} of face {face} in frame {frame}, and the "
                "landmarks are 0 to {last}: remove this correction",
                landmark=largest,
                face=one.face_id,
                frame=one.frame,
                last=count - 1,
            )


def _same(one: Path, other: Path) -> bool:
    return one.absolute() == other.absolute()
