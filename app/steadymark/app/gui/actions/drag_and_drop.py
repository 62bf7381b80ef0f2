"""Handling of files that are dropped on the window: recordings, results and ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from steadymark.app.session.analysis.ground_truth import looks_like_ground_truth
from steadymark.engine.review.find_reviewed import holds_results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.gui.messages import Messages

translate = QCoreApplication.translate


def open_dropped_files(
    paths: Sequence[str],
    *,
    open_path: Callable[[str, str], None],
    load_ground_truth: Callable[[Path], bool],
    show_queue: Callable[[Sequence[str]], None],
    messages: Messages,
) -> None:
    """Open the first dropped recording, and what was dropped with it.

    A table of tracked faces is opened with its recording, and compared as ground truth if it is
    dropped on an open recording. Other ground truth that is dropped without a recording is loaded
    for the open recording.

    Args:
        paths: The files that were dropped.
        open_path: Opens a recording, or a table or project with its recording if that is known.
        load_ground_truth: Loads ground truth; returns False when there is no recording for it.
        show_queue: Opens the queue window with these recordings.
        messages: Receives what the user should know.
    """
    tables = [path for path in paths if holds_results(Path(path))]
    truth_files = [
        path for path in paths if path not in tables and looks_like_ground_truth(Path(path))
    ]
    recordings = [path for path in paths if path not in (*tables, *truth_files)]
    if tables and recordings:
        open_path(tables[0], recordings[0])
    elif recordings:
        open_path(recordings[0], "")
    elif tables and load_ground_truth(Path(tables[0])):
        _offer_results(tables[0], open_path, messages)
    elif tables:
        open_path(tables[0], "")
    if truth_files and not load_ground_truth(Path(truth_files[0])):
        words = translate(
            "dropping",
            "{name} looks like ground truth: open its recording first, then drop it again.",
        )
        messages.show_message(words.format(name=Path(truth_files[0]).name))
    if len(recordings) > 1:
        _offer_queue(recordings, show_queue, messages)


def _offer_queue(
    recordings: Sequence[str], show_queue: Callable[[Sequence[str]], None], messages: Messages
) -> None:
    words = translate("dropping", "Track and export all {count}…").format(count=len(recordings))
    messages.show_message(
        translate("dropping", "One recording is shown at a time: the first one was opened."),
        [(words, lambda: show_queue(recordings))],
    )


def _offer_results(table: str, open_path: Callable[[str, str], None], messages: Messages) -> None:
    """Say that a table is compared as ground truth, and offer to show it instead."""
    words = translate("dropping", "{name} is compared as ground truth.")
    show = translate("dropping", "Show its landmarks instead")
    messages.show_message(
        words.format(name=Path(table).name), [(show, lambda: open_path(table, ""))], passing=True
    )
