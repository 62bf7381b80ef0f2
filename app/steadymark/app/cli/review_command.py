"""`steadymark review`: the doubtful stretches of landmark tables, the worst first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steadymark.app.cli.error_boundary import out, report_errors
from steadymark.app.cli.help_groups import INPUT, OUTPUT, help_groups
from steadymark.engine.review.doubt_kinds import DOUBT_KINDS

if TYPE_CHECKING:
    from collections.abc import Collection

_LIMITS = "Limits"
_KINDS = ", ".join(kind.name for kind in DOUBT_KINDS)


def _limit_options(taken: Collection[str]) -> dict[str, Any]:
    """Return an option for the limit of each kind of doubt."""
    del taken
    found: dict[str, Any] = {}
    for kind in DOUBT_KINDS:
        limit = kind.limit
        words = f"{limit.help} Default: {limit.text(limit.default)}."
        found[limit.name] = Annotated[float | None, typer.Option(limit.option, help=words)]
    return found


@help_groups({_LIMITS: "** without", INPUT: "faces", OUTPUT: "csv_file json_file"}, _limit_options)
def review(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Tables (CSV), native or OpenFace's.")
    ],
    faces: Annotated[
        list[int] | None,
        typer.Option("--face", help="Number of a face to review, by default all. May be repeated."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help=f"A doubt that is not looked for: {_KINDS}. May be repeated."),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Also write the stretches to this CSV file.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the stretches to this JSON file.")
    ] = None,
    **limits: float | None,
) -> None:
    """List the stretches whose landmarks are doubtful, the worst first, and why.

    The exit code is 0, whether there are any or not.
    """
    from steadymark.app.cli.reports.review_report import ReviewFiles, report_review
    from steadymark.engine.review.doubtful_stretches import DoubtLimits

    def run() -> int:
        given = {name: value for name, value in limits.items() if value is not None}
        chosen = DoubtLimits(given, frozenset(without or ()))
        report_review(files, chosen, faces or (), ReviewFiles(csv_file, json_file), out=out)
        return 0

    report_errors(run)
