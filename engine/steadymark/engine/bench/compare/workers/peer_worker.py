"""Run one tracker on frames that come through a pipe, and measure the time of each.

Call: peer_worker.py ADAPTER.py OPTIONS CORE. An adapter has `open_peer(options)`, which returns an
object with

- `order`: `rgb` or `bgr`, the order of the colours that it takes;
- `landmarks`: name of the map in assets/schemas/maps, or `ibug68`;
- `versions`: names and versions of what it uses;
- `start_clip(width, height)`, called before each clip;
- `track(image, time_s)`: landmarks (K, 2) in pixels, with 0 at the centre of the first pixel, or
  None without a face.

Each message is a line of JSON. A frame's message is followed by its bytes, (H, W, 3) uint8 BGR. The
time of receiving a frame, and of changing the order of its colours, is not measured.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


def main() -> None:
    """Answer messages until the input ends."""
    # Libraries print to the standard output, which must hold nothing but answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    adapter, options, core = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    pinned = _pin(core)
    try:
        peer = _load(adapter).open_peer(options)
    except ImportError as error:
        _answer(answers, {"missing": str(error)})
        return
    except Exception as error:  # noqa: BLE001 whatever a foreign tracker raises is told to the user
        _answer(answers, {"fault": _sentence(error)})
        return
    _answer(
        answers,
        {
            "landmarks": peer.landmarks,
            "versions": {"Python": sys.version.split()[0], **peer.versions},
            "pinned": pinned,
        },
    )
    for line in iter(sys.stdin.buffer.readline, b""):
        try:
            answer = _do(peer, json.loads(line), sys.stdin.buffer)
        except Exception as error:  # noqa: BLE001
            answer = {"fault": _sentence(error)}
        _answer(answers, answer)


def _load(adapter: str) -> Any:
    spec = importlib.util.spec_from_file_location("peer_adapter", adapter)
    if spec is None or spec.loader is None:
        raise ValueError(f"{Path(adapter).name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _do(peer: Any, message: dict[str, Any], frames: BinaryIO) -> dict[str, Any]:
    if message["do"] == "clip":
        peer.start_clip(message["width"], message["height"])
        return {}
    if message["do"] == "memory":
        return {"rss_mib": _peak_rss_mib()}
    shape = message["height"], message["width"], 3
    image = np.frombuffer(frames.read(shape[0] * shape[1] * 3), np.uint8).reshape(shape)
    image = np.array(image[:, :, ::-1] if peer.order == "rgb" else image, order="C")
    wall, cpu = time.perf_counter(), time.process_time()
    points = peer.track(image, message["time_s"])
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    found = None if points is None else np.round(points, 3).tolist()
    return {"points": found, "wall_ms": wall * 1e3, "cpu_ms": cpu * 1e3}


def _answer(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__


def _pin(core: int) -> bool:
    """Let this process run on one core only. Returns whether the system can do so.

    Args:
        core: Number of the core; negative for no core.
    """
    if core < 0 or not hasattr(os, "sched_setaffinity"):
        return False
    try:
        os.sched_setaffinity(0, {core})
    except OSError:
        return False
    return True


def _peak_rss_mib() -> float:
    """Return the largest resident memory of this process so far, in MiB; NaN if unknown."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage also counts the memory of the process that started this one
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
