"""Figures of a soak test and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.pipeline.pipeline import FILE_QUEUE, SINK_QUEUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MEMORY_MIB = 20.0  # Allowed growth over HOUR frames.
HOUR = 100_000  # Frames; about an hour of video.
# Memory that the allocator takes until it settles, and the frames that this may take.
NOISE_MIB, _FEW = 8.0, 20_000
_MICROSECOND_MS = 1e-3  # Tables round PTS to this.
_WARM_UP_S, _WARM_UP_SHARE = 60.0, 0.25
_DRIFT_MS = 50.0
_LEAST = 5  # Percentile of the delays; such short delays do not depend on the system load.
_OPEN = 4.0  # Allowed growth: a reopened file has threads and handles of its own.


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakSample:
    """Counts at one moment of a soak test.

    Attributes:
        at_s: Time since the start, in seconds.
        frames: Number of frames tracked so far.
        rss_mib: Resident memory, in MiB.
        threads: Number of threads.
        handles: Number of open files or handles.
        dropped: Number of dropped frames so far.
        waiting: Lengths of the queues; see `Pipeline`.
        late_ms: Median age of the last live images when their tracking ended, in milliseconds.
    """

    at_s: float
    frames: int
    rss_mib: float
    threads: int
    handles: int
    dropped: int = 0
    waiting: tuple[int, ...] = ()
    late_ms: float = float("nan")


@dataclass(frozen=True, slots=True)
class SoakFigure:
    """A measured figure and its limit.

    Attributes:
        what: What is measured.
        value: The measured value.
        unit: Unit of the value.
        most: Largest allowed value.
        passed: Whether the value is within its limit.
        remark: Additional information.
    """

    what: str
    value: float
    unit: str
    most: float
    passed: bool
    remark: str = ""


def soak_figures(
    samples: Sequence[SoakSample],
    table: Path,
    due: NDArray[np.float64],
    *,
    live: bool,
    not_released: Sequence[int],
) -> tuple[SoakFigure, ...]:
    """Compare all figures of one soak case with their limits.

    Growth is measured after a warm-up of one minute, or a quarter of the run if that is shorter.

    Args:
        samples: Samples of the run, in order.
        table: The landmark table that the run wrote.
        due: Expected PTS of each result (for a live source, when its image was sent) and how late
            the result was, (N, 2), in seconds.
        live: Whether the source is live.
        not_released: Threads and handles at the end minus those at the start.

    Returns:
        All figures.
    """
    warm = _after_warm_up(samples)
    most = max(sample.waiting[0] for sample in samples)
    figures = [_limit("queue before the tracker: most", float(most), "", FILE_QUEUE)]
    for number in range(1, len(warm[0].waiting)):
        longer = _median_growth(np.array([sample.waiting[number] for sample in warm], float))
        name = "table" if number == 1 else f"sink {number}"
        figures.append(_limit(f"queue before the {name}: growth", longer, "", SINK_QUEUE / 2))
    if live:
        later = _shortest_delay_growth(due[warm[0].frames :, 1]) * 1e3
        remark = f"median {np.nanmedian(due[:, 1]) * 1e3:.1f} ms"
        figures.append(_limit("age of pictures: growth", later, "ms", _DRIFT_MS, remark))
    first = warm[0].frames
    grown = growth_figures(samples, not_released)
    return (*grown, *figures, *_table_figures(table, due[:, 0], first, live=live))


def growth_figures(
    samples: Sequence[SoakSample], not_released: Sequence[int], *, noise_mib: float = NOISE_MIB
) -> tuple[SoakFigure, ...]:
    """Compare the growth of memory, threads and handles with their limits.

    Args:
        samples: Samples of the run, in order.
        not_released: Threads and handles at the end minus those at the start.
        noise_mib: See `memory_figure`.

    Returns:
        The figures.
    """
    warm = _after_warm_up(samples)
    return (
        memory_figure(warm, noise_mib=noise_mib),
        _limit("threads: growth", _minimum_growth([s.threads for s in warm]), "", _OPEN),
        _limit("handles: growth", _minimum_growth([s.handles for s in warm]), "", _OPEN),
        _limit("threads left behind", float(not_released[0]), "", 0),
        _limit("handles left behind", float(not_released[1]), "", 0),
    )


def _after_warm_up(samples: Sequence[SoakSample]) -> list[SoakSample]:
    warm_s = min(_WARM_UP_S, _WARM_UP_SHARE * samples[-1].at_s)
    return [sample for sample in samples if sample.at_s >= warm_s]


def memory_figure(warm: Sequence[SoakSample], *, noise_mib: float = NOISE_MIB) -> SoakFigure:
    """Measure the growth of resident memory over frames with the Theil-Sen slope.

    Args:
        warm: Samples after the warm-up.
        noise_mib: Allowed growth, in MiB, in a run that is too short to tell growth from settling.

    Returns:
        The figure, in MiB per 10⁵ frames.
    """
    frames = np.array([sample.frames for sample in warm], float)
    rss = np.array([sample.rss_mib for sample in warm])
    first, second = np.triu_indices(len(warm), 1)
    apart = frames[second] > frames[first]
    first, second = first[apart], second[apart]
    if not len(first):
        return SoakFigure("memory: growth in 10⁵ frames", np.nan, "MiB", MEMORY_MIB, False)
    slope = float(np.median((rss[second] - rss[first]) / (frames[second] - frames[first])))
    seen = int(np.ptp(frames))
    grown = slope * seen
    return SoakFigure(
        "memory: growth in 10⁵ frames",
        slope * HOUR,
        "MiB",
        MEMORY_MIB,
        slope * HOUR <= MEMORY_MIB or (grown <= noise_mib and seen < _FEW),
        f"{grown:+.2f} MiB in {seen} frames, {rss[-1]:.0f} MiB at the end",
    )


def _table_figures(
    path: Path, due_s: NDArray[np.float64], first: int, *, live: bool
) -> tuple[SoakFigure, ...]:
    """Return the figures of the written table; `first` is the first result after the warm-up."""
    found = [f for f in check_csv(path, most=1000) if f.severity is Severity.ERROR]
    written_s = np.fromiter(_written(path), float)
    missing = len(due_s) - len(written_s)
    common = min(len(due_s), len(written_s))
    off_ms = (written_s[:common] - due_s[:common]) * 1e3
    if live:
        drift, limit = abs(_shortest_delay_growth(off_ms[first:])), _DRIFT_MS
        what, remark = "PTS: drift from when pictures were sent", ""
    else:
        drift, limit = float(np.abs(off_ms).max(initial=0.0)), _MICROSECOND_MS
        what, remark = "PTS: most that one is off", f"the last is {written_s.max(initial=0):.3f} s"
    size_mib = path.stat().st_size / (1 << 20)
    return (
        _limit(what, drift, "ms", limit, remark),
        _limit("table: faults found by check", float(len(found)), "", 0, f"{size_mib:.0f} MiB"),
        _limit("table: frames missing", float(abs(missing)), "", 0),
    )


def _written(path: Path) -> Iterator[float]:
    """Yield the PTS of each frame once, without parsing the rest of the row."""
    last = ""
    with path.open(encoding="utf-8") as file:
        for line in file:
            frame, _, pts_s, _ = line.split(",", 3) if line[0].isdigit() else ("", "", "", "")
            if frame != last and frame:
                last = frame
                yield float(pts_s)


def _minimum_growth(counts: Sequence[int]) -> float:
    """Return the minimum of the last quarter minus that of the first; peaks do not count."""
    quarter = max(1, len(counts) // 4)
    return float(min(counts[-quarter:]) - min(counts[:quarter]))


def _shortest_delay_growth(delays: NDArray[np.float64]) -> float:
    """Return how much the shortest delays grow from the first to the last quarter.

    A busy machine makes some delays longer; a growing queue or a drift makes all of them longer.
    """
    quarter = max(1, len(delays) // 4)
    if not np.isfinite(delays).any():
        return float("nan")
    parts = delays[-quarter:], delays[:quarter]
    last, first = (float(np.nanpercentile(part, _LEAST)) for part in parts)
    return last - first


def _median_growth(values: NDArray[np.float64]) -> float:
    """Return the median of the last quarter minus that of the first; NaN without values."""
    quarter = max(1, len(values) // 4)
    if not np.isfinite(values).any():
        return float("nan")
    return float(np.nanmedian(values[-quarter:]) - np.nanmedian(values[:quarter]))


def _limit(what: str, value: float, unit: str, most: float, remark: str = "") -> SoakFigure:
    return SoakFigure(what, value, unit, most, bool(value <= most), remark)
