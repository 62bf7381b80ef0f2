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


def take_dropped(
    paths: Sequence[str],
    *,
    open_path: Callable[[str], None],
    load_truth: Callable[[Path], bool],
    show_queue: Callable[[Sequence[str]], None],
    messages: Messages,
) -> None:
    """Open the first dropped recording and load the first dropped ground truth.

    Ground truth that is dropped alone belongs to the recording that is already open.

    Args:
        paths: The files that were dropped.
        open_path: Opens a recording.
        load_truth: Loads ground truth; returns False when there is no recording for it.
        show_queue: Opens the queue window with these recordings.
        messages: Receives what the user should know.
    """
    truths = [path for path in paths if looks_like_ground_truth(Path(path))]
    recordings = [path for path in paths if path not in truths]
    if recordings:
        open_path(recordings[0])
    if truths and not load_truth(Path(truths[0])):
        words = translate(
            "dropping",
            "{name} looks like ground truth: open its recording first, then drop it again.",
        )
        messages.tell(words.format(name=Path(truths[0]).name))
    if len(recordings) > 1:
        words = translate("dropping", "Track and export all {count}…").format(count=len(recordings))
        messages.tell(
            translate("dropping", "One recording is shown at a time: the first one was opened."),
            [(words, lambda: show_queue(recordings))],
        )
