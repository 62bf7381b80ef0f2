"""The figures of a live view: its latency from capture to the screen, and its rates."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from steadymark.engine.output.live_recorder import RecorderReport

_PICTURES = 300  # number of pictures that the percentiles are computed from
_RATE_S = 2.0  # time over which pictures are counted


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency from capture to paint in milliseconds; NaN before the first paint.

    fps: paints per second.
    """

    p50_ms: float = float("nan")
    p95_ms: float = float("nan")
    fps: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Figures of a live view.

    Attributes:
        latency: The latency from capture to the screen.
        source_fps: The number of pictures per second that the device delivers.
        dropped: The number of pictures since the start that were not shown.
        recording: The report of the recording, or None while nothing is recorded.
    """

    latency: Latency = field(default_factory=Latency)
    source_fps: float = 0.0
    dropped: int = 0
    recording: RecorderReport | None = None


class LatencyMeter:
    """Measures the latency of painted frames.

    It is used in the GUI thread. Times are those of `time.perf_counter`.

    Args:
        pictures: The number of pictures that the percentiles are computed from.
        since_s: When the stream started. Frames that were captured earlier do not count: after a
            restart, the last frame of the stream before stays on the screen for a while.
    """

    def __init__(self, *, pictures: int = _PICTURES, since_s: float = float("-inf")) -> None:
        self._since_s = since_s
        self._latencies_s: deque[float] = deque(maxlen=pictures)
        self._painted_s: deque[float] = deque(maxlen=pictures)
        self._newest = -1

    def painted(self, index: int, captured_s: float, now_s: float) -> None:
        """Record that a frame is on the screen. Only the first paint of a frame counts."""
        if index <= self._newest or captured_s < self._since_s:
            return
        self._newest = index
        self._latencies_s.append(now_s - captured_s)
        self._painted_s.append(now_s)

    def figures(self, now_s: float) -> Latency:
        """Return the latency of the newest frames at the time `now_s` of `time.perf_counter`."""
        if not self._latencies_s:
            return Latency()
        p50, p95 = 1e3 * np.percentile(self._latencies_s, (50, 95))
        recent = [t for t in self._painted_s if t > now_s - _RATE_S]
        span_s = now_s - recent[0] if recent else _RATE_S
        fps = (len(recent) - 1) / span_s if span_s > 0 and len(recent) > 1 else 0.0
        return Latency(float(p50), float(p95), fps)
