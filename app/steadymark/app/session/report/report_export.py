"""The report of the open recording or of many tracked videos, written on a thread."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from steadymark.app.session.export import (
    BackgroundExport,
    ExportCancelled,
    ExportKind,
    ExportRequest,
    table_header,
)
from steadymark.app.session.recording.results import FrameStatus
from steadymark.app.session.report.write_page import write_page
from steadymark.engine.output.csv.native_csv import NativeCsvSink
from steadymark.engine.output.output_paths import PARTIAL
from steadymark.engine.output.read_table import read_table
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.report.compose_report import compose_report
from steadymark.engine.review.find_reviewed import ReviewedFile, find_reviewed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.session.export import ExportSource
    from steadymark.engine.review.project import Project

    ReadVideo = Callable[[Path], ReviewedFile]

_STEPS = 1000  # of the progress


class ReportExport(BackgroundExport):
    """Writes the page that `steadymark report` writes.

    Args:
        path: The file, `.html` or `.pdf`.
        videos: For each video, a function that returns its table and its project. It gets a folder
            for temporary files.
        on_change: Is called from the thread when the report changed. It must return immediately.
    """

    def __init__(
        self, path: Path, videos: Sequence[ReadVideo], on_change: Callable[[], None]
    ) -> None:
        super().__init__(ExportRequest(ExportKind.REPORT, path, DrawOptions(schema="")), on_change)
        self._videos = videos

    def _write(self) -> None:
        path, partial = self._request.path, False

        def reading(read: ReadVideo) -> Callable[[], ReviewedFile]:
            def found() -> ReviewedFile:
                nonlocal partial
                video = read(Path(folder))
                partial |= video.table_path.stem.endswith(PARTIAL)
                return video

            return found

        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            report = compose_report(
                [reading(read) for read in self._videos], on_progress=self._show_progress
            )
        self._show_progress(1.0)
        write_page(report.page, path)
        self._update_report(path=str(path), partial=partial, notes=report.notes)

    def _show_progress(self, share: float) -> None:
        if self._cancelled.is_set():
            raise ExportCancelled
        # Before the first pictures, it is not known how long it takes.
        self._update_report(done=round(_STEPS * share), total=_STEPS if share else 0)


def recording_reader(source: ExportSource, project: Project) -> ReadVideo:
    """Return what reads the open recording as `find_reviewed` reads its exported table.

    Args:
        source: The recording and its results.
        project: Its project.
    """

    def read(folder: Path) -> ReviewedFile:
        results = source.filtered_results()
        status = results.frame_status()
        path = folder / "table.csv"
        sink = NativeCsvSink(path, table_header(source, results), results.schema)
        sink.open(source.info)
        for index in (status == FrameStatus.TRACKED).nonzero()[0].tolist():
            result = results.result(index)
            if result is not None:
                sink.write(result)
        sink.close(complete=bool((status != FrameStatus.UNKNOWN).all()))
        written = Path(sink.path)
        return ReviewedFile(written, read_table(written), project, Path(source.info.path))

    return read


def table_reader(table: Path, video: Path) -> ReadVideo:
    """Return what reads the table of a video that was tracked into files."""
    return lambda _: find_reviewed(table, video)
