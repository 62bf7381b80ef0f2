"""A program that tracks a video and writes a table as OpenFace does, as a peer."""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np

from steadymark.engine.bench.compare.peer_process import PeerError
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.read_table import read_table
from steadymark.models.face.schema import IBUG68, load_schema

if TYPE_CHECKING:
    from steadymark.engine.bench.compare.peer_spec import PeerSpec
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.models.face.crop import Image

_SAMPLE_S = 0.02


class ProgramRun(NamedTuple):
    """One run of the program.

    Attributes:
        points: Landmarks of the first face, (T, 68, 2), in pixels; NaN without a face.
        wall_s: Duration.
        cpu_s: CPU time of the process and those that it waited for; NaN if unknown.
        rss_mib: Largest resident memory of the process; NaN if unknown.
    """

    points: Values
    wall_s: float
    cpu_s: float
    rss_mib: float


class ProgramPeer:
    """Runs the program once for each clip.

    Attributes:
        spec: The program.
        once: The run on a video of a single frame. Its times count as the start.
        rss_mib: Largest resident memory of all runs.
    """

    def __init__(self, spec: PeerSpec, first: Image, *, core: int = -1) -> None:
        """Try the program on a video of a single frame.

        Args:
            spec: The program.
            first: The frame, (H, W, 3) uint8 BGR.
            core: The core that it runs on; negative for any.

        Raises:
            PeerError: The program fails.
            UsageError: Its table cannot be read, for example because it lacks columns.
        """
        self.spec, self._core, self.rss_mib = spec, core, math.nan
        with tempfile.TemporaryDirectory() as folder:
            video = Path(folder) / "one_frame.mp4"
            _write_video(video, first)
            self.once = self.run(str(video), 1)

    def run(self, video: str, frames: int) -> ProgramRun:
        """Track a video.

        Args:
            video: The video file.
            frames: Number of frames to return.

        Returns:
            Landmarks and times.

        Raises:
            PeerError: The program fails.
            UsageError: Its table cannot be read.
        """
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "landmarks.csv"
            marks = {"{video}": video, "{csv}": str(table)}
            wall_s, cpu_s, rss_mib = self._execute([_filled(p, marks) for p in self.spec.command])
            if not table.is_file():
                raise PeerError(
                    "{name} wrote no table to {mark} and is left out",
                    name=self.spec.name,
                    mark="{csv}",
                )
            points = _read_points(table, frames, self.spec.name)
        self.rss_mib = float(np.fmax(self.rss_mib, rss_mib))
        return ProgramRun(points, wall_s, cpu_s, rss_mib)

    def _execute(self, command: list[str]) -> tuple[float, float, float]:
        """Run the command; return its duration, its CPU time and its largest memory."""
        began = time.perf_counter()
        with tempfile.TemporaryFile() as notes:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=notes, stderr=subprocess.STDOUT
            )
            if self._core >= 0:
                os.sched_setaffinity(process.pid, {self._core})
            code, cpu_s, rss_mib = _wait(process)
            wall_s = time.perf_counter() - began
            if code:
                notes.seek(0)
                lines = notes.read().decode("utf-8", "replace").strip().splitlines()
                raise PeerError(
                    "{name} ended with code {code} and is left out: {last}",
                    name=self.spec.name,
                    code=code,
                    last=lines[-1][:300] if lines else "it printed nothing",
                )
        return wall_s, cpu_s, rss_mib


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float, float]:
    """Wait for a process; return its code, CPU time in seconds and largest memory in MiB."""
    if not hasattr(os, "wait4"):
        return process.wait(), math.nan, math.nan
    rss_mib = math.nan
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        # The system's own maximum also counts the process that started this one, so it is sampled.
        rss_mib = float(np.fmax(rss_mib, _peak_mib(process.pid)))
        time.sleep(_SAMPLE_S)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime, rss_mib


def _peak_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return math.nan
    found = [line for line in lines if line.startswith("VmHWM:")]
    return int(found[0].split()[1]) / 1024 if found else math.nan


def _read_points(table: Path, frames: int, name: str) -> Values:
    """Return the landmarks of the face with the most rows, (T, 68, 2)."""
    read = read_table(table)
    count = load_schema(IBUG68).count
    if len(read) and read.xy_px.shape[1] != count:
        raise UsageError(
            "the table of {name} has {given} landmarks: {count} are needed",
            name=name,
            given=read.xy_px.shape[1],
            count=count,
        )
    points = np.full((frames, count, 2), np.nan)
    if not len(read):
        return points
    ids, times = np.unique(read.face_id, return_counts=True)
    kept = (read.face_id == ids[np.argmax(times)]) & (read.frame < frames)
    points[read.frame[kept]] = read.xy_px[kept]
    return points


def _filled(part: str, marks: dict[str, str]) -> str:
    for mark, value in marks.items():
        part = part.replace(mark, value)
    return part


def _write_video(path: Path, image: Image) -> None:
    height, width = (side - side % 2 for side in image.shape[:2])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image[:height, :width]), format="bgr24"
        )
        container.mux([*stream.encode(frame), *stream.encode(None)])
