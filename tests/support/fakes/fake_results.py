"""Results for tests, with plausible landmarks."""

from __future__ import annotations

import numpy as np

from steadymark.engine.attributes.attribute_registry import attributes_of
from steadymark.engine.core.types import (
    FaceBox,
    FaceContext,
    FaceState,
    Frame,
    Intrinsics,
    Landmarks,
    SourceInfo,
    TrackedFace,
    TrackResult,
)
from steadymark.engine.face3d.face_basis import face_basis
from steadymark.models.face.crop import Crop, Points
from steadymark.models.face.schema import IBUG68, load_schema


def face_points(x: float = 80.0, y: float = 60.0, size_px: float = 60.0) -> Points:
    """(68, 2) float32: the mean shape around (x, y), its longer side `size_px`."""
    shape = load_schema("ibug68").mean_shape
    points: Points = (shape * size_px + np.array([x, y])).astype(np.float32)
    return points


# A known identity, since it takes long to fit one to each face.
FAKE_CONTEXT = FaceContext(
    IBUG68, Intrinsics(160, 120), identity=np.zeros(len(face_basis().identity))
)


def tracked_face(
    face_id: int = 0,
    *,
    points: Points | None = None,
    state: FaceState = FaceState.TRACKED,
    score: float = 0.9,
    raw_shift_px: float = 0.5,
) -> TrackedFace:
    """A tracked face; its stabilized points lie `raw_shift_px` to the right of the raw ones."""
    xy = face_points() if points is None else points
    left, top = (float(v) for v in xy.min(0))
    width, height = (float(v) for v in np.ptp(xy, 0))
    scores = np.linspace(0.2, 1.0, len(xy), dtype=np.float32)
    stabilized = Landmarks(xy + np.array([raw_shift_px, 0], np.float32), scores)
    return TrackedFace(
        face_id=face_id,
        state=state,
        score=score,
        box=FaceBox(left, top, width, height, score),
        raw=Landmarks(xy, scores),
        stabilized=stabilized,
        crop=Crop(left + width / 2, top + height / 2, 1.3 * max(width, height)),
        attributes=attributes_of(stabilized, FAKE_CONTEXT),
    )


def lost_face(face_id: int = 0) -> TrackedFace:
    """A face that was lost."""
    return TrackedFace(face_id=face_id, state=FaceState.LOST, score=0.1)


def track_result(
    index: int,
    *faces: TrackedFace,
    pts_s: float | None = None,
    size: tuple[int, int] = (160, 120),
    level: int = 90,
    restarted: bool = False,
) -> TrackResult:
    """A result on a plain grey frame of (width, height), 25 frames a second without `pts_s`."""
    image = np.full((size[1], size[0], 3), level, np.uint8)
    frame = Frame(image, index, index / 25 if pts_s is None else pts_s)
    return TrackResult(frame, faces, restarted=restarted)


def moving_results(frames: int) -> list[TrackResult]:
    """A moving face, a second one that appears and is lost, and frames without faces."""
    results = []
    for i in range(frames):
        first = tracked_face(3, points=face_points(80 + 5 * np.sin(i / 4), 60, 50 + i % 7))
        second = tracked_face(1, points=face_points(50, 55, 30), state=FaceState.DETECTED)
        faces = {0: (first,), 1: (first, second), 2: (first, lost_face(1)), 3: ()}[i % 4]
        results.append(track_result(i, *faces))
    return results


def source_info(
    *, path: str = "clip.mp4", size: tuple[int, int] = (160, 120), live: bool = False
) -> SourceInfo:
    """A source of 25 frames a second."""
    return SourceInfo(path, path, size[0], size[1], 25.0, None, live)
