"""Progress of a training on the terminal: bars with remaining time, loss and last score."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from steadymark.models.training.loop.training_run import TrainingProgress

_CACHE_LABELS = {"train": "sequences", "held": "sequences to validate by"}
_LOG_LINES = 4  # progress lines per set of sequences, in a log file


@contextmanager
def progress_bars(console: Console, name: str) -> Iterator[ProgressBars]:
    """Give a reporter for `training_run.train`: bars on a terminal, lines in a log file."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[figures]}"),
    )
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        yield ProgressBars(console, bar, name)


class ProgressBars:
    """Shows prepared sequences (`show_cache`), and steps and validations (when it is called)."""

    def __init__(self, console: Console, bar: Bar, name: str) -> None:
        self.console, self.bar, self.name = console, bar, name
        self._tasks: dict[str, TaskID] = {}
        self._printed_score = float("nan")

    def tell(self, text: str) -> None:
        """Print a sentence."""
        self.console.print(escape(text), soft_wrap=True)

    def show_cache(self, which: str, done: int, count: int) -> None:
        """Show how many of the sequences to train or to validate are prepared."""
        task = self._task(_CACHE_LABELS[which])
        self.bar.update(task, completed=done, total=count)
        if not self.console.is_terminal and done % max(1, count // _LOG_LINES) == 0:
            self.console.print(f"{_CACHE_LABELS[which]}: {done} of {count}")

    def __call__(self, progress: TrainingProgress) -> None:
        """Show the current step and the last validation."""
        figures = f"loss {progress.loss:.3f}, val {progress.score:.3f}, best {progress.best:.3f}"
        total = progress.total or None
        self.bar.update(
            self._task(self.name), completed=progress.step, total=total, figures=figures
        )
        new = not math.isnan(progress.score) and progress.score != self._printed_score
        if new and not self.console.is_terminal:
            self.console.print(f"step {progress.step} of {progress.total or '?'}: {figures}")
        self._printed_score = progress.score

    def _task(self, description: str) -> TaskID:
        if description not in self._tasks:
            self._tasks[description] = self.bar.add_task(description, total=None, figures="")
        return self._tasks[description]
