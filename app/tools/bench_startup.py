"""`python -m tools.bench_startup` measures starting, opening a video and quitting."""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from steadymark.app.gui.main_window import MainWindow

USABLE_S, TRACKED_S, QUIT_S = 2.0, 1.0, 2.0
_TIMEOUT_S = 120
_START_TIME_VARIABLE = (
    "STEADYMARK_STARTED_S"  # start time of the child process, from time.monotonic
)


@dataclass(frozen=True, slots=True)
class StartupTimes:
    """Times of one run of the program.

    Attributes:
        usable_s: Seconds from the start until the window is painted and responds.
        tracked_s: Seconds from opening a video until a frame with landmarks is painted.
        quit_s: Seconds from closing the window until the process has ended.
        threads: The names of threads that were still running after closing.
        torch: Whether torch was imported.
        files: The files that were read.
    """

    usable_s: float
    tracked_s: float
    quit_s: float
    threads: tuple[str, ...]
    torch: bool
    files: tuple[str, ...]


def measure_startup(clip: Path) -> StartupTimes:
    """Start the program in a new process with its own home folder, open the clip, and quit.

    Raises:
        RuntimeError: The program did not reach the end of these steps.
    """
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
        env |= dict.fromkeys(("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), home)
        env[_START_TIME_VARIABLE] = repr(time.monotonic())
        command = [sys.executable, "-m", "tools.bench_startup", "--watched", str(clip)]
        process = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
        ended_s = time.monotonic()
    lines = process.stdout.splitlines()
    if process.returncode != 0 or not lines:
        raise RuntimeError(f"the window did not come so far: {process.stderr.strip()[-400:]}")
    report = json.loads(lines[-1])
    return StartupTimes(
        report["usable_s"],
        report["tracked_s"],
        ended_s - report["closed_s"],
        tuple(report["threads"]),
        report["torch"],
        tuple(report["files"]),
    )


def drop_from_cache(files: tuple[str, ...]) -> None:
    """Ask the system to drop these files from its cache, if it supports that.

    Files that other processes have mapped stay in the cache.
    """
    advise = getattr(os, "posix_fadvise", None)
    if advise is None:
        return
    for name in files:
        try:
            with Path(name).open("rb") as file:
                advise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            continue


class _EventTimes:
    """Records the times of the window's events, and opens and closes the window's recording."""

    def __init__(self, clip: str) -> None:
        self.clip = clip
        self.usable_s = self.opened_s = self.tracked_s = self.closed_s = 0.0

    def __call__(self, window: MainWindow) -> None:
        from PySide6.QtCore import QEvent, QObject, QTimer

        times = self

        class FirstPaint(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.Paint:
                    window.start_page.removeEventFilter(self)
                    QTimer.singleShot(0, lambda: times.usable(window))  # after all pending events
                return False

        window.start_page.installEventFilter(FirstPaint(window))
        window.view.frame_painted.connect(lambda _: self.painted(window))

    def usable(self, window: MainWindow) -> None:
        self.usable_s = time.monotonic()
        self.opened_s = time.monotonic()
        window.open_path(self.clip)

    def painted(self, window: MainWindow) -> None:
        shown = window.view.shown
        if self.tracked_s or shown is None or not shown.faces:
            return
        from PySide6.QtCore import QTimer

        self.tracked_s = time.monotonic()
        QTimer.singleShot(0, lambda: self.close(window))

    def close(self, window: MainWindow) -> None:
        self.closed_s = time.monotonic()
        window.close()


def _run_watched(clip: str) -> int:
    """Run the program as the command 'steadymark' does, and print the times as one line of JSON."""
    gc.disable()
    from steadymark.app.cli import main as cli  # noqa: F401, what the command imports counts
    from steadymark.app.gui.application import run_window

    times = _EventTimes(clip)
    code = run_window(on_window=times)
    main = threading.main_thread()
    typer.echo(
        json.dumps(
            {
                "usable_s": times.usable_s - float(os.environ[_START_TIME_VARIABLE]),
                "tracked_s": times.tracked_s - times.opened_s,
                "closed_s": times.closed_s,
                "threads": [t.name for t in threading.enumerate() if t is not main],
                "torch": "torch" in sys.modules,
                "files": sorted(_read_files()),
            }
        )
    )
    return code


def _read_files() -> set[str]:
    files = {str(getattr(m, "__cached__", None) or "") for m in list(sys.modules.values())}
    memory_maps = Path("/proc/self/maps")
    if memory_maps.is_file():
        files |= {
            line.split(maxsplit=5)[5]
            for line in memory_maps.read_text().splitlines()
            if "/" in line
        }
    return {name for name in files if name and Path(name).is_file()}


def main(
    clip: Annotated[Path | None, typer.Option(help="A video; else one of 1080p is made.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Warm runs; their median counts.")] = 5,
    watched: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start, open and quit several times; exit code 1 where a limit is missed."""
    if watched is not None:
        raise typer.Exit(_run_watched(str(watched)))
    with tempfile.TemporaryDirectory() as folder:
        video = clip or Path(folder) / "made.mp4"
        if clip is None:
            from steadymark.models.face.schema import assets_root
            from tools.bench_paint import make_clip

            demo = assets_root() / "clips" / "demo.mp4"
            make_clip(video, demo, width=1920, height=1080, fps=30, seconds=10)
        drop_from_cache(measure_startup(video).files)
        cold = measure_startup(video)
        warm = [measure_startup(video) for _ in range(runs)]
    raise typer.Exit(_report(cold, warm))


def _report(cold: StartupTimes, warm: list[StartupTimes]) -> int:
    table = Table(box=SIMPLE)
    for name in ("", "cold", f"warm, median of {len(warm)}", "least … most", "limit"):
        table.add_column(name, justify="right" if name else "left")
    missed = False
    for label, name, limit_s in (
        ("start until usable", "usable_s", USABLE_S),
        ("open until a tracked frame is painted", "tracked_s", TRACKED_S),
        ("close until the process is gone", "quit_s", QUIT_S),
    ):
        values = [getattr(start, name) for start in warm]
        middle = statistics.median(values)
        missed |= middle > limit_s
        table.add_row(
            label,
            f"{getattr(cold, name):.2f} s",
            f"{middle:.2f} s",
            f"{min(values):.2f} … {max(values):.2f} s",
            f"{limit_s:g} s",
        )
    remaining = sorted({name for start in (cold, *warm) for name in start.threads})
    torch = any(start.torch for start in (cold, *warm))
    out = Console()
    out.print(table)
    out.print(
        f"threads left: {', '.join(remaining) or 'none'}; "
        f"torch imported: {'yes' if torch else 'no'}"
    )
    return int(missed or torch or bool(remaining))


if __name__ == "__main__":
    typer.run(main)
