"""Benchmark of face identities: synthetic videos of two faces, tracked by the whole tracker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.scenes.face_crossings import (
    FPS,
    KINDS,
    SEEN,
    CrossingFrame,
    PortraitFace,
    render_crossing,
)
from steadymark.engine.bench.scenes.stability_benchmark import faces_of
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import Frame
from steadymark.engine.metrics.identity_scores import IdentityFrame, IdentityScores, identity_scores
from steadymark.engine.tracking.geometry import box_of_landmarks
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from steadymark.engine.tracking.tracker import Tracker

FACES = 4  # Largest number of faces that the tracker may follow.


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """Result of the tracker on all videos of one kind.

    Attributes:
        kind: Kind of video; see face_crossings.KINDS.
        videos: Number of videos.
        scores: Identity scores, summed over the videos.
    """

    kind: str
    videos: int
    scores: IdentityScores


def run_identity(
    data: Path,
    settings: TrackSettings,
    *,
    videos: int = 10,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda _done, _all: None,
) -> Iterator[IdentityRow]:
    """Run the tracker on synthetic videos of two faces.

    Args:
        data: Folder of labelled faces.
        settings: Tracking settings.
        videos: Number of videos of each kind.
        seed: Random seed.
        report: Called with the number of videos done and the total.

    Yields:
        One row per kind.

    Raises:
        UsageError: `data` holds fewer than two faces, or `videos` is below 1.
    """
    if videos < 1:
        raise UsageError("the benchmark needs a video of each kind at least")
    faces = faces_of(data, held_back=False)
    if len(faces) < 2:
        raise UsageError(f"{data} holds a single face, and crossings need two")
    config = replace(settings.tracker, max_faces=FACES)
    settings = replace(settings, tracker=config)
    models = open_models(settings)
    for place, kind in enumerate(KINDS):
        scores = IdentityScores()
        for number in range(videos):
            rng = np.random.default_rng((seed, place, number))
            first, second = (faces[int(i)] for i in rng.choice(len(faces), 2, replace=False))
            portraits = (
                PortraitFace(first.load_image(), first.points),
                PortraitFace(second.load_image(), second.points),
            )
            frames = track_crossing(
                render_crossing(kind, portraits, rng), make_tracker(models, settings)
            )
            scores += identity_scores(frames)
            report(place * videos + number + 1, len(KINDS) * videos)
        yield IdentityRow(kind, videos, scores)


def track_crossing(frames: Iterator[CrossingFrame], tracker: Tracker) -> Iterator[IdentityFrame]:
    """Yield the ground truth of each frame with the faces that the tracker found."""
    for index, frame in enumerate(frames):
        result = tracker.track(Frame(frame.image, index, index / FPS))
        boxes = {i: box_of_landmarks(xy, score=1.0) for i, xy in enumerate(frame.points)}
        required = {i: box for i, box in boxes.items() if frame.visible[i] >= SEEN}
        hidden = {i: box for i, box in boxes.items() if i not in required}
        found = {face.face_id: face.box for face in result.faces if face.box is not None}
        yield IdentityFrame(required, found, hidden)
