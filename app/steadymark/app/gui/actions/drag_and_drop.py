"""Handling of files that are dropped on the window: recordings and ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from steadymark.app.session.analysis.ground_truth import looks_like_ground_truth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.gui.messages import Messages

translate = QCoreApplication.translate


def open_dropped_files(
    paths: Sequence[str],
    *,
    open_path: Callable[[str], None],
    load_ground_truth: Callable[[Path], bool],
    show_queue: Callable[[Sequence[str]], None],
    messages: Messages,
) -> None:
    """Open the first dropped recording and load the first dropped ground truth.

    Ground truth that is dropped without a recording is loaded for the open recording.

    Args:
        paths: The files that were dropped.
        open_path: Opens a recording.
        load_ground_truth: Loads ground truth; returns False when there is no recording for it.
        show_queue: Opens the queue window with these recordings.
        messages: Receives what the user should know.
    """
    truth_files = [path for path in paths if looks_like_ground_truth(Path(path))]
    recordings = [path for path in paths if path not in truth_files]
    if recordings:
        open_path(recordings[0])
    if truth_files and not load_ground_truth(Path(truth_files[0])):
        words = translate(
            "dropping",
            "{name} looks like ground truth: open its recording first, then drop it again.",
        )
        messages.show_message(words.format(name=Path(truth_files[0]).name))
    if len(recordings) > 1:
        words = translate("dropping", "Track and export all {count}…").format(count=len(recordings))
        messages.show_message(
            translate("dropping", "One recording is shown at a time: the first one was opened."),
            [(words, lambda: show_queue(recordings))],
        )
