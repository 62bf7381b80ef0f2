"""The command `doctor` tells what is missing, with an exit code and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from steadymark.app.cli.doctor import doctor_command
from steadymark.app.cli.doctor.check_result import CheckResult, CheckState
from steadymark.app.cli.doctor.doctor_command import DoctorReport, print_report, run_checks
from steadymark.engine.core.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result


def results(*states: CheckState) -> tuple[CheckResult, ...]:
    return tuple(CheckResult("g", "n", state, "found", "do this") for state in states)


def test_the_report_of_this_computer_is_complete_json(run: Callable[..., Result]) -> None:
    result = run("doctor", "--json", "--no-window")
    report = json.loads(result.stdout)
    found = {(check["group"], check["name"]): check for check in report["checks"]}
    assert found["versions", "Steadymark"]["text"].startswith(version())
    for codec in ("h264", "hevc", "av1", "vp9"):
        assert found["codecs", f"{codec} decoder"]["state"] == "ok"
    assert found["weights", "heatmap1d-lite"]["state"] == "ok"
    assert found["devices", "cpu"]["state"] == "ok"
    assert "Qt" not in {group for group, _ in found}
    assert report["complete"] is (result.exit_code == 0)
    assert result.exit_code == 0, result.output


def test_the_text_says_what_to_do(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = (lambda: iter(results(CheckState.OK, CheckState.FAULT)),)
    monkeypatch.setattr(doctor_command, "all_checks", lambda window: checks)
    result = run("doctor")
    assert result.exit_code == 1
    assert "fault n: found" in result.output
    assert result.output.count("→ do this") == 1
    assert "1 thing is wrong or missing." in result.output
    assert "No connection was opened" in result.output


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((CheckState.OK,), 0),
        ((CheckState.OK, CheckState.NOTE), 0),
        ((CheckState.NOTE, CheckState.FAULT), 1),
    ],
)
def test_only_faults_change_the_exit_code(states: tuple[CheckState, ...], code: int) -> None:
    assert DoctorReport(results(*states)).exit_code == code


def test_a_check_that_fails_itself_does_not_end_the_others() -> None:
    def check_broken() -> Iterator[CheckResult]:
        yield from results(CheckState.OK)
        raise RuntimeError("no such thing")

    report = run_checks([check_broken, lambda: iter(results(CheckState.NOTE))])
    states = [result.state for result in report.results]
    assert states == [CheckState.OK, CheckState.FAULT, CheckState.NOTE]
    assert "no such thing" in report.results[1].text
    assert report.results[1].name == "broken"


def test_markup_in_a_text_is_printed_as_it_is() -> None:
    console = Console(record=True, width=200)
    print_report(DoctorReport((CheckResult("g", "a[b]", CheckState.OK, "[red]x[/red]"),)), console)
    assert "a[b]: [red]x[/red]" in console.export_text()
