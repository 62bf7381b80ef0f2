"""A tracker that runs in a process of its own, and answers frames with landmarks and times."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from threading import Timer
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from steadymark.engine.bench.compare.peer_spec import PEER_KINDS, WORKERS
from steadymark.engine.core.errors import SteadymarkError

if TYPE_CHECKING:
    from steadymark.engine.bench.compare.peer_spec import PeerSpec
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.models.face.crop import Image

_LIMIT_S = 300.0  # longest time of one answer
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class PeerError(SteadymarkError):
    """A tracker is not installed, failed, or gave no answer."""


class TrackedFrame(NamedTuple):
    """The answer to one frame.

    Attributes:
        points: Landmarks of the peer, (K, 2), in pixels; None without a face.
        wall_ms: Time of the clock.
        cpu_ms: CPU time of all threads of the process.
    """

    points: Values | None
    wall_ms: float
    cpu_ms: float


class PeerProcess:
    """The process of one tracker.

    Attributes:
        spec: The tracker.
        landmarks: Name of the landmarks that it finds.
        versions: Versions of what it uses.
        pinned: Whether it runs on one core only.
        ready_s: Time from its start until it is open, in seconds.
    """

    def __init__(self, spec: PeerSpec, *, core: int = -1) -> None:
        """Start the process and wait until the tracker is open.

        Args:
            spec: The tracker; not a program.
            core: The core that it runs on; negative for any.

        Raises:
            PeerError: What the tracker needs is not installed, or it does not start.
        """
        self.spec = spec
        self._notes = tempfile.TemporaryFile()  # noqa: SIM115 closed with the process
        began = time.perf_counter()
        try:
            self._process = subprocess.Popen(
                _command(spec, core),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._notes,
                env=_environment(spec),
            )
        except OSError as error:
            self._notes.close()
            raise PeerError(
                "{name} does not start: {reason}", name=spec.name, reason=error.strerror
            ) from error
        try:
            hello = self._receive()
        except PeerError:
            self.close()
            raise
        self.ready_s = time.perf_counter() - began
        self.landmarks = str(hello["landmarks"])
        self.versions: dict[str, str] = dict(hello["versions"])
        self.pinned = bool(hello["pinned"])

    def start_clip(self, width: int, height: int) -> None:
        """Forget all faces, before a clip of this size."""
        self._ask({"do": "clip", "width": width, "height": height})

    def track(self, image: Image, time_s: float) -> TrackedFrame:
        """Track the next frame of the clip.

        Args:
            image: The frame, (H, W, 3) uint8 BGR.
            time_s: Time of the frame in the clip.

        Returns:
            The landmarks and the times.

        Raises:
            PeerError: The tracker failed.
        """
        height, width = image.shape[:2]
        message = {"do": "frame", "width": width, "height": height, "time_s": time_s}
        answer = self._ask(message, np.ascontiguousarray(image).data)
        points = answer["points"]
        return TrackedFrame(
            None if points is None else np.array(points, np.float64),
            float(answer["wall_ms"]),
            float(answer["cpu_ms"]),
        )

    def peak_rss_mib(self) -> float:
        """Return the largest resident memory of the process, in MiB; NaN if unknown."""
        value = self._ask({"do": "memory"})["rss_mib"]
        return float(value) if value is not None else math.nan

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # the process has ended already
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._notes.close()

    def _ask(self, message: dict[str, Any], content: memoryview | bytes = b"") -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.write(content)
            self._process.stdin.flush()
        except OSError as error:
            raise self._ended() from error
        return self._receive()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        limit = Timer(_LIMIT_S, self._process.kill)
        limit.daemon = True
        limit.start()
        try:
            line = self._process.stdout.readline()
        finally:
            limit.cancel()
        try:
            answer = json.loads(line)
        except ValueError:
            raise self._ended() from None
        if "missing" in answer:
            raise PeerError(
                "{name} is left out, since something is not installed ({what}): {install}",
                name=self.spec.name,
                what=answer["missing"],
                install=PEER_KINDS[self.spec.kind].install,
            )
        if "fault" in answer:
            raise PeerError(
                "{name} failed and is left out: {fault}",
                name=self.spec.name,
                fault=answer["fault"],
            )
        return dict(answer)

    def _ended(self) -> PeerError:
        """Return the error of a process that ended, with the last line that it printed."""
        self._process.kill()
        code = self._process.wait()
        self._notes.seek(0)
        lines = self._notes.read().decode("utf-8", "replace").strip().splitlines()
        return PeerError(
            "{name} ended with code {code} and is left out: {last}",
            name=self.spec.name,
            code=code,
            last=lines[-1][:300] if lines else "it printed nothing",
        )


def _command(spec: PeerSpec, core: int) -> list[str]:
    worker, options = WORKERS / "peer_worker.py", json.dumps(dict(spec.options))
    return [spec.python, str(worker), str(spec.adapter), options, str(core)]


def _environment(spec: PeerSpec) -> dict[str, str]:
    """Return the environment: one thread, and our own modules only for our own Python."""
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
    environment.pop("PYTHONPATH", None)
    if spec.python == sys.executable:
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return environment
