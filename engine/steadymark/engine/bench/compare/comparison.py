"""Run several trackers on the same clips, in turn, and collect landmarks and times."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.bench.clips.clip_tracks import read_clip
from steadymark.engine.bench.clips.rest_flow import RestFlow
from steadymark.engine.bench.clips.rigid_flow import RigidFlow
from steadymark.engine.bench.compare.peer_process import PeerError, PeerProcess
from steadymark.engine.bench.compare.peer_spec import PROGRAM
from steadymark.engine.bench.compare.program_peer import ProgramPeer
from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.tracking.geometry import box_of_landmarks
from steadymark.models.face.schema import IBUG68, assets_root, load_schema
from steadymark.models.face.schema_conversion import to_ibug68

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.bench.compare.peer_spec import PeerSpec
    from steadymark.engine.core.types import Frame
    from steadymark.engine.metrics.accuracy import Values

BLOCK_FRAMES = 50  # frames of a clip that one tracker handles before it is the next one's turn
_BLOCK_BYTES = 256 << 20
STARTS = 3
_MOST_LANDMARKS = 1000
_NOTHING = np.full((load_schema(IBUG68).count, 2), np.nan)


@dataclass(slots=True)
class PeerClip:
    """What one tracker found in one clip of T frames.

    Attributes:
        points: Landmarks of each frame, (68, 2), in pixels; NaN where it has none.
        wall_ms: Time of each frame; a single mean for a program.
        cpu_ms: CPU time of each frame; a single mean for a program.
    """

    points: list[Values] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ComparedClip:
    """One clip with the landmarks of all trackers.

    Attributes:
        clip: The clip as `open_source` takes it.
        fps: Frames per second.
        found: What each tracker found, by its name.
        still: Frames in which the face is at rest, (T,), as optical flow sees it.
        rigid: Rigid motion of the face between frames, (T - 1, 2, 3), as optical flow sees it.
        decode_ms: CPU time of decoding a frame, which counts for no tracker.
    """

    clip: str
    fps: float
    found: dict[str, PeerClip]
    still: NDArray[np.bool_]
    rigid: Values
    decode_ms: float


class PeerFacts(NamedTuple):
    """What is known of a tracker besides its clips.

    Attributes:
        start_s: Median time from starting its process until its first frame is tracked.
        rss_mib: Largest resident memory of its process.
        versions: Versions of what it uses.
        pinned: Whether it ran on one core.
    """

    start_s: float
    rss_mib: float
    versions: dict[str, str]
    pinned: bool


class PeerRun:
    """The trackers of one run.

    Attributes:
        notes: A sentence for each tracker that was left out.
    """

    def __init__(self, specs: Sequence[PeerSpec], *, core: int = -1) -> None:
        """Start all trackers several times, in turn.

        Args:
            specs: The trackers.
            core: The core that they run on; negative for any.

        Raises:
            UsageError: The table of a program cannot be read.
        """
        self.notes: list[str] = []
        self._order = [spec.name for spec in specs]
        self._processes: dict[str, PeerProcess] = {}
        self._programs: dict[str, ProgramPeer] = {}
        self._starts: dict[str, list[float]] = {name: [] for name in self._order}
        first = _first_frame()
        for _ in range(STARTS):
            for spec in specs:
                with self._leaving_out(spec.name):
                    self._start(spec, first, core)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the trackers that have not been left out."""
        return tuple(n for n in self._order if n in self._processes or n in self._programs)

    def run(
        self, clip: str, *, most_frames: int | None, report: Callable[[int], None]
    ) -> ComparedClip:
        """Track a clip with all trackers, which take turns after each block of frames.

        Args:
            clip: The clip as `open_source` takes it.
            most_frames: Largest number of frames; None for all.
            report: Called with the number of frames done so far.

        Returns:
            The clip.

        Raises:
            SourceError: The clip cannot be read.
            UsageError: It is live, or all trackers have been left out.
        """
        fps, frames = read_clip(clip, most_frames)
        found = {name: PeerClip() for name in self.names}
        watch, decoded_s, done = _FaceWatch(fps), 0.0, 0
        for number, (block, cpu_s) in enumerate(_blocks(frames)):
            decoded_s += cpu_s
            if not done:
                self._start_clip(block[0].width, block[0].height)
            self._track_block(block, number, found)
            reference = self._reference()
            for i, frame in enumerate(block, start=done):
                watch.add(frame, found[reference].points[i] if reference else _NOTHING)
            done += len(block)
            report(done)
        if not done:
            raise SourceError("{clip} has no frames", clip=clip)
        self._run_programs(clip, done, decoded_s, found)
        kept = {name: found[name] for name in self.names}
        if not kept:
            raise UsageError("no tracker is left to compare")
        still, rigid = watch.still.still(), watch.rigid.motions()
        return ComparedClip(clip, fps, kept, still, rigid, decoded_s / done * 1e3)

    def facts(self) -> dict[str, PeerFacts]:
        """Return the facts of all trackers that are left."""
        facts = {}
        for name in self.names:
            start_s = float(np.median(self._starts[name]))
            if name in self._programs:
                program = self._programs[name]
                facts[name] = PeerFacts(start_s, program.rss_mib, {}, False)
                continue
            with self._leaving_out(name):
                process = self._processes[name]
                memory = process.peak_rss_mib()
                facts[name] = PeerFacts(start_s, memory, process.versions, process.pinned)
        return facts

    def close(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.close()
        self._processes = {}

    @contextlib.contextmanager
    def _leaving_out(self, name: str) -> Iterator[None]:
        try:
            yield
        except PeerError as error:
            text = str(error)
            if text not in self.notes:
                self.notes.append(text)
            self._programs.pop(name, None)
            process = self._processes.pop(name, None)
            if process is not None:
                process.close()
            self._order = [other for other in self._order if other != name]

    def _start(self, spec: PeerSpec, first: Frame, core: int) -> None:
        if spec.name not in self._order:
            return
        if spec.kind == PROGRAM:
            self._programs[spec.name] = ProgramPeer(spec, first.image, core=core)
            self._starts[spec.name].append(self._programs[spec.name].once.wall_s)
            return
        if spec.name in self._processes:
            self._processes.pop(spec.name).close()
        began = time.perf_counter()
        process = self._processes[spec.name] = PeerProcess(spec, core=core)
        process.start_clip(first.width, first.height)
        process.track(first.image, 0.0)
        self._starts[spec.name].append(time.perf_counter() - began)

    def _start_clip(self, width: int, height: int) -> None:
        for name in self.names:
            if name in self._processes:
                with self._leaving_out(name):
                    self._processes[name].start_clip(width, height)

    def _track_block(self, block: Sequence[Frame], number: int, found: dict[str, PeerClip]) -> None:
        """Let all processes track a block; each block begins with another one."""
        names = [name for name in self.names if name in self._processes]
        turn = number % max(1, len(names))
        for name in (*names[turn:], *names[:turn]):
            with self._leaving_out(name):
                process, clip = self._processes[name], found[name]
                for frame in block:
                    answer = process.track(frame.image, frame.pts_s)
                    points = _NOTHING
                    if answer.points is not None:
                        points = to_ibug68(answer.points, process.landmarks)
                    clip.points.append(points)
                    clip.wall_ms.append(answer.wall_ms)
                    clip.cpu_ms.append(answer.cpu_ms)

    def _reference(self) -> str | None:
        """Return the first tracker that finds all 68 landmarks; it says where the face is."""
        for name in self.names:
            process = self._processes.get(name)
            if process is not None and _is_complete(process.landmarks):
                return name
        return None

    def _run_programs(
        self, clip: str, count: int, decoded_s: float, found: dict[str, PeerClip]
    ) -> None:
        for name in [name for name in self.names if name in self._programs]:
            with self._leaving_out(name):
                if not Path(clip).is_file():
                    raise PeerError("{name} is left out: {clip} is no file", name=name, clip=clip)
                program = self._programs[name]
                run = program.run(clip, count)
                net = [
                    max(0.0, whole - once - decoded_s) / max(1, count) * 1e3
                    for whole, once in (
                        (run.wall_s, program.once.wall_s),
                        (run.cpu_s, program.once.cpu_s),
                    )
                ]
                found[name] = PeerClip(list(run.points), [net[0]], [net[1]])


def is_same_face(points: Values, others: Values) -> bool:
    """Return whether two sets of landmarks (68, 2) lie on the same face.

    Their mean distance must be less than half the outer-eye distance of the second.
    """
    distance = np.nanmean(np.linalg.norm(points - others, axis=-1))
    return bool(distance < 0.5 * np.linalg.norm(others[36] - others[45]))


def _is_complete(landmarks: str) -> bool:
    return bool(np.isfinite(to_ibug68(np.zeros((_MOST_LANDMARKS, 2)), landmarks)).all())


class _FaceWatch:
    """Measures the motion of a face by optical flow; the landmarks only say where to look."""

    def __init__(self, fps: float) -> None:
        self.still, self.rigid = RestFlow(fps), RigidFlow()
        self._last: Values | None = None

    def add(self, frame: Frame, points: Values) -> None:
        """Add the next frame with its landmarks (68, 2), NaN without a face."""
        seen = points.astype(np.float32) if np.isfinite(points).all() else None
        box = None if seen is None else box_of_landmarks(seen, score=1.0)
        same = seen is not None and self._last is not None and is_same_face(points, self._last)
        self.still.add(frame.image, box)
        self.rigid.add(frame.image, seen, same_scene=same)
        self._last = None if seen is None else points


def _blocks(frames: Iterator[Frame]) -> Iterator[tuple[list[Frame], float]]:
    """Yield blocks of decoded frames of one size, with the CPU time of decoding them."""
    block: list[Frame] = []
    began = time.process_time()
    for frame in frames:
        block.append(frame)
        if len(block) == BLOCK_FRAMES or len(block) * frame.image.nbytes > _BLOCK_BYTES:
            yield block, time.process_time() - began
            block, began = [], time.process_time()
    if block:
        yield block, time.process_time() - began


def _first_frame() -> Frame:
    _, frames = read_clip(str(assets_root() / "clips" / "demo.mp4"), 1)
    return next(frames)
