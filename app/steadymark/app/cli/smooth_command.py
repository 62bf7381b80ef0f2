"""`steadymark smooth`: stabilizes the landmarks of a table again without the video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from steadymark.app.cli.choices_help import FORMATS
from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import INPUT, OUTPUT, STABILIZER, help_groups
from steadymark.app.cli.stabilizer_options import StabilizerOptions, stabilizers_help
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.output_paths import face_files_there
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.api.video_landmarks import VideoLandmarks
    from steadymark.engine.output.table_formats import TableFormat

_FILTERS = StabilizerOptions()


@help_groups(
    {INPUT: "size focal", STABILIZER: "method **", OUTPUT: "target csv overwrite"},
    _FILTERS.annotations,
)
def smooth(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE.csv", help="A native table, or one of OpenFace.")
    ],
    target: Annotated[
        Path | None,
        typer.Option(
            "--out", help="File of the new table; by default TABLE.METHOD.csv beside the old one."
        ),
    ] = None,
    method: Annotated[str, typer.Option(help=stabilizers_help(on_points=True))] = "butterworth",
    size: Annotated[
        str,
        typer.Option(
            help="Frame size of the video, for example 1280x720, for head poses and what follows "
            "from them; without it they are left empty."
        ),
    ] = "",
    focal: Annotated[
        float | None,
        typer.Option(help="Focal length in pixels, for head poses; by default that of the table."),
    ] = None,
    csv: Annotated[
        str, typer.Option("--format", "--csv", help=f"Else the table's own format. {FORMATS}")
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file.")
    ] = False,
    **parameters: float | None,
) -> None:
    """Stabilize the landmarks of a table, and write another table.

    Filters start from the raw landmarks where the table has them.
    """

    def run() -> int:
        from steadymark.engine.api.read_tables import read_csv, style_of

        style = csv or style_of(table)
        path = _output_path(table, target, method, TABLE_FORMATS.find(style), overwrite=overwrite)
        read = read_csv(table, image_size=parse_size(size), focal_px=focal)
        smoothed = read.smooth(method, **_FILTERS.values_for(method, parameters))
        smoothed.to_csv(path, style=style)
        if _has_lost_poses(read, smoothed):
            note = (
                "head poses are left empty: say --size WIDTHxHEIGHT of the video's pictures, which "
                "they, expressions, action units and gaze need"
            )
            err.print(f"[yellow]note:[/yellow] {note}", soft_wrap=True)
        out.print(f"{escape(str(path))}: {_summary(smoothed)}", soft_wrap=True)
        return 0

    report_errors(run)


def parse_size(text: str) -> tuple[int, int] | None:
    """Parse a size such as `1280x720` to (1280, 720). An empty text gives None.

    Raises:
        UsageError: The text is not a size.
    """
    if not text:
        return None
    sides = text.lower().replace("×", "x").split("x")
    if len(sides) != 2 or not all(side.isascii() and side.isdecimal() for side in sides):
        raise UsageError(f"'{text}' is no size: write --size 1280x720")
    return int(sides[0]), int(sides[1])


def _output_path(
    table: Path, target: Path | None, method: str, form: TableFormat, *, overwrite: bool
) -> Path:
    """Return the file to write.

    Raises:
        UsageError: It or a file of a further face exists already, or it is the table itself.
    """
    path = target or table.with_name(f"{table.stem}.{method}{form.suffix}")
    if path.resolve() == table.resolve():
        raise UsageError(f"{path} is the table itself: choose another name with --out")
    there = [path] if path.exists() else face_files_there(path) if form.one_per_face else []
    if there and not overwrite:
        raise UsageError(
            f"{there[0]} is there already: add --overwrite, or choose another with --out"
        )
    return path


def _has_lost_poses(before: VideoLandmarks, after: VideoLandmarks) -> bool:
    import numpy as np

    return bool(np.isfinite(before.head_poses).any() and not np.isfinite(after.head_poses).any())


def _summary(video: VideoLandmarks) -> str:
    faces = len(video.face_ids)
    frames = UserText.counted("1 frame", "{count} frames", count=len(video))
    return f"{frames}, {UserText.counted('1 face', '{count} faces', count=faces)}"
