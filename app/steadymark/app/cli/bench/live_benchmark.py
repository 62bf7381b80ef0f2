"""`steadymark bench live`: the latency from capture to paint in the real window, off screen."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.app.cli.reports.report_table import ReportTable
from steadymark.engine.core.errors import SourceError
from steadymark.engine.core.types import Frame, SourceInfo
from steadymark.engine.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.models.face.crop import Image
    from steadymark.models.user_text import UserText

_MAX_IMAGES = 240  # number of images in memory; they are shown forwards and backwards in turn
_WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class LiveBenchmarkResult:
    """The result of the benchmark.

    Attributes:
        latency_ms: The latency of each painted frame, from the time when the source was to
            deliver it.
        delivered: The number of frames that the source delivered.
        seconds: The duration of the measurement in seconds.
        cpu_share: The CPU time of the process, as a share of one core.
        stage_ms: The median time to track one frame.
        recorded: The number of recorded frames.
        not_recorded: The number of frames that the recording dropped.
    """

    latency_ms: tuple[float, ...]
    delivered: int
    seconds: float
    cpu_share: float
    stage_ms: float
    recorded: int = 0
    not_recorded: int = 0

    @property
    def dropped(self) -> int:
        """Return the number of delivered frames that were not painted."""
        return max(0, self.delivered - len(self.latency_ms))

    @property
    def fps(self) -> float:
        """Return the number of painted frames per second."""
        return len(self.latency_ms) / self.seconds if self.seconds else 0.0


class PacedSource:
    """A live source that delivers images at a steady rate, like a camera."""

    problems: tuple[UserText, ...] = ()

    def __init__(self, pictures: list[Image], fps: float) -> None:
        self._pictures, self._fps = pictures, fps
        self._closed = Event()
        self.dropped = 0
        height, width = pictures[0].shape[:2]
        self.info = SourceInfo("paced source", "paced", width, height, fps, None, live=True)

    def frames(self) -> Iterator[Frame]:
        """Yield a frame at each due time until the source is closed."""
        begun_s, index, last = time.perf_counter(), 0, len(self._pictures) - 1
        while True:
            due_s = begun_s + index / self._fps
            if self._closed.wait(max(0.0, due_s - time.perf_counter())):
                return
            turn = index % (2 * last) if last else 0
            image = self._pictures[min(turn, 2 * last - turn)].copy()
            yield Frame(image, index, index / self._fps, due_s)
            index += 1

    def close(self) -> None:
        """End `frames`."""
        self._closed.set()

    def join(self, timeout_s: float) -> bool:
        """Return True because the source has no thread."""
        return True


def read_images(clip: str, size: tuple[int, int] | None) -> list[Image]:
    """Read the first images of a video, scaled to (width, height); None keeps their size.

    Raises:
        SourceError: The video has no images.
    """
    source = open_source(clip)
    pictures: list[Image] = []
    for frame in source.frames():
        image = frame.image
        if size is not None and size != (frame.width, frame.height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        pictures.append(image)
        if len(pictures) == _MAX_IMAGES:
            break
    source.close()
    if not pictures:
        raise SourceError(f"{clip} has no pictures: choose another video")
    return pictures


def measure_live(
    pictures: list[Image], *, fps: float, seconds: float, window_size: tuple[int, int], record: bool
) -> LiveBenchmarkResult:
    """Show a paced source in the real window, and measure the latency after a warm-up.

    Args:
        pictures: The images of the source.
        fps: The rate of the source.
        seconds: The duration of the measurement.
        window_size: Width and height of the window in pixels.
        record: Whether the live view is also recorded to a video and a table.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QEventLoop, QSettings, QTimer, qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    from steadymark.app.gui.application import make_window
    from steadymark.app.session.live.open_stream import LiveTarget

    application = QApplication.instance() or QApplication(["steadymark"])
    qInstallMessageHandler(lambda *_: None)  # the offscreen platform warns about missing features
    source = PacedSource(pictures, fps)
    loop, latencies = QEventLoop(), list[tuple[int, float]]()
    with tempfile.TemporaryDirectory() as home:
        settings = QSettings(str(Path(home) / "s.ini"), QSettings.Format.IniFormat)
        window = make_window(settings, Path(home) / "sessions", None, opener=lambda *_: source)
        live = window.session.live

        def painted(frame: Frame) -> None:
            if not latencies or latencies[-1][0] != frame.index:
                latencies.append((frame.index, (time.perf_counter() - frame.captured_s) * 1e3))

        def run(for_s: float) -> None:
            QTimer.singleShot(round(for_s * 1000), loop.quit)
            loop.exec()

        window.resize(*window_size)
        window.show()
        window.session.open_live(LiveTarget("paced"))
        window.session.message_posted.connect(loop.quit)
        window.session.frame_changed.connect(loop.quit)
        if window.session.frame is None:
            loop.exec()
        window.session.message_posted.disconnect(loop.quit)
        window.session.frame_changed.disconnect(loop.quit)
        if record:
            live.start_recording(Path(home))
        run(_WARM_UP_S)
        window.view.frame_painted.connect(painted)
        first, cpu_s, begun_s = _newest(window.session.frame), time.process_time(), _now()
        run(seconds)
        cpu_s, took_s = time.process_time() - cpu_s, _now() - begun_s
        window.view.frame_painted.disconnect(painted)
        delivered, figures = _newest(window.session.frame) - first, live.figures()
        stage_ms = live.median_ms
        window.close_questions.asks = False
        window.close()
        window.deleteLater()
        application.sendPostedEvents()
    recorder = figures.recording
    return LiveBenchmarkResult(
        tuple(ms for index, ms in latencies if index > first),
        delivered,
        took_s,
        cpu_s / took_s,
        stage_ms,
        0 if recorder is None else recorder.frames,
        0 if recorder is None else recorder.dropped,
    )


def _newest(frame: Frame | None) -> int:
    return -1 if frame is None else frame.index


def _now() -> float:
    return time.perf_counter()


def live_table(result: LiveBenchmarkResult, title: str, *, recorded: bool) -> ReportTable:
    """Return a table with a row for each figure. recorded: whether the live view was recorded."""
    latency = np.percentile(result.latency_ms, (50, 95, 100)) if result.latency_ms else [np.nan] * 3
    table = ReportTable(("what",), ("value",), title=title)
    table.add_row("latency, median", f"{latency[0]:.1f} ms")
    table.add_row("latency, 95 %", f"{latency[1]:.1f} ms")
    table.add_row("latency, most", f"{latency[2]:.1f} ms")
    table.add_row("painted", f"{result.fps:.1f} fps")
    table.add_row("dropped", f"{result.dropped} of {result.delivered}")
    table.add_row("tracking, median", f"{result.stage_ms:.1f} ms")
    table.add_row("CPU", f"{100 * result.cpu_share:.0f} % of a core")
    if recorded:
        table.add_row("recorded", f"{result.recorded}, {result.not_recorded} dropped")
    return table
