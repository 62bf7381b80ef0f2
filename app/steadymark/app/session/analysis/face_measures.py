"""Measures of the stability of one face's landmarks: curves over the recording, and figures.

MAV counts every change between frames, and a moving face changes too. The figures are therefore
taken only where the face is at rest (`engine.metrics.rest_detection`), both in the raw and in the
stabilized points. The curves show where the face is at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.analysis.ground_truth import TruthScores, compared_with
from steadymark.engine.metrics.accuracy import outer_eye_distance
from steadymark.engine.metrics.rest_detection import half_window, segments, still_frames
from steadymark.engine.metrics.stability import mav, mcv_still, mean_motion

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.analysis.ground_truth import GroundTruth
    from steadymark.app.session.recording.results import FaceRows
    from steadymark.models.face.schema import LandmarkSchema

    Curve = NDArray[np.float64]

_PART = 4000  # frames that are processed at once


@dataclass(frozen=True, slots=True)
class RestJitter:
    """Jitter at rest: mav in (% of the outer-eye distance)², mcv in %, motion in % per frame."""

    mav: float = float("nan")
    mcv: float = float("nan")
    motion: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class FaceMeasures:
    """Measures of one face. Curves are (frames,), with NaN where no value is known.

    Attributes:
        face: The id of the face.
        faces: The ids of all faces.
        schema: The schema of the landmarks.
        landmark: The chosen landmark.
        times_s: The time of each frame in seconds.
        jitter_raw: MAV of the raw points over the second around each frame. It covers the landmarks
            of `region`, or all landmarks if `region` is empty.
        jitter_steady: The same for the stabilized points.
        still: True in the frames in which the face is at rest.
        score: The score of the face.
        speed: Mean speed of the stabilized points, in % of the outer-eye distance per second.
        attributes: (frames, C), the values of all attributes, see `attribute_registry`.
        raw_xy: (frames, 2), the raw position of the chosen landmark in pixels.
        steady_xy: The same for the stabilized position.
        raw: The jitter at rest of the raw points.
        steady: The jitter at rest of the stabilized points.
        still_share: The share of the face's frames in which it is at rest.
        eye_px: The mean outer-eye distance in pixels.
        region: The name of the chosen region.
        regions: The name of each region with the MAV at rest of its raw and stabilized points.
        truth: The comparison with the ground truth, or None without ground truth.
    """

    face: int
    faces: tuple[int, ...]
    schema: LandmarkSchema
    landmark: int
    times_s: Curve
    jitter_raw: Curve
    jitter_steady: Curve
    still: NDArray[np.bool_]
    score: Curve
    speed: Curve
    attributes: Curve
    raw_xy: Curve
    steady_xy: Curve
    raw: RestJitter
    steady: RestJitter
    still_share: float
    eye_px: float
    region: str = ""
    regions: tuple[tuple[str, float, float], ...] = ()
    truth: TruthMeasures | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TruthMeasures:
    """Measures of one face against the ground truth.

    Attributes:
        name: The name of the ground truth.
        frames: The number of frames that have ground truth.
        error_raw: (frames,), NRMSE of the raw points in %.
        error_steady: The same for the stabilized points.
        xy: (frames, 2), the true position of the chosen landmark in pixels.
        raw: The scores of the raw points.
        steady: The scores of the stabilized points.
    """

    name: str
    frames: int
    error_raw: Curve
    error_steady: Curve
    xy: Curve
    raw: TruthScores
    steady: TruthScores


@dataclass(frozen=True, slots=True)
class MeasureSelection:
    """What is measured.

    Attributes:
        face: The id of the face. None means the first face.
        landmark: The index of the landmark.
        region: The name of the region. An empty name means the whole face.
    """

    face: int | None = None
    landmark: int = 30
    region: str = ""


def measure_face(
    rows: FaceRows,
    times_s: Curve,
    schema: LandmarkSchema,
    *,
    fps: float,
    choice: MeasureSelection = MeasureSelection(),
    truth: GroundTruth | None = None,
    known: NDArray[np.bool_] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> FaceMeasures | None:
    """Measure one face.

    Args:
        rows: The rows of the results.
        times_s: The time of each frame in seconds.
        schema: The schema of the landmarks.
        fps: The frame rate.
        choice: What is measured.
        truth: The ground truth to compare with; it is left out if it has another schema.
        known: (frames,), True for the tracked frames, in which the ground truth is compared. None
            means all frames.
        stop: Is called repeatedly and returns whether the result is no longer wanted.

    Returns:
        The measures, or None if no face was found or `stop` returned True.
    """
    there = np.isfinite(rows.raw[:, 0, 0]) | np.isfinite(rows.steady[:, 0, 0])
    faces = tuple(int(i) for i in np.unique(rows.face_id[there]))
    if not faces:
        return None
    chosen = choice.face if choice.face in faces else faces[0]
    mine = there & (rows.face_id == chosen)
    frame, count = rows.frame[mine], len(times_s)
    raw, steady = (_along(p[mine], frame, count) for p in (rows.raw, rows.steady))
    score = np.full(count, np.nan)
    score[frame] = rows.score[mine]
    attributes = np.full((count, rows.attributes.shape[1]), np.nan)
    attributes[frame] = rows.attributes[mine]
    linked = np.zeros(count, np.bool_)  # frames in which the face continues from the frame before
    linked[frame] = rows.before[mine] >= 0
    known_px = outer_eye_distance(raw if np.isfinite(raw).any() else steady, schema.eyes)
    eye_px = float(np.nanmean(known_px))
    still = _still(raw, fps, eye_px, stop) & _still(steady, fps, eye_px, stop)
    if stop():
        return None
    runs = segments(still, fps)
    landmark = min(choice.landmark, schema.count - 1)
    part = list(schema.regions.get(choice.region, range(schema.count)))
    if truth is not None and truth.known.schema.name != schema.name:
        truth = None
    gaps = np.diff(times_s, prepend=np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        way = np.linalg.norm(_steps(steady, linked), axis=-1).mean(-1)
        speed = np.where(gaps > 0, way / eye_px * 100 / gaps, np.nan)
    return FaceMeasures(
        face=chosen,
        faces=faces,
        schema=schema,
        landmark=landmark,
        times_s=times_s,
        jitter_raw=_jitter(_steps(raw, linked)[:, part], fps, eye_px),
        jitter_steady=_jitter(_steps(steady, linked)[:, part], fps, eye_px),
        still=still,
        score=score,
        speed=speed,
        attributes=attributes,
        raw_xy=raw[:, landmark].astype(np.float64),
        steady_xy=steady[:, landmark].astype(np.float64),
        raw=_steadiness(raw, runs, schema.eyes),
        steady=_steadiness(steady, runs, schema.eyes),
        still_share=float(still.sum() / max(1, len(frame))),
        eye_px=eye_px,
        region=choice.region,
        regions=tuple(
            (name, _mav_of(raw, runs, schema, name), _mav_of(steady, runs, schema, name))
            for name in schema.regions
        ),
        truth=None if truth is None else _of_truth(truth, raw, steady, times_s, known, landmark),
    )


def _of_truth(
    truth: GroundTruth,
    raw: NDArray[np.float32],
    steady: NDArray[np.float32],
    times_s: Curve,
    known: NDArray[np.bool_] | None,
    landmark: int,
) -> TruthMeasures:
    looked_at = np.ones(len(times_s), np.bool_) if known is None else known
    fps = float(1 / np.median(np.diff(times_s))) if len(times_s) > 1 else 25.0
    before, error_before = compared_with(truth, raw, looked_at, fps)
    after, error_after = compared_with(truth, steady, looked_at, fps)
    xy = truth.points[:, landmark]
    return TruthMeasures(truth.name, truth.frames, error_before, error_after, xy, before, after)


def _along(
    points: NDArray[np.float32], frame: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """Spread the points (N, K, 2) of the frames (N,) to (count, K, 2), with NaN elsewhere."""
    out = np.full((count, *points.shape[1:]), np.nan, np.float32)
    out[frame] = points
    return out


def _still(
    points: NDArray[np.float32], fps: float, eye_px: float, stop: Callable[[], bool]
) -> NDArray[np.bool_]:
    """Return (T,), computed in parts that overlap by more than the window of rest detection."""
    still = np.zeros(len(points), np.bool_)
    edge = 2 * half_window(fps)
    for first in range(0, len(points), _PART):
        if stop():
            break
        begin = max(0, first - edge)
        part = still_frames(points[begin : first + _PART + edge], fps, eye_px)
        still[first : first + _PART] = part[first - begin :][:_PART]
    return still


def _steps(points: NDArray[np.float32], linked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return (T, K, 2) changes from the frame before, NaN where the face was not tracked in it."""
    steps = np.full_like(points, np.nan)
    steps[1:] = np.diff(points, axis=0)
    steps[~linked] = np.nan
    return steps


def _jitter(steps: NDArray[np.float32], fps: float, eye_px: float) -> Curve:
    """Return (T,): eq. 11 over the second around each frame, using only the known changes."""
    squares = (steps.astype(np.float64) / eye_px * 100) ** 2
    each = squares.mean((1, 2)) / 2
    known = np.isfinite(each)
    half = half_window(fps)
    sums, counts = (
        np.concatenate(([0.0], np.cumsum(v))) for v in (np.where(known, each, 0.0), known * 1.0)
    )
    first = np.clip(np.arange(len(each)) - half, 0, len(each))
    end = np.clip(np.arange(len(each)) + half + 1, 0, len(each))
    count = counts[end] - counts[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Curve = (sums[end] - sums[first]) / count
    mean[(count < half) | ~known] = np.nan
    return mean


def _mav_of(
    points: NDArray[np.float32], runs: list[slice], schema: LandmarkSchema, region: str
) -> float:
    of_region = schema.regions[region]
    return mav([points[run] for run in runs], landmarks=of_region, eyes=schema.eyes)


def _steadiness(
    points: NDArray[np.float32], runs: list[slice], eyes: tuple[int, int]
) -> RestJitter:
    parts = [points[run] for run in runs]
    if not parts:
        return RestJitter()
    motion = float(np.nanmean([mean_motion(part, eyes=eyes) for part in parts]))
    return RestJitter(mav(parts, eyes=eyes), mcv_still(parts), motion)
