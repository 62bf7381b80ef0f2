"""`python -m steadymark.app.view_cost`: what playing costs the GUI thread, in % of a core."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import av
import numpy as np
import typer

from steadymark.app.screens import Studio

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

_WARM_UP_MS = 2000


def make_clip(path: Path, source: Path, *, width: int, height: int, fps: int, seconds: int) -> None:
    """The source's pictures at another size and rate, again and again."""
    with av.open(str(source)) as given:
        pictures = [
            frame.reformat(width, height, "yuv420p")
            for _, frame in zip(range(60), given.decode(video=0), strict=False)
        ]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(fps * seconds):
            turn = i % (2 * len(pictures) - 2)
            picture = pictures[min(turn, 2 * len(pictures) - 2 - turn)]
            picture.pts = None
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def measure(clip: str, *, seconds: float, size: tuple[int, int]) -> tuple[float, float, float]:
    """Share of a core that the GUI thread takes, paints a second, median ms of a paint."""
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from steadymark.app.session.state import Phase

    application = QApplication.instance() or QApplication(["steadymark"])
    assert isinstance(application, QApplication)
    with tempfile.TemporaryDirectory() as home:
        studio = Studio(application, Path(home), Path(home))
        window, session = studio.window, studio.window.session
        window.resize(*size)
        paints: list[float] = []
        paint = window.view.paintEvent

        def timed(event: QPaintEvent) -> None:
            begun = time.thread_time()
            paint(event)
            paints.append((time.thread_time() - begun) * 1e3)

        window.view.paintEvent = timed  # type: ignore[method-assign]
        window.open_path(clip)
        studio.until(lambda: session.display.phase is Phase.FINISHED)
        session.stop()
        session.set_loop((0, session.display.last))
        session.play()
        loop = QEventLoop()
        QTimer.singleShot(_WARM_UP_MS, loop.quit)
        loop.exec()
        paints.clear()
        cpu_s, wall_s = time.thread_time(), time.perf_counter()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()
        wall_s = time.perf_counter() - wall_s
        share = (time.thread_time() - cpu_s) / wall_s
        studio.close()
    return share, len(paints) / wall_s, float(np.median(paints)) if paints else float("nan")


def main(
    clip: Annotated[Path | None, typer.Option(help="A video; else one is made.")] = None,
    width: Annotated[int, typer.Option(help="Of the video that is made.")] = 1920,
    height: Annotated[int, typer.Option(help="Likewise.")] = 1080,
    fps: Annotated[int, typer.Option(help="Likewise.")] = 60,
    seconds: Annotated[int, typer.Option(help="How long to measure.")] = 10,
    window: Annotated[str, typer.Option(help="Size of the window.")] = "1440x900",
) -> None:
    """Play a tracked video and say what the GUI thread does meanwhile."""
    from steadymark.models.schema import assets_root

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    across, down = (int(v) for v in window.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        path = clip or Path(folder) / "made.mp4"
        if clip is None:
            demo = assets_root() / "clips" / "demo.mp4"
            make_clip(path, demo, width=width, height=height, fps=fps, seconds=5)
        share, rate, paint_ms = measure(str(path), seconds=seconds, size=(across, down))
    typer.echo(
        f"GUI thread {100 * share:.0f} % of a core, {rate:.1f} paints a second, "
        f"median {paint_ms:.2f} ms of CPU a paint"
    )


if __name__ == "__main__":
    typer.run(main)
