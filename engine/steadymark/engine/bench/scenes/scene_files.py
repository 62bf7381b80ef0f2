"""Write scenes as videos for other trackers, and read the tables that these trackers make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np

from steadymark.engine.bench.scenes.scene_presets import encode
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.tracker_tables import ScoredVideo, match_table
from steadymark.engine.output.output_paths import cannot_write
from steadymark.engine.output.read_table import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.bench.scenes.scene_presets import Scene
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.models.face.schema import LandmarkSchema


def scene_name(noise: int, number: int) -> str:
    """Return the file stem of a scene."""
    return f"noise{noise}-scene{number:03d}"


def write_scene(folder: Path, name: str, scene: Scene) -> None:
    """Write a scene as a lossless video (FFV1 in Matroska) of exactly the benchmark's frames.

    Args:
        folder: Folder to write to.
        name: File stem of the video.
        scene: The scene.

    Raises:
        SinkError: The video cannot be written.
    """
    path = folder / f"{name}.mkv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        places = scene.places.tolist()
        encode(str(path), scene.images, scene.fps, "ffv1", "bgr0", places=places)
    except (OSError, av.FFmpegError) as error:
        raise cannot_write(path, error) from error


def read_scene(folder: Path, name: str, scene: Scene, schema: LandmarkSchema) -> Values:
    """Read another tracker's table NAME.csv of a scene, in Steadymark's or OpenFace's format.

    Args:
        folder: Folder of the tables.
        name: File stem of the table.
        scene: The scene that was tracked.
        schema: The landmark schema.

    Returns:
        Landmarks, (T, K, 2), in pixels; NaN in frames without the face.

    Raises:
        UsageError: The table is missing, or it belongs to another video.
        LandmarkFileError: The table cannot be read.
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
    return match_table(read_table(path), video, name=str(path)).points
