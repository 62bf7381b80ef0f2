"""The consoles of the command line, and the handling of a command's errors."""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from steadymark.engine.core.errors import SteadymarkError

if TYPE_CHECKING:
    from collections.abc import Callable

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def report_errors(run: Callable[[], int | None], *, collects: bool = True) -> None:
    """Run a command that returns its exit code or None. An error gives one sentence and code 2.

    Args:
        run: The command.
        collects: Whether Python collects garbage from now on, if `cli.main` has switched it off.
            The window does so itself, see `GuiGarbageCollector`.

    Raises:
        typer.Exit: The exit code is not 0.
    """
    if collects and not gc.isenabled():
        gc.freeze()  # what is imported remains until the end
        gc.enable()
    try:
        code = run()
    except SteadymarkError as error:
        err.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        err.print(
            f"[red]error:[/red] something unexpected happened ({type(error).__name__}: {error}); "
            "run again with STEADYMARK_DEBUG=1 for details, and report it",
            soft_wrap=True,
        )
        if os.environ.get("STEADYMARK_DEBUG"):
            raise
        code = 2
    if code:
        raise typer.Exit(code)
