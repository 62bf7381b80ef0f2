"""`python -m tools.screenshots FOLDER` renders every main screen as a PNG for inspection."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tools.png_palette import reduce_to_palette
from tools.screenshots_errors import shoot_faults
from tools.screenshots_faces import shoot_faces, shoot_filters
from tools.screenshots_live import shoot_gaze, shoot_live
from tools.screenshots_start import render_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication, QWidget

    from steadymark.app.gui.main_window import MainWindow

SIZES = {"small": (900, 600), "large": (1440, 900)}
_README_SIZE, _README_FRAMES = (1200, 750), {"light": 60, "dark": 122}
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class WindowAppearance:
    """The appearance of the window; scale is in device pixels per point."""

    dark: bool = False
    language: str = "en"
    scale: int = 1


VARIANTS = {
    "light": WindowAppearance(),
    "dark": WindowAppearance(dark=True),
    "de": WindowAppearance(language="de"),
    "zh_CN": WindowAppearance(language="zh_CN", dark=True),
    "200": WindowAppearance(scale=2),
}


class ScreenshotStudio:
    """One window that is brought into different states and captured."""

    def __init__(
        self, application: QApplication, folder: Path, home: Path, *, language: str = "en"
    ) -> None:
        from PySide6.QtCore import QSettings

        from steadymark.app.gui.application import make_window

        self._application, self._folder = application, folder
        settings = QSettings(str(home / "settings.ini"), QSettings.Format.IniFormat)
        settings.setValue("language", language)
        self.window: MainWindow = make_window(settings, home / "sessions", home / "steadymark.log")
        self.window.show()

    def until(self, condition: Callable[[], bool]) -> None:
        """Run the event loop until the condition is true.

        Raises:
            TimeoutError: The condition did not become true in time.
        """
        from PySide6.QtCore import QEventLoop, QTimer

        if condition():
            return
        loop = QEventLoop()
        session = self.window.session
        signals = [
            session.changed,
            session.frame_changed,
            session.results_changed,
            session.measures_changed,
            session.doubts.changed,
            session.message_posted,
            session.analysis.heatmaps_changed,
            self.window.options.own_models.message_posted,
            self.window.exports.ended,
        ]
        if self.window.exports.queue_window is not None:
            signals.append(self.window.exports.queue_window.changed)

        def quit_if_true() -> None:
            if condition():
                loop.quit()

        for signal in signals:
            signal.connect(quit_if_true)
        QTimer.singleShot(int(_TIMEOUT_S * 1000), loop.quit)
        loop.exec()
        for signal in signals:
            signal.disconnect(quit_if_true)
        if not condition():
            raise TimeoutError("the window did not come to the state to be shown")

    def shoot(self, name: str) -> None:
        """Capture the window at all sizes."""
        for label, (width, height) in SIZES.items():
            for _ in range(2):  # Qt makes the docks smaller only in a second pass
                self.window.resize(width, height)
                self._settle()
            self.window.grab().save(str(self._folder / f"{name}_{label}.png"))

    def shoot_dialog(self, name: str, command: str) -> None:
        """Capture the dialog that a command opens."""
        from PySide6.QtWidgets import QDialog

        self.window.actions_by_name[command].trigger()
        self._settle()
        for dialog in self.window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.grab().save(str(self._folder / f"{name}.png"))
                dialog.reject()

    def image(self) -> QImage:
        """Capture the window at the size that it has."""
        self._settle()
        return self.window.grab().toImage()

    def save_small(self, path: Path) -> None:
        """Capture the window in 256 colours."""
        self.window.resize(*_README_SIZE)
        reduce_to_palette(self.image()).save(str(path), quality=0)

    def shoot_widget(self, widget: QWidget, name: str) -> None:
        """Capture a window beside the main one."""
        self._settle()
        widget.grab().save(str(self._folder / f"{name}.png"))

    def close(self) -> None:
        self.window.close()
        self.window.deleteLater()
        self._settle()

    def _settle(self) -> None:
        """Wait until pending layouts and paints are done."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(60, loop.quit)
        loop.exec()
        self._application.sendPostedEvents()


def render(folder: Path, clip: str, name: str) -> None:
    """Render all screens of one of VARIANTS.

    The scale of the variant is not applied here, because Qt reads it from the environment.
    """
    from steadymark.app.gui.theme import palette

    folder.mkdir(parents=True, exist_ok=True)
    variant, application = VARIANTS[name], _application()
    with tempfile.TemporaryDirectory() as home:
        studio = ScreenshotStudio(application, folder, Path(home), language=variant.language)
        application.setPalette(palette(dark=variant.dark))
        _shoot_start(studio, name, Path(home), clip)
        _shoot_comparison(studio, name)
        _shoot_pose(studio, name)
        _shoot_review(studio, name)
        shoot_gaze(studio, name)
        _shoot_export(studio, name, Path(home))
        _shoot_analysis(studio, name)
        shoot_filters(studio, name)
        shoot_faces(studio, name, Path(home))
        _shoot_queue(studio, name, Path(home), clip)
        shoot_live(studio, name, folder, Path(home))
        studio.shoot_dialog(f"{name}_shortcuts", "shortcuts")
        studio.shoot_dialog(f"{name}_about", "about")
        studio.close()


def _application() -> QApplication:
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication(["steadymark"])
    assert isinstance(application, QApplication)
    return application


def _shoot_start(studio: ScreenshotStudio, scheme: str, home: Path, clip: str) -> None:
    """Capture the start page, errors, and tracking in progress."""
    window, session = studio.window, studio.window.session
    studio.shoot(f"{scheme}_empty")
    shoot_faults(studio, scheme, home, clip)
    window.open_path(clip)
    studio.until(lambda: session.display.share > 0.3 and session.frame is not None)
    session.recording.toggle_tracking()
    session.recording.pause()
    studio.until(lambda: session.measures is not None)
    studio.shoot(f"{scheme}_tracking")


def _shoot_comparison(studio: ScreenshotStudio, scheme: str) -> None:
    """Capture raw and stabilized landmarks: overlaid, wiped and side by side."""
    from steadymark.app.session.state import ComparisonLayout, Phase, ShownLandmarks

    window, session = studio.window, studio.window.session
    session.recording.toggle_tracking()
    session.recording.seek(100)
    studio.until(lambda: session.display.phase is Phase.FINISHED and session.display.frame == 100)
    session.set_shown_landmarks(ShownLandmarks.BOTH)
    session.measures = None
    session.request_measures()
    studio.until(lambda: session.measures is not None)
    studio.shoot(f"{scheme}_both")
    session.set_layout(ComparisonLayout.WIPE)
    window.docks.settings.raise_()
    studio.shoot(f"{scheme}_wipe_settings")
    session.set_layout(ComparisonLayout.SIDE)
    overlay = session.display.overlay
    session.set_overlay(replace(overlay, trails=True, scores=True, crop=True, boxes=True, ids=True))
    studio.shoot(f"{scheme}_side_trails")


def _shoot_pose(studio: ScreenshotStudio, scheme: str) -> None:
    """Capture the head pose (axes, values and curves), and the 3D face."""
    from steadymark.app.session.state import ComparisonLayout, ShownLandmarks

    window, session = studio.window, studio.window.session
    overlay = session.display.overlay
    session.set_layout(ComparisonLayout.TOGETHER)
    session.set_shown_landmarks(ShownLandmarks.STABILIZED)
    bare = replace(overlay, trails=False, scores=False, crop=False, boxes=False, ids=False)
    session.set_overlay(replace(bare, drawings=("axes",)))
    window.docks.statistics.raise_()
    window.plots.show_plots("head_pose", "jitter")
    studio.shoot(f"{scheme}_head_pose")
    window.docks.face3d.show()
    studio.shoot(f"{scheme}_face3d")
    window.docks.face3d.hide()
    window.plots.show_plots("jitter", "x")
    session.set_overlay(overlay)


def _shoot_review(studio: ScreenshotStudio, scheme: str) -> None:
    """Capture the doubtful stretches and their limits; no decision, which would write a project."""
    window, doubts = studio.window, studio.window.session.doubts
    studio.until(lambda: doubts.complete)
    window.actions_by_name["next_doubt"].trigger()
    window.review.limits_button.click()
    studio.shoot(f"{scheme}_review")
    window.review.limits_button.click()
    window.docks.statistics.raise_()


def _shoot_export(studio: ScreenshotStudio, scheme: str, home: Path) -> None:
    """Capture a running export with settings that wait, and then numbers at high zoom."""
    from steadymark.app.session.export import ExportKind
    from steadymark.app.session.state import ShownLandmarks

    window, session = studio.window, studio.window.session
    window.settings.max_faces.setValue(4)
    window.files.export(ExportKind.VIDEO, home / "demo_landmarks.mp4")
    studio.shoot(f"{scheme}_exporting")
    studio.until(lambda: window.exports.running == 0)
    window.settings.reset.click()
    session.set_shown_landmarks(ShownLandmarks.STABILIZED)
    session.set_overlay(replace(session.display.overlay, numbers=True, trails=False))
    window.view.zoom(5)
    studio.shoot(f"{scheme}_zoomed_numbers")


def render_readme(folder: Path, clip: str) -> None:
    """Render window_light.png and window_dark.png in 256 colours."""
    from steadymark.app.gui.theme import palette
    from steadymark.app.session.state import ComparisonLayout, Phase, ShownLandmarks

    folder.mkdir(parents=True, exist_ok=True)
    application = _application()
    for name in ("light", "dark"):
        with tempfile.TemporaryDirectory() as home:
            studio = ScreenshotStudio(application, folder, Path(home))
            application.setPalette(palette(dark=name == "dark"))
            session = studio.window.session
            studio.window.open_path(clip)
            studio.until(lambda: session.display.phase is Phase.FINISHED)  # noqa: B023
            session.recording.pause()
            frame = _README_FRAMES[name]
            session.recording.seek(frame)
            studio.until(lambda: session.display.frame == frame)  # noqa: B023
            session.set_layout(ComparisonLayout.SIDE)
            session.set_shown_landmarks(
                ShownLandmarks.BOTH if name == "light" else ShownLandmarks.STABILIZED
            )
            overlay = session.display.overlay
            session.set_overlay(replace(overlay, trails=name == "dark", crop=name == "dark"))
            session.measures = None
            session.request_measures()
            studio.until(lambda: session.measures is not None)  # noqa: B023
            studio.save_small(folder / f"window_{name}.png")
            studio.close()


def render_scaled(folder: Path, clip: str, name: str) -> None:
    """Render in a new process, because Qt reads the scale only once."""
    code = "import sys; from tools.screenshots import *; render(Path(sys.argv[1]), *sys.argv[2:])"
    env = {**os.environ, "QT_SCALE_FACTOR": str(VARIANTS[name].scale)}
    subprocess.run([sys.executable, "-c", code, str(folder), clip, name], env=env, check=True)


def _shoot_analysis(studio: ScreenshotStudio, scheme: str) -> None:
    """Capture heatmaps, and two variants with one of them being tracked."""
    from steadymark.app.session.analysis.variants import RAW, Variant
    from steadymark.app.session.state import ComparisonLayout

    window, session = studio.window, studio.window.session
    window.view.fit()
    window.docks.statistics.raise_()
    overlay = replace(session.display.overlay, numbers=False, scores=False, boxes=False, ids=False)
    session.set_overlay(replace(overlay, heatmaps=True, crop=True))
    studio.until(lambda: window.view.shown is not None and bool(window.view.shown.heatmaps))
    studio.shoot(f"{scheme}_heatmaps")
    session.set_overlay(replace(overlay, crop=False))
    window.comparison.compare((RAW, Variant("refine", "heatmap1d-lite")))
    session.set_layout(ComparisonLayout.SIDE)
    studio.until(lambda: any(share > 0.4 for _, share in session.analysis.running_passes()))
    studio.shoot(f"{scheme}_second_pass")
    studio.until(lambda: not session.analysis.running_passes())
    session.measures = None
    session.request_measures()
    studio.until(lambda: session.measures is not None)
    studio.shoot(f"{scheme}_compared")


def _shoot_queue(studio: ScreenshotStudio, scheme: str, home: Path, clip: str) -> None:
    """Capture the queue: one video done, one bad, two being tracked, one not begun."""
    window = studio.window
    bad = home / "bad.mp4"
    bad.write_bytes(b"no video")
    window.files.show_queue([str(bad), clip])
    dialog = window.exports.queue_window
    assert dialog is not None
    dialog.folder.setText(str(home / "tables"))
    dialog.start_button.click()
    studio.until(lambda: dialog.queue.running == 0)
    dialog.replace_files.setChecked(True)
    dialog.processes.setValue(2)
    dialog.add([clip, shutil.copy(clip, str(home / "another.mp4"))])
    dialog.start_button.click()
    studio.until(lambda: all(item.frames > 30 for item in dialog.queue.items[-2:]))
    dialog.add(["a video to come.mp4"])
    studio.shoot_widget(dialog, f"{scheme}_queue")
    dialog.queue.cancel_all()
    studio.until(lambda: dialog.queue.running == 0)


def main(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")],
    clip: Annotated[Path | None, typer.Option(help="A video; by default the demo clip.")] = None,
    only: Annotated[str, typer.Option(help=f"Some of {', '.join(VARIANTS)}.")] = "",
    readme: Annotated[
        bool, typer.Option("--readme", help="Only the two of README and docs/guide.md.")
    ] = False,
    start: Annotated[
        bool, typer.Option("--start", help="Only those of 'Start here', in each language.")
    ] = False,
) -> None:
    """Render every main screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from steadymark.models.face.schema import assets_root

    video = str(clip or assets_root() / "clips" / "demo.mp4")
    if readme:
        render_readme(folder, video)
    elif start:
        render_start(folder, video, _application())
    else:
        for name in only.split(",") if only else VARIANTS:
            (render if VARIANTS[name].scale == 1 else render_scaled)(folder, video, name)
    typer.echo(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    typer.run(main)
