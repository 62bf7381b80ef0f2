"""Statistics of persons over the whole video and over the intervals of its lanes."""

from __future__ import annotations

import csv
import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import FaceState
from steadymark.engine.metrics.blinks import Blink, find_blinks
from steadymark.engine.metrics.eye_mouth_opening import amplitude, eye_opening, mouth_opening
from steadymark.engine.output.output_paths import replacing
from steadymark.engine.review.project import EXCLUDE
from steadymark.models.face.schema import IBUG_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.review.project import Project
    from steadymark.engine.review.reviewed_table import ReviewedTable

    Values = NDArray[np.float64]
    Mask = NDArray[np.bool_]

WHOLE = "whole video"
NAN = math.nan


@dataclass(frozen=True, slots=True)
class IntervalStatistics:
    """What one person does in one interval. Excluded frames count nowhere.

    A value is NaN where it is not known. Openings are in percent of the eye distance, angles in
    degrees. An amplitude is the 98th minus the 2nd percentile.

    Attributes:
        lane: Name of the lane; `whole video` for the whole video.
        label: Label of the interval.
        start_s, end_s: The interval in seconds.
        person: Name or number of the person.
        frames: Number of frames of the interval that are not excluded.
        tracked_percent: Share of these frames with the person.
        score_mean: Mean score of the landmarks.
        eye_opening_mean, eye_opening_sd, eye_opening_amplitude: Opening of the eyes.
        mouth_opening_mean, mouth_opening_sd, mouth_opening_amplitude: Opening of the mouth.
        pitch_mean, pitch_sd, yaw_mean, yaw_sd, roll_mean, roll_sd: Rotation of the head.
        blinks: Number of blinks.
        blinks_per_minute: Blinks divided by the time in which the person is tracked.
        blink_duration_mean_s: Mean duration of the blinks at half depth.
    """

    lane: str
    label: str
    start_s: float
    end_s: float
    person: str
    frames: int
    tracked_percent: float
    score_mean: float = NAN
    eye_opening_mean: float = NAN
    eye_opening_sd: float = NAN
    eye_opening_amplitude: float = NAN
    mouth_opening_mean: float = NAN
    mouth_opening_sd: float = NAN
    mouth_opening_amplitude: float = NAN
    pitch_mean: float = NAN
    pitch_sd: float = NAN
    yaw_mean: float = NAN
    yaw_sd: float = NAN
    roll_mean: float = NAN
    roll_sd: float = NAN
    blinks: float = NAN
    blinks_per_minute: float = NAN
    blink_duration_mean_s: float = NAN


def interval_statistics(table: ReviewedTable, project: Project) -> list[IntervalStatistics]:
    """Return the statistics of each person, over the whole video and each interval.

    Args:
        table: The reviewed table of the video.
        project: Its project. Intervals of the lane `exclude` and events have no statistics.

    Returns:
        One entry for each interval and person; the whole video comes first.
    """
    times = table.table.timestamp_s
    if not len(times):
        return []
    whole = (WHOLE, "", float(times.min()), float(times.max()), None)
    intervals = [
        (one.lane, one.label, one.start_s, one.end_s, one.person)
        for one in project.annotations
        if one.lane != EXCLUDE and not one.is_event
    ]
    found = []
    for person in np.unique(table.person[table.person >= 0]).tolist():
        series = _series(table, person, project)
        found += [
            _of_interval(series, lane, label, start_s, end_s)
            for lane, label, start_s, end_s, of_person in (whole, *intervals)
            if of_person in (None, person)
        ]
    return sorted(found, key=lambda one: (one.lane != WHOLE, one.start_s, one.person))


def write_statistics(path: Path, rows: Iterable[IntervalStatistics]) -> None:
    """Write a CSV file with one row for each interval and person.

    Args:
        path: The file; an existing one is replaced.
        rows: The statistics.

    Raises:
        SinkError: The file cannot be written.
    """
    names = [one.name for one in fields(IntervalStatistics)]
    with replacing(path) as new, new.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for row in rows:
            writer.writerow({k: _rounded(v) for k, v in asdict(row).items()})


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """The values of one person in each of the T frames of the video."""

    name: str
    time_s: Values
    counted: Mask  # not excluded
    tracked: Mask
    measures: dict[str, Values]
    blinks: list[Blink] | None  # None if the schema has no lids


def _series(table: ReviewedTable, person: int, project: Project) -> _Series:
    rows = table.table
    frames, first, place = np.unique(rows.frame, return_index=True, return_inverse=True)
    mine = np.flatnonzero((table.person == person) & (rows.state != FaceState.LOST))

    def spread(values: NDArray[np.floating]) -> Values:
        out = np.full((len(frames), *values.shape[1:]), np.nan)
        out[place[mine]] = values[mine]
        return out

    time_s = rows.timestamp_s[first]
    xy, angles = spread(rows.xy_px), np.degrees(spread(rows.pose[:, 3:]))
    measures = {"score": spread(rows.point_score).mean(1)}
    measures |= dict(zip(("pitch", "yaw", "roll"), angles.T, strict=True))
    known = rows.schema in IBUG_ORDER
    if known:
        measures |= {"eye_opening": eye_opening(xy), "mouth_opening": mouth_opening(xy)}
    counted = np.array([not project.is_excluded(t, person) for t in time_s.tolist()], np.bool_)
    seen = np.where(counted[:, None, None], xy, np.nan)
    return _Series(
        project.name_of(person),
        time_s,
        counted,
        np.asarray(np.isfinite(xy).all((1, 2))),
        measures,
        find_blinks(seen, time_s) if known else None,
    )


def _of_interval(
    series: _Series, lane: str, label: str, start_s: float, end_s: float
) -> IntervalStatistics:
    inside = (series.time_s >= start_s) & (series.time_s <= end_s) & series.counted
    frames = int(inside.sum())
    tracked = inside & series.tracked
    values: dict[str, float] = {}
    for name, measured in series.measures.items():
        values |= dict(_summary(name, measured[tracked]))
    values |= _blinks(series, start_s, end_s, tracked)
    known = {one.name for one in fields(IntervalStatistics)}
    return IntervalStatistics(
        lane,
        label,
        start_s,
        end_s,
        series.name,
        frames,
        100 * int(tracked.sum()) / frames if frames else NAN,
        **{name: value for name, value in values.items() if name in known},
    )


def _summary(name: str, values: Values) -> Iterator[tuple[str, float]]:
    finite = values[np.isfinite(values)]
    if len(finite):
        yield f"{name}_mean", float(finite.mean())
        yield f"{name}_sd", float(finite.std(ddof=1)) if len(finite) > 1 else NAN
        yield f"{name}_amplitude", amplitude(finite)


def _blinks(series: _Series, start_s: float, end_s: float, tracked: Mask) -> dict[str, float]:
    if series.blinks is None or not tracked.any():
        return {}
    found = [one for one in series.blinks if start_s <= one.deepest_s <= end_s]
    gaps = np.diff(series.time_s)
    interval_s = float(np.median(gaps)) if len(gaps) else NAN
    minutes = int(tracked.sum()) * interval_s / 60
    return {
        "blinks": len(found),
        "blinks_per_minute": len(found) / minutes if minutes > 0 else NAN,
        "blink_duration_mean_s": (
            float(np.mean([one.duration_s for one in found])) if found else NAN
        ),
    }


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
