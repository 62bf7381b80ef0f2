"""The command line. `steadymark` alone opens the window; the room `bench` holds the benchmarks."""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import Annotated, ClassVar

import typer

from steadymark.app.cli.command_group import CommandGroup
from steadymark.app.cli.error_boundary import report_errors
from steadymark.engine.core.version import version as installed_version
from steadymark.models.choice_registry import load_plugins

_CLI = "steadymark.app.cli"
_INSPECT = f"{_CLI}.inspect_commands"
_REVIEW = f"{_CLI}.review.review_commands"


class _Commands(CommandGroup):
    """The commands of `steadymark`, in the order of its help."""

    places: ClassVar = {
        "add-model": f"{_CLI}.add_model_command:add_model",
        "smooth": f"{_CLI}.smooth_command:smooth",
        "cameras": f"{_INSPECT}:cameras",
        "probe": f"{_INSPECT}:probe",
        "models": f"{_INSPECT}:models",
        "check": f"{_INSPECT}:check",
        "spans": f"{_INSPECT}:spans",
        "review": f"{_REVIEW}:review",
        "export": f"{_REVIEW}:export",
        "report": f"{_REVIEW}:report",
        "doctor": f"{_CLI}.doctor.doctor_command:doctor",
        "open": f"{_CLI}.commands.window:open_window",
        "live": f"{_CLI}.commands.window:live",
        "track": f"{_CLI}.commands.track:track",
        "gaze-calibrate": f"{_CLI}.gaze_calibrate_command:gaze_calibrate",
        "evaluate": f"{_CLI}.commands.evaluate:evaluate",
        "bench": f"{_CLI}.bench.bench_group:bench",
    }


app = typer.Typer(
    cls=_Commands,
    help="Facial landmarks that are accurate and stable.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Without a command, the window opens."""
    report_errors(load_plugins, collects=False)
    if version:
        typer.echo(f"steadymark {installed_version()}")
    elif context.invoked_subcommand is None:
        from steadymark.app.gui.application import run_window

        report_errors(run_window, collects=False)


def main() -> None:
    """Run the command line. This is the entry point of `steadymark`."""
    gc.disable()  # `report_errors` switches it on again: what is imported is no garbage
    logging.basicConfig(
        level=logging.DEBUG if os.environ.get("STEADYMARK_DEBUG") else logging.CRITICAL
    )
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    app()
