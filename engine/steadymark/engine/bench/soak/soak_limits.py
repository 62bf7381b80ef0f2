"""What a soak comes to: each figure against its limit."""

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

MEMORY_MIB = 20.0  # growth over HOUR frames
HOUR = 100_000
NOISE_MIB, _FEW = 8.0, 20_000  # what an allocator takes until it settles; frames until it has
_MICROSECOND_MS = 1e-3  # tables write PTS to this
_WARM_UP_S, _WARM_UP_SHARE = 60.0, 0.25
_DRIFT_MS = 50.0
_LEAST = 5  # %: delays that nothing but what is measured makes longer
_OPEN = 4.0  # a file that is opened anew has threads and handles of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakSample:
    """A moment. waiting: see Pipeline. late_ms: how old the last live pictures were, tracked."""

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
    """A measure; most: its limit. remark: what else there is to say of it."""

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
    left: Sequence[int],
) -> tuple[SoakFigure, ...]:
    """Growth is that after the warm-up: a minute, or a quarter of the time.

    due: (N, 2): of each result in order, the PTS that it must have (live: when its picture was
    sent) and how late it was, in seconds. left: threads and handles after the end, less those
    before the beginning.
    """
    warm = _warm(samples)
    most = max(sample.waiting[0] for sample in samples)
    figures = [_limit("queue before the tracker: most", float(most), "", FILE_QUEUE)]
    for number in range(1, len(warm[0].waiting)):
        longer = _quarters(np.array([sample.waiting[number] for sample in warm], float))
        name = "table" if number == 1 else f"sink {number}"
        figures.append(_limit(f"queue before the {name}: growth", longer, "", SINK_QUEUE / 2))
    if live:
        later = _least_late(due[warm[0].frames :, 1]) * 1e3
        remark = f"median {np.nanmedian(due[:, 1]) * 1e3:.1f} ms"
        figures.append(_limit("age of pictures: growth", later, "ms", _DRIFT_MS, remark))
    first = warm[0].frames
    grown = growth_of(samples, left)
    return (*grown, *figures, *_table_figures(table, due[:, 0], first, live=live))


def growth_of(
    samples: Sequence[SoakSample], left: Sequence[int], *, noise_mib: float = NOISE_MIB
) -> tuple[SoakFigure, ...]:
    """Memory, threads and handles, as in `soak_figures`; noise_mib: see `memory_figure`."""
    warm = _warm(samples)
    return (
        memory_figure(warm, noise_mib=noise_mib),
        _limit("threads: growth", _least_grown([s.threads for s in warm]), "", _OPEN),
        _limit("handles: growth", _least_grown([s.handles for s in warm]), "", _OPEN),
        _limit("threads left behind", float(left[0]), "", 0),
        _limit("handles left behind", float(left[1]), "", 0),
    )


def _warm(samples: Sequence[SoakSample]) -> list[SoakSample]:
    warm_s = min(_WARM_UP_S, _WARM_UP_SHARE * samples[-1].at_s)
    return [sample for sample in samples if sample.at_s >= warm_s]


def memory_figure(warm: Sequence[SoakSample], *, noise_mib: float = NOISE_MIB) -> SoakFigure:
    """Growth of resident memory over frames, by Theil and Sen's slope.

    noise_mib: what it may come to in a run too short to tell growth from settling.
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
    """The table as it lies on disk. first: the number of the first result after the warm-up."""
    found = [f for f in check_csv(path, most=1000) if f.severity is Severity.ERROR]
    written_s = np.fromiter(_written(path), float)
    missing = len(due_s) - len(written_s)
    common = min(len(due_s), len(written_s))
    off_ms = (written_s[:common] - due_s[:common]) * 1e3
    if live:
        drift, limit = abs(_least_late(off_ms[first:])), _DRIFT_MS
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
    """The PTS of each frame, once, without reading more of a row than that."""
    last = ""
    with path.open(encoding="utf-8") as file:
        for line in file:
            frame, _, pts_s, _ = line.split(",", 3) if line[0].isdigit() else ("", "", "", "")
            if frame != last and frame:
                last = frame
                yield float(pts_s)


def _least_grown(counts: Sequence[int]) -> float:
    """The least of the last quarter less that of the first: what comes and goes is left out."""
    quarter = max(1, len(counts) // 4)
    return float(min(counts[-quarter:]) - min(counts[:quarter]))


def _least_late(delays: NDArray[np.float64]) -> float:
    """The same of delays: a busy machine makes some longer, a queue or a drift makes all so."""
    quarter = max(1, len(delays) // 4)
    if not np.isfinite(delays).any():
        return float("nan")
    parts = delays[-quarter:], delays[:quarter]
    last, first = (float(np.nanpercentile(part, _LEAST)) for part in parts)
    return last - first


def _quarters(values: NDArray[np.float64]) -> float:
    """The median of the last quarter less that of the first; NaN where there are none."""
    quarter = max(1, len(values) // 4)
    if not np.isfinite(values).any():
        return float("nan")
    return float(np.nanmedian(values[-quarter:]) - np.nanmedian(values[:quarter]))


def _limit(what: str, value: float, unit: str, most: float, remark: str = "") -> SoakFigure:
    return SoakFigure(what, value, unit, most, bool(value <= most), remark)
