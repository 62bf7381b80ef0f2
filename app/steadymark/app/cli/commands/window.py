"""The commands that open the window with a recording, a camera or a stream."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.choices_help import SEND_HELP
from steadymark.app.cli.commands.expression_options import (
    ExpressionsOption,
    MirrorOption,
    chosen_expressions,
)
from steadymark.app.cli.error_boundary import report_errors
from steadymark.engine.core.errors import UsageError


def open_window(
    recording: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A video, a folder of images, or a table or project, whose results are shown.",
        ),
    ],
    video: Annotated[
        Path | None,
        typer.Option(help="The video of a table or project, if it does not lie beside it."),
    ] = None,
) -> None:
    """Open the window with a recording, or with results of one."""
    from steadymark.app.gui.application import run_window

    def run() -> int:
        source = "" if video is None else str(video)
        _check_results(Path(recording), source)
        return run_window(recording, video=source)

    report_errors(run, collects=False)


def _check_results(path: Path, video: str) -> None:
    """Raise SteadymarkError if a table or a project cannot be shown beside a video."""
    from steadymark.engine.review.find_reviewed import is_project, is_table, video_of

    if not (is_table(path) or is_project(path)):
        if video:
            raise UsageError(
                "--video is for tables and projects: open {path} without it", path=path
            )
        return
    if video_of(path) is None and not video:
        raise UsageError(
            "the video of {path} was not found beside it: name it with --video VIDEO", path=path
        )


def live(
    source: Annotated[
        str,
        typer.Argument(metavar="CAMERA", help="camera:0, camera:NAME, rtsp:// or http://…"),
    ] = "camera:0",
    camera_mode: Annotated[
        str | None, typer.Option(help="Camera mode to request, for example 1280x720@30.")
    ] = None,
    send: Annotated[list[str] | None, typer.Option(help=SEND_HELP)] = None,
    expressions: ExpressionsOption = "",
    mirror: MirrorOption = False,
) -> None:
    """Open the window with a camera or a stream."""
    from steadymark.app.gui.application import run_window
    from steadymark.engine.sources import CameraMode
    from steadymark.engine.sources.resolve_input import is_live
    from steadymark.engine.streaming.targets import parse_target

    def run() -> int:
        targets = tuple(parse_target(text) for text in send or ())
        mode = CameraMode.parse(camera_mode) if camera_mode else None
        if not is_live(source):
            raise UsageError(
                f"{source} is neither a camera nor an address: write camera:0 or rtsp://…; "
                "'steadymark open' opens videos"
            )
        chosen = None
        if expressions or mirror:
            chosen = chosen_expressions(expressions, mirror=mirror)
        return run_window(source, mode, targets, expressions=chosen)

    report_errors(run, collects=False)
