"""Measures of the stability of one face's landmarks: curves over the recording, and figures.

MAV counts every change between frames, and a moving face changes too. The figures are therefore
computed only where the face is at rest (`engine.metrics.rest_detection`) in both the raw and the
stabilized points. The curves show where the face is at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.analysis.ground_truth import TruthScores, score_face
from steadymark.app.session.analysis.tracking_figures import UNKNOWN_FIGURES, tracking_figures
from steadymark.engine.metrics.accuracy import outer_eye_distance
from steadymark.engine.metrics.rest_detection import half_window, segments, still_frames
from steadymark.engine.metrics.stability import mav, mcv_still, mean_motion

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.analysis.ground_truth import GroundTruth
    from steadymark.app.session.analysis.landmark_errors import ErrorPair
    from steadymark.app.session.analysis.tracking_figures import TrackingFigures
    from steadymark.app.session.recording.face_rows import FaceRows
    from steadymark.models.face.schema import LandmarkSchema

    Curve = NDArray[np.float64]

_BLOCK_FRAMES = 4000  # frames that are processed at once


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
        jitter_stabilized: The same for the stabilized points.
        at_rest: True in the frames in which the face is at rest.
        score: The score of the face.
        speed: Mean speed of the stabilized points, in % of the outer-eye distance per second.
        attributes: (frames, C), the values of all attributes, see `attribute_registry`.
        raw_xy: (frames, 2), the raw position of the chosen landmark in pixels.
        stabilized_xy: The same for the stabilized position.
        raw: The jitter at rest of the raw points.
        stabilized: The jitter at rest of the stabilized points.
        rest_share: The share of the face's frames in which it is at rest.
        eye_px: The mean outer-eye distance in pixels.
        region: The name of the chosen region.
        regions: The name of each region with the MAV at rest of its raw and stabilized points.
        truth: The comparison with the ground truth, or None without ground truth.
        figures: What can be measured of the face whether it is at rest or moves.
    """

    face: int
    faces: tuple[int, ...]
    schema: LandmarkSchema
    landmark: int
    times_s: Curve
    jitter_raw: Curve
    jitter_stabilized: Curve
    at_rest: NDArray[np.bool_]
    score: Curve
    speed: Curve
    attributes: Curve
    raw_xy: Curve
    stabilized_xy: Curve
    raw: RestJitter
    stabilized: RestJitter
    rest_share: float
    eye_px: float
    region: str = ""
    regions: tuple[tuple[str, float, float], ...] = ()
    truth: TruthMeasures | None = None
    figures: TrackingFigures = UNKNOWN_FIGURES


@dataclass(frozen=True, slots=True, eq=False)
class TruthMeasures:
    """Measures of one face against the ground truth.

    Attributes:
        name: The name of the ground truth.
        frames: The number of frames that have ground truth.
        error_raw: (frames,), NRMSE of the raw points in %.
        error_stabilized: The same for the stabilized points.
        xy: (frames, 2), the true position of the chosen landmark in pixels.
        raw: The scores of the raw points.
        stabilized: The scores of the stabilized points.
        errors: The errors of the raw and of the stabilized points in the compared frames; None
            without any.
    """

    name: str
    frames: int
    error_raw: Curve
    error_stabilized: Curve
    xy: Curve
    raw: TruthScores
    stabilized: TruthScores
    errors: ErrorPair | None = None


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
    selection: MeasureSelection = MeasureSelection(),
    truth: GroundTruth | None = None,
    known: NDArray[np.bool_] | None = None,
    excluded: Callable[[int], NDArray[np.bool_]] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> FaceMeasures | None:
    """Measure one face.

    Args:
        rows: The rows of the results.
        times_s: The time of each frame in seconds.
        schema: The schema of the landmarks.
        fps: The frame rate.
        selection: What is measured.
        truth: The ground truth to compare with; it is left out if it has another schema.
        known: (frames,), True for the tracked frames, in which the ground truth is compared. None
            means all frames.
        excluded: Returns (frames,), True for the frames in which a face does not count in the
            figures. Its curves and the comparison with the ground truth have them all the same.
            None means no frame.
        stop: Is called repeatedly and returns whether the result is no longer wanted.

    Returns:
        The measures, or None if no face was found or `stop` returned True.
    """
    present = np.isfinite(rows.raw[:, 0, 0]) | np.isfinite(rows.stabilized[:, 0, 0])
    faces = tuple(int(i) for i in np.unique(rows.face_id[present]))
    if not faces:
        return None
    chosen = selection.face if selection.face in faces else faces[0]
    face_rows = present & (rows.face_id == chosen)
    frame, count = rows.frame[face_rows], len(times_s)
    raw, stabilized = (
        _spread_over_frames(p[face_rows], frame, count) for p in (rows.raw, rows.stabilized)
    )
    score = np.full(count, np.nan)
    score[frame] = rows.score[face_rows]
    attributes = np.full((count, rows.attributes.shape[1]), np.nan)
    attributes[frame] = rows.attributes[face_rows]
    linked = np.zeros(count, np.bool_)  # whether the face was also tracked in the frame before
    linked[frame] = rows.previous_row[face_rows] >= 0
    eye_distances_px = outer_eye_distance(
        raw if np.isfinite(raw).any() else stabilized, schema.eyes
    )
    eye_px = float(np.nanmean(eye_distances_px))
    counted = np.ones(count, np.bool_) if excluded is None else ~excluded(chosen)
    processed = counted if known is None else known & counted
    at_rest = _rest_frames(raw, fps, eye_px, stop) & _rest_frames(stabilized, fps, eye_px, stop)
    at_rest &= counted
    if stop():
        return None
    runs = segments(at_rest, fps)
    landmark = min(selection.landmark, schema.count - 1)
    region_points = list(schema.regions.get(selection.region, range(schema.count)))
    if truth is not None and truth.video.schema.name != schema.name:
        truth = None
    intervals_s = np.diff(times_s, prepend=np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.linalg.norm(_steps(stabilized, linked), axis=-1).mean(-1)
        speed = np.where(intervals_s > 0, distance / eye_px * 100 / intervals_s, np.nan)
    return FaceMeasures(
        face=chosen,
        faces=faces,
        schema=schema,
        landmark=landmark,
        times_s=times_s,
        jitter_raw=_jitter(_steps(raw, linked)[:, region_points], fps, eye_px),
        jitter_stabilized=_jitter(_steps(stabilized, linked)[:, region_points], fps, eye_px),
        at_rest=at_rest,
        score=score,
        speed=speed,
        attributes=attributes,
        raw_xy=raw[:, landmark].astype(np.float64),
        stabilized_xy=stabilized[:, landmark].astype(np.float64),
        raw=_rest_jitter(raw, runs, schema.eyes),
        stabilized=_rest_jitter(stabilized, runs, schema.eyes),
        rest_share=float(at_rest.sum() / max(1, counted[frame].sum())),
        eye_px=eye_px,
        region=selection.region,
        regions=tuple(
            (name, _mav_of(raw, runs, schema, name), _mav_of(stabilized, runs, schema, name))
            for name in schema.regions
        ),
        truth=None
        if truth is None
        else _truth_measures(truth, raw, stabilized, times_s, known, landmark),
        figures=tracking_figures(
            rows,
            face_rows & counted[rows.frame],
            raw,
            stabilized,
            times_s,
            linked=linked & counted,
            known=processed,
            eye_px=eye_px,
            stop=stop,
        ),
    )


def _truth_measures(
    truth: GroundTruth,
    raw: NDArray[np.float32],
    stabilized: NDArray[np.float32],
    times_s: Curve,
    known: NDArray[np.bool_] | None,
    landmark: int,
) -> TruthMeasures:
    compared_frames = np.ones(len(times_s), np.bool_) if known is None else known
    fps = float(1 / np.median(np.diff(times_s))) if len(times_s) > 1 else 25.0
    raw_scores, error_raw, first = score_face(truth, raw, compared_frames, fps)
    stabilized_scores, error_stabilized, second = score_face(
        truth, stabilized, compared_frames, fps
    )
    xy = truth.points[:, landmark]
    return TruthMeasures(
        truth.name,
        truth.frames,
        error_raw,
        error_stabilized,
        xy,
        raw_scores,
        stabilized_scores,
        None if first is None or second is None else (first, second),
    )


def _spread_over_frames(
    points: NDArray[np.float32], frame: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """Spread the points (N, K, 2) of the frames (N,) to (count, K, 2), with NaN elsewhere."""
    out = np.full((count, *points.shape[1:]), np.nan, np.float32)
    out[frame] = points
    return out


def _rest_frames(
    points: NDArray[np.float32], fps: float, eye_px: float, stop: Callable[[], bool]
) -> NDArray[np.bool_]:
    """Return whether the face is at rest in each frame, (T,).

    It is computed in blocks that overlap by more than the window of rest detection.
    """
    at_rest = np.zeros(len(points), np.bool_)
    edge = 2 * half_window(fps)
    for first in range(0, len(points), _BLOCK_FRAMES):
        if stop():
            break
        begin = max(0, first - edge)
        block = still_frames(points[begin : first + _BLOCK_FRAMES + edge], fps, eye_px)
        at_rest[first : first + _BLOCK_FRAMES] = block[first - begin :][:_BLOCK_FRAMES]
    return at_rest


def _steps(points: NDArray[np.float32], linked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the changes from the previous frame, (T, K, 2); NaN where there is none."""
    steps = np.full_like(points, np.nan)
    steps[1:] = np.diff(points, axis=0)
    steps[~linked] = np.nan
    return steps


def _jitter(steps: NDArray[np.float32], fps: float, eye_px: float) -> Curve:
    """Return the MAV over the second around each frame, (T,).

    Only known changes count, see eq. 11 in `engine.metrics.stability`.
    """
    squares = (steps.astype(np.float64) / eye_px * 100) ** 2
    frame_mav = squares.mean((1, 2)) / 2
    known = np.isfinite(frame_mav)
    half = half_window(fps)
    sums, counts = (
        np.concatenate(([0.0], np.cumsum(v)))
        for v in (np.where(known, frame_mav, 0.0), known * 1.0)
    )
    first = np.clip(np.arange(len(frame_mav)) - half, 0, len(frame_mav))
    end = np.clip(np.arange(len(frame_mav)) + half + 1, 0, len(frame_mav))
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


def _rest_jitter(
    points: NDArray[np.float32], runs: list[slice], eyes: tuple[int, int]
) -> RestJitter:
    parts = [points[run] for run in runs]
    if not parts:
        return RestJitter()
    motion = float(np.nanmean([mean_motion(part, eyes=eyes) for part in parts]))
    return RestJitter(mav(parts, eyes=eyes), mcv_still(parts), motion)
