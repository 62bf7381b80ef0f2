"""Commands that show what cameras, videos, models and tables are there and hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.engine.core.errors import SteadymarkError


def cameras() -> None:
    """List the cameras of this computer and their modes."""
    from steadymark.engine.sources import camera_modes, list_cameras

    def run() -> int:
        found = list_cameras()
        if not found:
            out.print("no camera was found: connect one, and check that you may use it")
        for camera in found:
            out.print(
                f"camera:{camera.index}  {escape(camera.name)}  {camera.path}", soft_wrap=True
            )
            for mode in camera_modes(camera):
                out.print(f"    {mode} {mode.fourcc}")
        return 0

    report_errors(run)


def probe(inputs: Annotated[list[str], typer.Argument(metavar="INPUT…")]) -> None:
    """Show the contents of a video file and how exact its timestamps are."""
    from steadymark.app.cli.reports.report_table import Column, ReportTable
    from steadymark.engine.sources import probe as probe_source

    def run() -> int:
        failed = 0
        for text in inputs:
            try:
                report = probe_source(text)
            except SteadymarkError as error:
                err.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
                failed += 1
                continue
            table = ReportTable(("",), (Column("", "left", wraps=True),), title=text)
            for name, value in report.as_dict().items():
                table.add_row(name, value)
            out.print(table)
        return 0 if not failed else 1 if failed < len(inputs) else 2

    report_errors(run)


def models() -> None:
    """List the installed models with their measured accuracy."""
    from steadymark.app.cli.reports.inspect_report import report_models
    from steadymark.models.runtime.zoo import list_models, list_own_models

    def run() -> int:
        report_models((*list_models(), *list_own_models()), out)
        return 0

    report_errors(run)


def check(files: Annotated[list[Path], typer.Argument(metavar="FILE…")]) -> None:
    """Check a table (CSV) for faults: truncation, wrong columns, NaN in tracked rows."""
    from steadymark.engine.batch.results_index import NAME as INDEX_NAME
    from steadymark.engine.output.csv.check_table import check_csv

    def run() -> int:
        bad = 0
        for file in files:
            if file.name == INDEX_NAME:
                out.print(f"{file}: not checked, since it is the index of the other tables")
                continue
            findings = check_csv(file)
            bad += bool(findings)
            if not findings:
                out.print(f"{file}: valid", soft_wrap=True)
            for finding in findings:
                place = f"{file}:{finding.line}" if finding.line else f"{file}"
                out.print(f"{place}: {finding.text}", soft_wrap=True)
        return 1 if bad else 0

    report_errors(run)


def spans(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Tables (CSV), native or OpenFace's.")
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the spans to this JSON file.")
    ] = None,
) -> None:
    """List when each face was tracked and when it was lost."""
    from steadymark.app.cli.reports.inspect_report import report_spans

    def run() -> int:
        report_spans(files, json_file, out=out)
        return 0

    report_errors(run)
