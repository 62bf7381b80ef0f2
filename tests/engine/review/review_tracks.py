"""Tracks of made-up faces for the tests of the review."""

from typing import Any

import numpy as np

from steadymark.engine.review.person_track import PersonTrack
from steadymark.models.face.schema import load_schema

FPS = 25.0
EYE_PX = 100.0


def still_track(frames: int = 100, face_id: int = 0, at: tuple[float, float] = (300, 200)) -> Any:
    """Return the track of a face at rest, whose outer eye corners are 100 px apart."""
    schema = load_schema("ibug68")
    shape = schema.mean_shape - schema.mean_shape[list(schema.eyes)].mean(0)
    shape = shape * EYE_PX / np.linalg.norm(shape[schema.eyes[1]] - shape[schema.eyes[0]])
    xy = np.tile(shape + np.array(at), (frames, 1, 1))
    return PersonTrack(
        face_id=face_id,
        frame=np.arange(frames),
        time_s=np.arange(frames) / FPS,
        xy=xy,
        raw_xy=xy.copy(),
        point_score=np.full((frames, 68), 0.9),
        score=np.full(frames, 0.99),
        rotation_deg=np.zeros((frames, 3)),
        eyes=schema.eyes,
    )
