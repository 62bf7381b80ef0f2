"""The command `doctor`: it runs all checks and prints what they found."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from steadymark.app.cli.doctor.check_result import CheckResult, CheckState
from steadymark.app.cli.error_boundary import out, report_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    Check = Callable[[], Iterator[CheckResult]]

log = logging.getLogger(__name__)

_COLOURS = {CheckState.OK: "green", CheckState.NOTE: "yellow", CheckState.FAULT: "red"}
_PRIVACY = (
    "No connection was opened. The report holds versions, names of devices and paths of this "
    "computer; a path may contain your user name."
)


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """What all checks have found."""

    results: tuple[CheckResult, ...]

    @property
    def exit_code(self) -> int:
        """0 if everything that is needed is there, otherwise 1."""
        return int(any(result.state is CheckState.FAULT for result in self.results))

    def as_json(self) -> str:
        """Return the report as the text of a JSON file."""
        checks = [result.as_dict() for result in self.results]
        document = {"complete": not self.exit_code, "note": _PRIVACY, "checks": checks}
        return json.dumps(document, indent=2, ensure_ascii=False)


def doctor(
    json_text: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, for bug reports.")
    ] = False,
    window: Annotated[
        bool,
        typer.Option("--window/--no-window", help="Also check whether a window can be opened."),
    ] = True,
) -> None:
    """Tell what is missing or wrong on this computer, without opening a connection."""

    def run() -> int:
        report = run_checks(all_checks(window=window))
        if json_text:
            typer.echo(report.as_json())
        else:
            print_report(report, out)
        return report.exit_code

    report_errors(run)


def all_checks(*, window: bool = True) -> tuple[Check, ...]:
    """Return all checks in the order of the report.

    Args:
        window: Whether to check Qt and the display.
    """
    from steadymark.app.cli.doctor import folder_checks, media_checks, model_checks, version_checks
    from steadymark.app.cli.doctor.qt_checks import check_qt

    return (
        version_checks.check_versions,
        *((check_qt,) if window else ()),
        media_checks.check_codecs,
        model_checks.check_weights,
        model_checks.check_own_models,
        model_checks.check_devices,
        media_checks.check_cameras,
        folder_checks.check_folders,
    )


def run_checks(checks: Sequence[Check]) -> DoctorReport:
    """Run checks one after the other. A check that fails itself is a fault of its own.

    Args:
        checks: The checks.
    """
    results: list[CheckResult] = []
    for check in checks:
        try:
            results.extend(check())
        except Exception as error:  # whatever is broken here, the other checks go on
            log.debug("check", exc_info=True)
            name = getattr(check, "__name__", "check").removeprefix("check_").replace("_", " ")
            text = f"the check failed ({type(error).__name__}: {error})"
            results.append(
                CheckResult("checks", name, CheckState.FAULT, text, "install Steadymark again")
            )
    return DoctorReport(tuple(results))


def print_report(report: DoctorReport, console: Console) -> None:
    """Print a report: one line for each check, and below it what to do.

    Args:
        report: The report.
        console: Where to print it.
    """
    group = ""
    for result in report.results:
        if result.group != group:
            group = result.group
            console.print(f"[bold]{escape(group)}[/bold]")
        colour = _COLOURS[result.state]
        label = f"[{colour}]{result.state:<5}[/{colour}]"
        console.print(f"  {label} {escape(result.name)}: {escape(result.text)}", soft_wrap=True)
        if result.advice and result.state is not CheckState.OK:
            console.print(f"        → {escape(result.advice)}", soft_wrap=True)
    faults = sum(result.state is CheckState.FAULT for result in report.results)
    verdict = {0: "Everything that is needed is there.", 1: "1 thing is wrong or missing."}
    console.print(f"\n{verdict.get(faults, f'{faults} things are wrong or missing.')}")
    console.print(_PRIVACY, soft_wrap=True)
