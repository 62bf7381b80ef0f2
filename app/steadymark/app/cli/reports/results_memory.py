"""Measures the memory of the window's results, for a recording and for a live view."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.live.live_results import LiveResults
from steadymark.app.session.recording.results import Results
from steadymark.engine.bench.soak.process_stats import rss_bytes
from steadymark.engine.bench.soak.soak_limits import HOUR, MEMORY_MIB, SoakFigure
from steadymark.engine.core.types import FrameTime
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.engine.tracking.settings import make_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

_MIB = 1 << 20
_FRAMES = 50
_DROP_WAVE_MIB = 8  # a live view drops thousands of frames at once from time to time
_FILLED = 25_000  # number of frames after which a live view has dropped old frames
_MEASURE_EVERY = 500
_ALLOWED_RATIO = 1.1  # allowed ratio of the used memory to the size of the arrays


def measure_results_memory(
    path: Path, models: OpenModels, settings: TrackSettings, *, frames: int = HOUR
) -> tuple[SoakFigure, ...]:
    """Measure the memory that the window's results need.

    Args:
        path: A video, whose first frames are tracked and repeated.
        models: The open networks.
        settings: The settings of the tracking.
        frames: The number of frames in the results of the recording.

    Returns:
        A figure for the results of a recording, and one for those of a live view.
    """
    tracker = make_tracker(models, settings)
    with contextlib.closing(VideoFile(path)) as video:
        tracked = [tracker.track(f) for f, _ in zip(video.frames(), range(_FRAMES), strict=False)]
    times_s = np.arange(frames) / 30
    gc.collect()
    before = rss_bytes()
    results = Results(times_s, models.schema)
    for result in _repeated(tracked, times_s):
        results.add(result)
    taken, needed = rss_bytes() - before, results.size_bytes
    scale = HOUR / frames / _MIB
    live, filled_s = LiveResults(models.schema), np.arange(_FILLED) / 30
    first = _peak_memory(live, _repeated(tracked, filled_s))
    grown = _peak_memory(live, _repeated(tracked, filled_s[-1] + 1 + times_s, _FILLED)) - first
    growth = grown * scale
    return (
        SoakFigure(
            "window: 10⁵ frames of a recording",
            taken * scale,
            "MiB",
            _ALLOWED_RATIO * needed * scale,
            taken <= _ALLOWED_RATIO * needed,
            f"the arrays need {needed * scale:.0f} MiB, {needed / frames:.0f} bytes a frame",
        ),
        SoakFigure(
            "window: growth in 10⁵ live frames",
            growth,
            "MiB",
            MEMORY_MIB,
            growth <= MEMORY_MIB or grown <= _DROP_WAVE_MIB * _MIB,
        ),
    )


def _peak_memory(live: LiveResults, results: Iterator[TrackResult]) -> int:
    """Return the largest memory use while results are added.

    It varies as old results are dropped.
    """
    most = 0
    for number, result in enumerate(results):
        live.append(result)
        most = max(most, rss_bytes()) if number % _MEASURE_EVERY == 0 else most
    return most


def _repeated(
    tracked: list[TrackResult], times_s: np.ndarray, first: int = 0
) -> Iterator[TrackResult]:
    for index, at_s in enumerate(times_s, first):
        result = tracked[index % len(tracked)]
        yield replace(result, frame=FrameTime(index, float(at_s)), restarted=False)
