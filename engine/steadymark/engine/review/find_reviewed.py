"""Finds the video, the table and the project that belong to a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.output_paths import PARTIAL
from steadymark.engine.output.read_table import read_table
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.review.project import Project, VideoReference
from steadymark.engine.review.project_file import SUFFIX, project_path, read_project
from steadymark.engine.sources.input_paths import VIDEO_SUFFIXES

if TYPE_CHECKING:
    from steadymark.engine.output.csv.landmark_table import LandmarkTable


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
        LandmarkFileError: The table or the project cannot be read.
        UsageError: There is no table for it.
    """
    is_table = path.suffix.lower() in {one.suffix for one in TABLE_FORMATS.all()} | {".csv"}
    project_file = _project_of(path) or (None if video is None else _project_of(video))
    project = None if project_file is None else read_project(project_file)
    table = path if is_table else _table_of(path, project)
    loaded = read_table(table)
    source = loaded.header.get("source")
    if table.stem.endswith(PARTIAL) and isinstance(source, dict):
        # The frames after its last one were not tracked, which does not make them damaged.
        loaded = replace(loaded, header={**loaded.header, "source": {**source, "frames": None}})
    named = [str(source.get("name", ""))] if isinstance(source, dict) else []
    if project is not None:
        named.insert(0, project.video.path)
    if video is None:
        video = path if path.suffix.lower() in VIDEO_SUFFIXES else _video_of(table, named)
    empty = Project(VideoReference((video or table).name))
    return ReviewedFile(table, loaded, project or empty, video)


def _project_of(path: Path) -> Path | None:
    if path.suffix == SUFFIX:
        return path
    beside = project_path(path)
    above = beside.parent.absolute().parent / beside.name
    return next((one for one in (beside, above) if one.is_file()), None)


def _table_of(path: Path, project: Project | None) -> Path:
    named = [path.parent / one for one in (project.tables if project else ())]
    beside = [path.with_suffix(ending) for ending in (".csv", ".openface.csv")]
    found = next((one for one in (*named, *beside) if one.is_file()), None)
    if found is None:
        raise UsageError(
            "{path} has no table of landmarks beside it: track it first (steadymark track {path} "
            "--out {folder}), or name the table",
            path=path,
            folder=path.parent,
        )
    return found


def _video_of(table: Path, named: list[str]) -> Path | None:
    """Return the video of a table, by the names that are told and by the table's own name."""
    stem = table.name.partition(".")[0]
    names = [Path(name).name for name in named if name]
    names += [stem + suffix for suffix in sorted(VIDEO_SUFFIXES)]
    folders = table.absolute().parent, table.absolute().parents[1]
    candidates = [folder / name for folder in folders for name in names]
    candidates += [Path(name) for name in named if name]
    return next((one for one in candidates if one.is_file() and one != table), None)
