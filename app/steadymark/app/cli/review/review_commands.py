"""`steadymark review`, `export` and `report`: the quality control of tracked videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from steadymark.app.cli.commands.expression_options import (
    ExpressionsOption,
    MirrorOption,
    chosen_expressions,
    note_without_effect,
)
from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import INPUT, OUTPUT, help_groups
from steadymark.engine.review.doubt_kinds import DOUBT_KINDS

if TYPE_CHECKING:
    from collections.abc import Collection

_LIMITS = "Limits"
_KINDS = ", ".join(kind.name for kind in DOUBT_KINDS)
_FILES = "Tables (CSV), native or OpenFace's, or videos or projects that have one beside them."


def _limit_options(taken: Collection[str]) -> dict[str, Any]:
    """Return an option for the limit of each kind of doubt."""
    del taken
    found: dict[str, Any] = {}
    for kind in DOUBT_KINDS:
        limit = kind.limit
        words = f"{limit.help} Default: {limit.text(limit.default)}."
        found[limit.name] = Annotated[float | None, typer.Option(limit.option, help=words)]
    return found


@help_groups(
    {_LIMITS: "** without", INPUT: "faces only_open", OUTPUT: "csv_file json_file"}, _limit_options
)
def review(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=_FILES)],
    faces: Annotated[
        list[int] | None,
        typer.Option("--face", help="Number of a face to review, by default all. May be repeated."),
    ] = None,
    only_open: Annotated[
        bool, typer.Option("--open", help="Leave out what is accepted or excluded.")
    ] = False,
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

    Corrections, limits and decisions of the project beside a table count. The exit code is 0,
    whether there are any stretches or not.
    """
    from steadymark.app.cli.review.review_report import (
        ReviewChoice,
        ReviewFiles,
        report_review,
    )

    def run() -> int:
        given = {name: value for name, value in limits.items() if value is not None}
        choice = ReviewChoice(given, frozenset(without or ()), frozenset(faces or ()), only_open)
        report_review(files, choice, ReviewFiles(csv_file, json_file), out=out)
        return 0

    report_errors(run)


@help_groups(
    {
        INPUT: "start end persons neutral",
        OUTPUT: "target wide drop_excluded per_person statistics annotations pts gltf bvh "
        "expressions mirror overwrite",
    }
)
def export(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A table, or a video or project with one.")
    ],
    target: Annotated[
        Path | None,
        typer.Option(
            "--out", help="File of the reviewed table; .parquet for Parquet, otherwise CSV."
        ),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="One row for each frame, instead of for each face.")
    ] = False,
    drop_excluded: Annotated[
        bool, typer.Option("--drop-excluded", help="Leave excluded rows out, not only mark them.")
    ] = False,
    per_person: Annotated[
        bool, typer.Option("--per-person", help="A file for each person, with the name in it.")
    ] = False,
    statistics: Annotated[
        Path | None,
        typer.Option(help="Also write the statistics of persons and intervals to this CSV file."),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(help="Also write the annotations: .eaf for ELAN, otherwise with tabs."),
    ] = None,
    pts: Annotated[
        Path | None,
        typer.Option(
            help="Also save the corrected frames as pictures with .pts files into this folder."
        ),
    ] = None,
    gltf: Annotated[
        Path | None,
        typer.Option(help="Also write the moving 3D faces to this binary glTF file (.glb)."),
    ] = None,
    bvh: Annotated[
        Path | None,
        typer.Option(help="Also write the motion of the head to this BVH file; see the manual."),
    ] = None,
    expressions: ExpressionsOption = "",
    mirror: MirrorOption = False,
    start: Annotated[float, typer.Option(help="Start of the exported part in seconds.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="End of the exported part in seconds.")] = None,
    persons: Annotated[
        list[str] | None,
        typer.Option("--person", help="Name or number of a person, by default all. Repeatable."),
    ] = None,
    neutral: Annotated[
        list[float] | None,
        typer.Option(
            help="A time in seconds from which on every face in the picture is neutral for half a "
            "second. Expressions and poses are computed again with it. Repeatable."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
) -> None:
    """Write the table of a video with its project applied: corrected, named, without exclusions."""
    from steadymark.app.cli.review.reviewed_exports import (
        Animations,
        ReviewedExport,
        export_files,
    )

    def run() -> int:
        chosen = chosen_expressions(expressions, mirror=mirror)
        note_without_effect(chosen, used=bool(gltf or bvh), instead="--gltf or --bvh", err=err)
        request = ReviewedExport(
            target=target,
            statistics=statistics,
            annotations=annotations,
            pts=pts,
            motion=Animations(gltf, bvh, chosen),
            per_person=per_person,
            wide=wide,
            drop_excluded=drop_excluded,
            start_s=start,
            end_s=end,
            persons=tuple(persons or ()),
            neutral_s=tuple(neutral or ()),
            overwrite=overwrite,
        )
        for path, count, names in export_files(file, request, _note):
            who = f" ({', '.join(names)})" if names else ""
            out.print(escape(f"{path}: {count}{who}"), soft_wrap=True)
        return 0

    report_errors(run)


@help_groups({OUTPUT: "target title pictures overwrite"})
def report(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help=_FILES)],
    target: Annotated[
        Path, typer.Option("--out", help="File of the report: .html, or .pdf.")
    ] = Path("report.html"),
    title: Annotated[str, typer.Option(help="Title of the report.")] = "Facial landmarks",
    pictures: Annotated[bool, typer.Option(help="Show a picture of each doubtful stretch.")] = True,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file.")
    ] = False,
) -> None:
    """Write one page that says what was tracked, how, and what is doubtful."""
    from steadymark.app.cli.review.write_report import write_report

    def run() -> int:
        notes = write_report(files, target, title=title, pictures=pictures, overwrite=overwrite)
        for note in notes:
            _note(note)
        out.print(f"written: {escape(str(target))}", soft_wrap=True)
        return 0

    report_errors(run)


def _note(sentence: str) -> None:
    err.print(f"[yellow]note:[/yellow] {escape(sentence)}", soft_wrap=True)
