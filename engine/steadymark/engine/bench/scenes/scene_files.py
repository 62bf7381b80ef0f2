"""Scenes as videos, for other programs to track, and the tables that these make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np

from steadymark.engine.bench.scenes.scene_presets import encode
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.tracker_tables import ScoredVideo, followed
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.output_paths import cannot_write

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.bench.scenes.scene_presets import Scene
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.models.face.schema import LandmarkSchema


def scene_name(noise: int, number: int) -> str:
    """Of a scene's files, without their endings."""
    return f"noise{noise}-scene{number:03d}"


def write_scene(folder: Path, name: str, scene: Scene) -> None:
    """A lossless video (FFV1 in Matroska) of exactly the frames that our own choices track.

    Raises:
        SinkError: it cannot be written.
    """
    path = folder / f"{name}.mkv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        places = scene.places.tolist()
        encode(str(path), scene.images, scene.fps, "ffv1", "bgr0", places=places)
    except (OSError, av.FFmpegError) as error:
        raise cannot_write(path, error) from error


def read_scene(folder: Path, name: str, scene: Scene, schema: LandmarkSchema) -> Values:
    """Points (T, K, 2) of a tracker's table NAME.csv, ours or OpenFace's; NaN where it has none.

    Raises:
        UsageError: there is no such table, or it is of another video.
        LandmarkFileError: it cannot be read.
    """
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise UsageError(
            f"{path} is missing: write the scenes as videos with --write, track each, and name "
            "the tables as the videos are named"
        )
    every = tuple(range(schema.count))
    video = ScoredVideo(
        name, None, len(scene.images), scene.truth.astype(np.float64), schema, every
    )
    return followed(read_landmarks(path), video, name=str(path)).points
