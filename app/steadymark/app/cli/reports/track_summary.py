"""The summary of `steadymark track`: a row for each input, and what is wrong with it in words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.app.cli.reports.report_table import Column, ReportTable
from steadymark.engine.core.face_frames import percent_of
from steadymark.engine.pipeline.pipeline_report import PipelineState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.core.types import CutOff
    from steadymark.engine.pipeline.job import JobReport

_FULL = ("frames", "with a face", "lost spans", "ms a frame")
_SHORT = ("frames", "face", "lost", "ms")
_LONGEST_RESULT = 200
_SHORTEST_REASON = 12  # characters of a reason; the whole sentence is printed above the table


def summary(reports: Sequence[JobReport], folder: Path, width: int) -> ReportTable:
    """Return a table with a row for each input.

    A table that is too wide is made narrower. Results that are named after their input are then
    shown by their endings, a device that all inputs share is shown in the title, and the reasons of
    failures are shortened.

    Args:
        reports: The reports of the inputs.
        folder: Folder of the results.
        width: Width of the console.

    Returns:
        The table.
    """
    table = _table(reports, folder, _FULL, short=False)
    devices = {job.device for job in reports if job.device} or {""}
    shared = tuple(devices) if len(devices) == 1 else ()
    for headings in (_FULL, _SHORT):
        if table.fits(width):
            return table
        table = _table(reports, folder, headings, shared, short=True)
    longest = _LONGEST_RESULT
    while longest > _SHORTEST_REASON and not table.fits(width):
        longest -= 4
        table = _table(reports, folder, _SHORT, shared, short=True, longest=longest)
    return table if table.fits(width) else _table(reports, folder, _FULL, shared, short=True)


def _table(
    reports: Sequence[JobReport],
    folder: Path,
    headings: Sequence[str],
    device: tuple[str, ...] = (),
    *,
    short: bool,
    longest: int = _LONGEST_RESULT,
) -> ReportTable:
    """Build the summary. device: the device of all inputs, which then has no column."""
    figures = (*headings, *(() if device else ("device",)))
    title = ", ".join([f"Results in {folder}", *(f"tracked on {name}" for name in device if name)])
    table = ReportTable(("input",), (*figures, Column("result", "left", wraps=True)), title=title)
    for job in reports:
        report = job.report
        share = f"{percent_of(report.face_frames.share):.1f} %" if report.frames else "–"
        dropped = f" (+{report.dropped} dropped)" if report.dropped else ""
        table.add_row(
            " ".join(job.name.splitlines()),
            f"{report.frames}" + dropped if report.frames else "–",
            share,
            str(report.lost_spans) if report.frames else "–",
            f"{report.median_ms:.1f}" if report.frames else "–",
            *(() if device else (job.device or "–",)),
            _result(job, _files(job, short=short), longest, short=short),
        )
    return table


def _files(job: JobReport, *, short: bool) -> str:
    """Return the names of the results in the output folder."""
    names = [Path(output).name for output in job.outputs]
    stem = Path(job.name).stem + "."
    if short:  # words tell that a result is partial
        names = [n for n in names if not n.startswith(f"{stem}partial.")]
        names = ["." + n.removeprefix(stem) if n.startswith(stem) else n for n in names]
    return ", ".join(names)


def _result(job: JobReport, files: str, longest: int, *, short: bool) -> str:
    """Describe the outcome of a job in at most `longest` characters if its reason allows it."""
    words = []
    if job.skipped:
        words.append("done before")
    if job.error:
        words.append("partial" if job.outputs else "failed")
    elif job.report.state is PipelineState.STOPPED:
        words.append("stopped, partial")
    if job.cut_off:
        words.append("damaged" + _share_read(job.cut_off, short=short))
    if job.report.frames and not job.report.with_face:
        words.append("no face")
    outcome = ", ".join(words)
    if not job.error:
        return f"{outcome}: {files}" if outcome and files else outcome or files
    ending = f"; {files}" if files else ""
    room = max(_SHORTEST_REASON, longest - len(f"{outcome}: {ending}"))
    return f"{outcome}: {_shortened(_reason(job), room)}{ending}"


def _share_read(cut_off: CutOff, *, short: bool) -> str:
    if cut_off.share is None:
        return ""
    return f", {percent_of(cut_off.share):.1f} % " + ("read" if short else "of it read")


def _reason(job: JobReport) -> str:
    """Return what is wrong from a sentence of the form 'PATH what is wrong: what to do'."""
    sentence = " ".join(str(job.error).split())
    without_path = re.sub(rf"\S*{re.escape(Path(job.name).name)}:?", "", sentence, count=1)
    parts = [part for part in without_path.split(": ") if not part.startswith("cannot write ")]
    return parts[0].strip(" :;,") if parts else sentence


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
