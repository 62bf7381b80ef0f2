"""What is dropped on the window: recordings to open, ground truth to compare with."""

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
    """Open the recording; ground truth counts for it or, alone, for the one that is open."""
    truths = [path for path in paths if looks_like_ground_truth(Path(path))]
    recordings = [path for path in paths if path not in truths]
    if recordings:
        open_path(recordings[0])
    if truths and not load_truth(Path(truths[0])):
        words = translate(
            "dropping", "{name} looks like ground truth: open its recording first, then drop it."
        )
        messages.tell(words.format(name=Path(truths[0]).name))
    if len(recordings) > 1:
        words = translate("dropping", "Track and export all {count}…").format(count=len(recordings))
        messages.tell(
            translate("dropping", "One recording is shown at a time: the first was opened."),
            [(words, lambda: show_queue(recordings))],
        )
