"""Screens of real error messages, for `tools.screenshots`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.models.runtime.zoo import DEFAULT_MODEL, weights_folder

if TYPE_CHECKING:
    from tools.screenshots import ScreenshotStudio


def shoot_faults(studio: ScreenshotStudio, scheme: str, home: Path, clip: str) -> None:
    """Capture errors: a text file named .mp4, a truncated video, an altered model, a bad folder."""
    window = studio.window
    text, cut = home / "notes.mp4", home / "cut.mp4"
    text.write_text("not a video", encoding="utf-8")
    cut.write_bytes(Path(clip).read_bytes()[: Path(clip).stat().st_size // 10])
    window.open_path(str(text))
    studio.until(lambda: bool(window.messages.texts))
    window.options.own_models.add(_altered(home))
    studio.until(lambda: len(window.messages.texts) > 1)
    studio.shoot(f"{scheme}_error")
    window.open_path(str(cut))
    studio.until(lambda: bool(window.messages.texts) and window.session.frame is not None)
    studio.shoot(f"{scheme}_error_cut")
    window.session.close_source()
    _shoot_queue(studio, scheme, text, clip)


def _altered(home: Path) -> Path:
    """Return a model that is one byte longer than its card states."""
    folder = home / "altered"
    folder.mkdir()
    for suffix in (".onnx", ".json"):
        shutil.copy(weights_folder() / f"{DEFAULT_MODEL}{suffix}", folder)
    path = folder / f"{DEFAULT_MODEL}.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    return path


def _shoot_queue(studio: ScreenshotStudio, scheme: str, text: Path, clip: str) -> None:
    """Capture a queue whose output folder cannot be created, because a file has its name."""
    from steadymark.engine.pipeline.job import OutputSettings

    window = studio.window
    window.files.show_queue([])
    dialog = window.exports.queue_window
    assert dialog is not None
    dialog.queue.add([str(text)], window.session.settings, OutputSettings(text.parent / "out"))
    dialog.queue.add([clip], window.session.settings, OutputSettings(text / "out"))
    studio.until(lambda: dialog.queue.running == 0)
    dialog.list.resizeColumnToContents(2)
    studio.shoot_widget(dialog, f"{scheme}_error_queue")
    dialog.queue.clear()
    dialog.close()
