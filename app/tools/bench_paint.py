"""`python -m tools.bench_paint` measures the GUI thread's CPU load during playback."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import av
import numpy as np
import typer

from tools.screenshots import ScreenshotStudio

_WARM_UP_MS = 2000


def make_clip(path: Path, source: Path, *, width: int, height: int, fps: int, seconds: int) -> None:
    """Make a clip that plays the source's first frames forwards and backwards repeatedly.

    Args:
        path: The file to write.
        source: The source video; its first 60 frames are used.
        width: The width of the clip in pixels.
        height: The height of the clip in pixels.
        fps: The frame rate of the clip.
        seconds: The duration of the clip.
    """
    with av.open(str(source)) as source_video:
        frames = [
            frame.reformat(width, height, "yuv420p")
            for _, frame in zip(range(60), source_video.decode(video=0), strict=False)
        ]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(fps * seconds):
            position = i % (2 * len(frames) - 2)
            frame = frames[min(position, 2 * len(frames) - 2 - position)]
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@dataclass(frozen=True, slots=True)
class PaintCost:
    """The cost of painting.

    Attributes:
        gui: CPU time of the GUI thread divided by elapsed time.
        process: CPU time of all threads divided by elapsed time.
        rate: Paints per second.
        paint_ms: Median CPU time of one paint.
    """

    gui: float
    process: float
    rate: float
    paint_ms: float


def measure_paint(
    clip: str, *, seconds: float, size: tuple[int, int], surface: str = "widget"
) -> PaintCost:
    """Play a tracked video and measure the cost of painting.

    Args:
        clip: The video.
        seconds: The duration of the measurement.
        size: The width and height of the window.
        surface: widget, opengl or rhi.
    """
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from steadymark.app.session.state import Phase
    from tools.paint_surfaces import use_surface

    application = QApplication.instance() or QApplication(["steadymark"])
    assert isinstance(application, QApplication)
    with tempfile.TemporaryDirectory() as home:
        studio = ScreenshotStudio(application, Path(home), Path(home))
        window, session = studio.window, studio.window.session
        window.resize(*size)
        paints: list[float] = []
        use_surface(window.view, surface, paints)
        window.open_path(clip)
        studio.until(lambda: session.display.phase is Phase.FINISHED)
        session.source.stop()
        session.recording.set_loop((0, session.display.last))
        session.recording.play()
        loop = QEventLoop()
        QTimer.singleShot(_WARM_UP_MS, loop.quit)
        loop.exec()
        paints.clear()
        gui_s, process_s, wall_s = time.thread_time(), time.process_time(), time.perf_counter()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()
        wall_s = time.perf_counter() - wall_s
        cost = PaintCost(
            (time.thread_time() - gui_s) / wall_s,
            (time.process_time() - process_s) / wall_s,
            len(paints) / wall_s,
            float(np.median(paints)) if paints else float("nan"),
        )
        studio.close()
    return cost


def measure_face_picture(pictures: int = 300) -> float:
    """Return the median CPU time of a picture of the 3D face, 300×300 pixels, in milliseconds."""
    from steadymark.engine.expressions.arkit import SHAPES
    from steadymark.engine.face3d.face3d_picture import ShownFace, draw_face
    from steadymark.engine.face3d.face_mesh import load_face_mesh

    strengths, person = np.full(len(SHAPES), 0.1), load_face_mesh().person(None)
    times_ms = []
    for angle in np.linspace(-0.8, 0.8, pictures):  # from one side to the other
        s, c = np.sin(angle), np.cos(angle)
        face = ShownFace(person, strengths, np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]))
        begin_s = time.thread_time()
        draw_face(face, 300, 300, (244, 244, 244))
        times_ms.append(1000 * (time.thread_time() - begin_s))
    return float(np.median(times_ms))


def main(
    clip: Annotated[Path | None, typer.Option(help="A video; else one is made.")] = None,
    width: Annotated[int, typer.Option(help="Of the video that is made.")] = 1920,
    height: Annotated[int, typer.Option(help="Likewise.")] = 1080,
    fps: Annotated[int, typer.Option(help="Likewise.")] = 60,
    seconds: Annotated[int, typer.Option(help="How long to measure_paint.")] = 10,
    window: Annotated[
        str, typer.Option(help="Size of the window, for example 1280x820.")
    ] = "1440x900",
    surface: Annotated[
        str,
        typer.Option(
            help="widget (what we use), or to compare, on a screen: opengl, rhi. "
            "QT_QPA_PLATFORM=xcb chooses the screen."
        ),
    ] = "widget",
) -> None:
    """Play a tracked video and say what the GUI thread does meanwhile."""
    from steadymark.models.face.schema import assets_root

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # The window is shown before the surface is added, so Qt must know the backend early.
    if surface != "widget":
        os.environ.update(QT_WIDGETS_RHI="1", QT_WIDGETS_RHI_BACKEND="opengl")
    window_width, window_height = (int(v) for v in window.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        path = clip or Path(folder) / "made.mp4"
        if clip is None:
            demo = assets_root() / "clips" / "demo.mp4"
            make_clip(path, demo, width=width, height=height, fps=fps, seconds=5)
        cost = measure_paint(
            str(path), seconds=seconds, size=(window_width, window_height), surface=surface
        )
    typer.echo(
        f"{surface}: GUI thread {100 * cost.gui:.0f} % of a core, all threads "
        f"{100 * cost.process:.0f} %, {cost.rate:.1f} paints a second, "
        f"median {cost.paint_ms:.2f} ms of CPU a paint"
    )
    typer.echo(f"3D face: {measure_face_picture():.2f} ms of CPU a picture of 300×300 pixels")


if __name__ == "__main__":
    typer.run(main)
