"""The five screenshots of "Start here", in each language, for `tools.screenshots --start`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QMenu

from tools.png_palette import reduce_to_palette

if TYPE_CHECKING:
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication

    from tools.screenshots import ScreenshotStudio

LANGUAGES = ("en", "de", "zh_CN")
STEPS = ("open", "track", "verdict", "compare", "export")
_SIZE = 1000, 640
_STILL_FRAME, _TALKING_FRAME = 30, 60


def render_start(folder: Path, clip: str, application: QApplication) -> None:
    """Render `start_STEP_LANGUAGE.png` for each of STEPS and LANGUAGES in 256 colours."""
    from steadymark.app.gui.theme import palette
    from tools.screenshots import ScreenshotStudio

    folder.mkdir(parents=True, exist_ok=True)
    application.setPalette(palette(dark=False))
    for language in LANGUAGES:
        with tempfile.TemporaryDirectory() as home:
            studio = ScreenshotStudio(application, folder, Path(home), language=language)
            studio.window.resize(*_SIZE)
            for step, image in zip(STEPS, _steps(studio, clip), strict=True):
                path = folder / f"start_{step}_{language}.png"
                reduce_to_palette(image).save(str(path), quality=0)
            studio.close()


def _steps(studio: ScreenshotStudio, clip: str) -> list[QImage]:
    """Return an image of the window at each of STEPS."""
    from steadymark.app.session.state import ComparisonLayout, Phase, ShownLandmarks

    window, session = studio.window, studio.window.session
    images = [studio.image()]
    window.open_path(clip)
    studio.until(lambda: session.display.share > 0.3 and session.frame is not None)
    session.recording.toggle_tracking()
    session.recording.pause()
    studio.until(lambda: session.measures is not None)
    images.append(studio.image())
    session.recording.toggle_tracking()
    studio.until(lambda: session.display.phase is Phase.FINISHED)
    for frame in (_STILL_FRAME, _TALKING_FRAME):
        session.recording.seek(frame)
        studio.until(lambda: session.display.frame == frame)  # noqa: B023
        session.measures = None
        session.request_measures()
        studio.until(lambda: session.measures is not None)
        images.append(studio.image())
        session.set_layout(ComparisonLayout.SIDE)
        session.set_shown_landmarks(ShownLandmarks.BOTH)
    images.append(_with_file_menu(studio))
    return images


def _with_file_menu(studio: ScreenshotStudio) -> QImage:
    """Return an image of the window with its first menu open."""
    bar = studio.window.menuBar()
    first = bar.actions()[0]
    image, menu = studio.image(), first.menu()
    assert isinstance(menu, QMenu)
    menu.ensurePolished()
    menu.resize(menu.sizeHint())
    painter = QPainter(image)
    below = bar.actionGeometry(first).bottomLeft()
    painter.drawImage(bar.mapTo(studio.window, below) + QPoint(0, 1), menu.grab().toImage())
    painter.end()
    return image
