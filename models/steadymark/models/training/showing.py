"""A training's progress on the terminal: a bar with the time left, loss and last score."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from steadymark.models.training.run import Progress


@contextmanager
def shown(console: Console, name: str) -> Iterator[Callable[[Progress], None]]:
    """A reporter for `run.train`; on a terminal a bar, in a log file a line at each validation."""
    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[figures]}"),
    )
    told = [float("nan")]
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None, figures="")

        def report(progress: Progress) -> None:
            figures = (
                f"loss {progress.loss:.3f}, val {progress.score:.3f}, best {progress.best:.3f}"
            )
            total = progress.total or None
            bar.update(task, completed=progress.step, total=total, figures=figures)
            new = not math.isnan(progress.score) and progress.score != told[0]
            if new and not console.is_terminal:
                console.print(f"step {progress.step} of {progress.total or '?'}: {figures}")
            told[0] = progress.score

        yield report
