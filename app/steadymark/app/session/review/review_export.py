"""Exports of the review: doubtful stretches, reviewed tables, and statistics of intervals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.app.session.export import (
    Export,
    ExportKind,
    ExportRequest,
    ExportSource,
    table_header,
)
from steadymark.app.session.recording.results import FrameStatus
from steadymark.app.session.review.doubts_worker import doubtful_of
from steadymark.app.session.review.results_table import whole_table
from steadymark.app.session.review.stretch_rows import stretch_rows
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.labelled_pictures import labels_of, write_labelled_pictures
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.review.doubtful_stretches import DoubtLimits
from steadymark.engine.review.export_reviewed import ExportOptions, export_reviewed, person_files
from steadymark.engine.review.interval_statistics import interval_statistics, write_statistics
from steadymark.engine.review.reviewed_table import reviewed
from steadymark.engine.review.stretch_table import (
    person_name,
    stretch_fields,
    write_stretches,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from steadymark.app.session.recording.results import Results
    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.engine.review.project import Project

    TableOf = Callable[[], LandmarkTable]
    ReviewWriter = Callable[[Path, Results, TableOf], Path]


class ReviewExport(Export):
    """One export of the review, which works on the rows that a table export would write.

    Args:
        path: The file.
        source_data: The data of the export.
        write: Writes the file from its path, the results, and a function that returns their table,
            and returns the path of what it wrote.
        on_change: Is called from the thread when the report changed. It must return immediately.
    """

    def __init__(
        self,
        path: Path,
        source_data: ExportSource,
        write: ReviewWriter,
        on_change: Callable[[], None],
    ) -> None:
        request = ExportRequest(ExportKind.REVIEW, path, DrawOptions(schema=""))
        super().__init__(request, source_data, on_change)
        self._write_review = write

    def _write(self) -> None:
        source, path = self._source, self._request.path
        results = source.filtered_results()

        def table() -> LandmarkTable:
            head = json.loads(table_header(source, results).line(results.schema))
            return whole_table(results, head, source.info.image_names)

        written = self._write_review(path, results, table)
        missing = bool((results.frame_status() == FrameStatus.UNKNOWN).any())
        self._update_report(path=str(written), partial=missing, segment_count=results.segment_count)


def stretches_writer(project: Project, name: str) -> ReviewWriter:
    """Return what writes the doubtful stretches with the user's decisions.

    Args:
        project: The project.
        name: The name of the recording.
    """
    limits = DoubtLimits(project.limits, project.doubts_off)

    def write(path: Path, results: Results, table: TableOf) -> Path:
        del table
        rows = stretch_rows(doubtful_of(results, limits), project)
        write_stretches(
            path,
            (
                stretch_fields(name, row.stretch, row.status, person_name(row.stretch, project))
                for row in rows
            ),
        )
        return path

    return write


def reviewed_writer(
    project: Project, options: ExportOptions, *, per_person: bool = False
) -> ReviewWriter:
    """Return what writes the reviewed table.

    Args:
        project: The project.
        options: What is exported.
        per_person: Whether each person has a file; files that exist already are not replaced,
            since the user was not asked about them.
    """

    def write(path: Path, results: Results, table: TableOf) -> Path:
        whole = reviewed(table(), project)
        if not per_person:
            export_reviewed(whole, path, options)
            return path
        files = person_files(whole, path, options)
        if not files:
            raise UsageError("nothing is left to export: no face was found")
        for each in files:
            if each.exists():
                raise UsageError(
                    "{path} is there already: choose another name, or delete it", path=each
                )
        for each, part in files.items():
            export_reviewed(whole, each, part)
        return next(iter(files))

    return write


def statistics_writer(project: Project) -> ReviewWriter:
    """Return what writes the statistics of all persons and intervals."""

    def write(path: Path, results: Results, table: TableOf) -> Path:
        write_statistics(path, interval_statistics(reviewed(table(), project), project))
        return path

    return write


def labels_writer(project: Project, faces: Collection[tuple[int, int]], video: str) -> ReviewWriter:
    """Return what saves faces with their corrected landmarks as labelled pictures.

    Existing files are replaced.

    Args:
        project: The project.
        faces: Frame and number of each face.
        video: The path of the recording.
    """

    def write(path: Path, results: Results, table: TableOf) -> Path:
        labels = labels_of(reviewed(table(), project).table, faces)
        write_labelled_pictures(video, labels, path, Path(video).stem, overwrite=True)
        return path

    return write
