"""What is dropped on the window: recordings to open, ground truth to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from steadymark.app.session.analysis.ground_truth import looks_like_ground_truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.app.gui.main_window import MainWindow

translate = QCoreApplication.translate


def take_dropped(window: MainWindow, paths: Sequence[str]) -> None:
    """Open the recording; ground truth counts for it or, alone, for the one that is open."""
    truths = [path for path in paths if looks_like_ground_truth(Path(path))]
    recordings = [path for path in paths if path not in truths]
    if recordings:
        window.open_path(recordings[0])
    if truths and not window.session.analysis.load_truth(Path(truths[0])):
        words = translate(
            "dropping", "{name} looks like ground truth: open its recording first, then drop it."
        )
        window.messages.tell(words.format(name=Path(truths[0]).name))
    if len(recordings) > 1:
        words = translate("dropping", "Track and export all {count}…").format(count=len(recordings))
        window.messages.tell(
            translate("dropping", "One recording is shown at a time: the first was opened."),
            [(words, lambda: window.files.show_queue(recordings))],
        )
