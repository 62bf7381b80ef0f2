"""How steady one face's landmarks are, along the recording and in numbers.

Jitter or motion? MAV counts every frame-to-frame change, and a face that moves changes too. So
figures are taken only where the face is still (`engine.metrics.rest_detection`), of raw and
stabilized points alike, and the curves say where that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.analysis.ground_truth import TruthScores, compared_with
from steadymark.engine.metrics.accuracy import outer_eye_distance
from steadymark.engine.metrics.rest_detection import half_window, segments, still_frames
from steadymark.engine.metrics.stability import mav, mcv_still, mean_motion
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.analysis.ground_truth import GroundTruth
    from steadymark.app.session.recording.results import FaceRows

    Curve = NDArray[np.float64]

_PART = 4000  # frames looked at in one go


@dataclass(frozen=True, slots=True)
class RestJitter:
    """Of still segments: mav in (% of the outer-eye distance)², mcv in %, motion in % a frame."""

    mav: float = float("nan")
    mcv: float = float("nan")
    motion: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class FaceMeasures:
    """Of one face; curves are (frames,), NaN where nothing is known.

    faces: all ids. jitter_raw, jitter_steady: MAV over the second around a frame, of the landmarks
    of `region`, empty: of all. still: frames in which the face is still. score: of the face. speed:
    mean way of the stabilized points, % of the outer-eye distance a second. angles_deg: (frames,
    3), pitch, yaw and roll of the head. raw_xy, steady_xy: (frames, 2), the chosen landmark,
    pixels. still_share: of the frames that the face is in. eye_px: mean outer-eye distance.
    regions: MAV of raw and stabilized points of each, where the face is still. truth: what it is
    told of, None without.
    """

    face: int
    faces: tuple[int, ...]
    landmark: int
    times_s: Curve
    jitter_raw: Curve
    jitter_steady: Curve
    still: NDArray[np.bool_]
    score: Curve
    speed: Curve
    angles_deg: Curve
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
    """One face against the ground truth. name, frames: of the truth.

    error_raw, error_steady: (frames,), NRMSE in %. xy: (frames, 2), the true place of the chosen
    landmark, pixels.
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
    """Of what: a face, the first unless told, a landmark, and a region or, if empty, all of it."""

    face: int | None = None
    landmark: int = 30
    region: str = ""


def measure_face(
    rows: FaceRows,
    times_s: Curve,
    *,
    fps: float,
    choice: MeasureSelection = MeasureSelection(),
    truth: GroundTruth | None = None,
    known: NDArray[np.bool_] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> FaceMeasures | None:
    """Everything of one face; None where no face was found yet.

    known: (frames,), those that are tracked, on which truth is compared; all of them unless told.
    stop: asked now and then, whether nobody wants it any more; None then, too.
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
    angles = np.full((count, 3), np.nan)
    angles[frame] = np.degrees(rows.pose[mine, 3:])
    linked = np.zeros(count, np.bool_)  # frames whose face was there one frame before
    linked[frame] = rows.before[mine] >= 0
    known_px = outer_eye_distance(raw if np.isfinite(raw).any() else steady)
    eye_px = float(np.nanmean(known_px))
    still = _still(raw, fps, eye_px, stop) & _still(steady, fps, eye_px, stop)
    if stop():
        return None
    runs = segments(still, fps)
    landmark, regions = choice.landmark, load_schema().regions
    part = list(regions.get(choice.region, range(raw.shape[1])))
    gaps = np.diff(times_s, prepend=np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        way = np.linalg.norm(_steps(steady, linked), axis=-1).mean(-1)
        speed = np.where(gaps > 0, way / eye_px * 100 / gaps, np.nan)
    return FaceMeasures(
        face=chosen,
        faces=faces,
        landmark=landmark,
        times_s=times_s,
        jitter_raw=_jitter(_steps(raw, linked)[:, part], fps, eye_px),
        jitter_steady=_jitter(_steps(steady, linked)[:, part], fps, eye_px),
        still=still,
        score=score,
        speed=speed,
        angles_deg=angles,
        raw_xy=raw[:, landmark].astype(np.float64),
        steady_xy=steady[:, landmark].astype(np.float64),
        raw=_steadiness(raw, runs),
        steady=_steadiness(steady, runs),
        still_share=float(still.sum() / max(1, len(frame))),
        eye_px=eye_px,
        region=choice.region,
        regions=tuple(
            (name, _mav_of(raw, runs, of), _mav_of(steady, runs, of))
            for name, of in regions.items()
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
    """(N, K, 2) at frames (N,) → (count, K, 2), NaN elsewhere."""
    out = np.full((count, *points.shape[1:]), np.nan, np.float32)
    out[frame] = points
    return out


def _still(
    points: NDArray[np.float32], fps: float, eye_px: float, stop: Callable[[], bool]
) -> NDArray[np.bool_]:
    """(T,), in parts that overlap by more than a frame's stillness depends on."""
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
    """(T, K, 2): from the frame before; NaN where memory of the face began in between."""
    steps = np.full_like(points, np.nan)
    steps[1:] = np.diff(points, axis=0)
    steps[~linked] = np.nan
    return steps


def _jitter(steps: NDArray[np.float32], fps: float, eye_px: float) -> Curve:
    """(T,): eq. 11 over the second around each frame, of the steps that are known."""
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


def _mav_of(points: NDArray[np.float32], runs: list[slice], landmarks: tuple[int, ...]) -> float:
    return mav([points[run] for run in runs], landmarks=landmarks)


def _steadiness(points: NDArray[np.float32], runs: list[slice]) -> RestJitter:
    parts = [points[run] for run in runs]
    if not parts:
        return RestJitter()
    motion = float(np.nanmean([mean_motion(part) for part in parts]))
    return RestJitter(mav(parts), mcv_still(parts), motion)
