"""`python -m steadymark.app.screens FOLDER`: every main screen as a PNG, to be looked at."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steadymark.app.screens_live import shoot_live

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication

    from steadymark.app.window.main_window import MainWindow

SIZES = {"small": (900, 600), "large": (1440, 900)}
_PATIENCE_S = 120.0


class Studio:
    """One window, brought from state to state and photographed."""

    def __init__(self, application: QApplication, folder: Path, home: Path) -> None:
        from PySide6.QtCore import QSettings

        from steadymark.app.window.start import make_window

        self._application, self._folder = application, folder
        settings = QSettings(str(home / "settings.ini"), QSettings.Format.IniFormat)
        self.window: MainWindow = make_window(settings, home / "sessions", home / "steadymark.log")
        self.window.show()

    def until(self, there: Callable[[], bool]) -> None:
        """Run the window until that is so."""
        from PySide6.QtCore import QEventLoop, QTimer

        if there():
            return
        loop = QEventLoop()
        session = self.window.session
        signals = (
            session.changed,
            session.pictured,
            session.progressed,
            session.measured,
            session.told,
            self.window.exports.ended,
        )

        def look() -> None:
            if there():
                loop.quit()

        for signal in signals:
            signal.connect(look)
        QTimer.singleShot(int(_PATIENCE_S * 1000), loop.quit)
        loop.exec()
        for signal in signals:
            signal.disconnect(look)
        if not there():
            raise TimeoutError("the window did not come to the state to be shown")

    def shoot(self, name: str) -> None:
        """At both sizes."""
        for label, (width, height) in SIZES.items():
            self.window.resize(width, height)
            self._settle()
            self.window.grab().save(str(self._folder / f"{name}_{label}.png"))

    def close(self) -> None:
        self.window.close()
        self.window.deleteLater()
        self._settle()

    def _settle(self) -> None:
        """Layouts and paints that are posted are done."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(60, loop.quit)
        loop.exec()
        self._application.sendPostedEvents()


def render(folder: Path, clip: str, *, dark: bool) -> None:
    """All screens in one of the two colour schemes."""
    from PySide6.QtWidgets import QApplication

    from steadymark.app.window.theme import palette

    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication.instance() or QApplication(["steadymark"])
    assert isinstance(application, QApplication)
    scheme = "dark" if dark else "light"
    with tempfile.TemporaryDirectory() as home:
        studio = Studio(application, folder, Path(home))
        application.setPalette(palette(dark=dark))
        _shoot_beginning(studio, scheme, clip)
        _shoot_comparing(studio, scheme)
        _shoot_working(studio, scheme, Path(home))
        shoot_live(studio, scheme, folder, Path(home))
        studio.close()


def _shoot_beginning(studio: Studio, scheme: str, clip: str) -> None:
    """Empty, a fault, and tracking that is held in the middle."""
    window, session = studio.window, studio.window.session
    studio.shoot(f"{scheme}_empty")
    window.open_path("missing video.mp4")
    studio.until(lambda: bool(window.messages.texts))
    studio.shoot(f"{scheme}_error")
    window.open_path(clip)
    studio.until(lambda: session.display.share > 0.3 and session.frame is not None)
    session.toggle_tracking()
    session.pause()
    studio.until(lambda: session.measures is not None)
    studio.shoot(f"{scheme}_tracking")


def _shoot_comparing(studio: Studio, scheme: str) -> None:
    """Raw and stabilized: over each other, wiped, side by side."""
    from steadymark.app.session.state import Layout, Phase, Show

    window, session = studio.window, studio.window.session
    session.toggle_tracking()
    session.seek(100)
    studio.until(lambda: session.display.phase is Phase.FINISHED and session.display.frame == 100)
    results = session.results
    assert results is not None
    session.use_settings(replace(session.settings, stabilizer="one-euro"))
    window.settings.show_settings(session.settings)
    session.set_show(Show.BOTH)
    studio.until(lambda: results.version > 0)
    session.measures = None
    session.ask_measures()
    studio.until(lambda: session.measures is not None)
    studio.shoot(f"{scheme}_both")
    session.set_layout(Layout.WIPE)
    window.settings_dock.raise_()
    studio.shoot(f"{scheme}_wipe_settings")
    session.set_layout(Layout.SIDE)
    overlay = session.display.overlay
    session.set_overlay(replace(overlay, trails=True, scores=True, crop=True, boxes=True, ids=True))
    studio.shoot(f"{scheme}_side_trails")


def _shoot_working(studio: Studio, scheme: str, home: Path) -> None:
    """An export under way with settings that wait, then numbers close up."""
    from steadymark.app.session.exporting import Kind
    from steadymark.app.session.state import Show

    window, session = studio.window, studio.window.session
    window.settings.faces.setValue(4)
    window.files.export(Kind.VIDEO, home / "demo_landmarks.mp4")
    studio.shoot(f"{scheme}_exporting")
    studio.until(lambda: window.exports.running == 0)
    window.settings.reset.click()
    session.set_show(Show.STABILIZED)
    session.set_overlay(replace(session.display.overlay, numbers=True, trails=False))
    window.view.zoom(5)
    studio.shoot(f"{scheme}_zoomed_numbers")


def main(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")],
    clip: Annotated[Path | None, typer.Option(help="A video; else the demo clip.")] = None,
    scheme: Annotated[str, typer.Option(help="light, dark or both.")] = "both",
    scale: Annotated[float, typer.Option(help="Device pixels a point: 2 for 200 %.")] = 1.0,
) -> None:
    """Render every main screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = f"{scale:g}"
    from steadymark.models.schema import assets_root

    video = str(clip or assets_root() / "clips" / "demo.mp4")
    for dark in (False, True):
        if scheme in ("both", "dark" if dark else "light"):
            render(folder, video, dark=dark)
    typer.echo(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    typer.run(main)
