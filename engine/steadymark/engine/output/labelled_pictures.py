"""Faces of a video as labelled pictures: NAME.png and NAME.pts, as in 300W."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.core.types import FaceState
from steadymark.engine.output.output_paths import cannot_write
from steadymark.engine.sources import open_source
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.models.face.pts_file import pts_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.models.face.crop import Points


@dataclass(frozen=True, slots=True, eq=False)
class FaceLabel:
    """The landmarks of a face in one frame.

    Attributes:
        frame: Index of the frame.
        face_id: Number of the face.
        xy_px: (K, 2) landmarks in frame pixels.
    """

    frame: int
    face_id: int
    xy_px: Points


def labels_of(table: LandmarkTable, faces: Collection[tuple[int, int]]) -> list[FaceLabel]:
    """Return the landmarks of some faces, in the order of frames and faces.

    Args:
        table: The table.
        faces: Frame and number of each face; those that the table does not have are left out.

    Returns:
        The landmarks.
    """
    present = np.flatnonzero(table.state != FaceState.LOST)
    keys = zip(table.frame[present].tolist(), table.face_id[present].tolist(), strict=True)
    rows = {key: row for key, row in zip(keys, present.tolist(), strict=True) if key in faces}
    return [
        FaceLabel(frame, face_id, table.xy_px[row].astype(np.float32))
        for (frame, face_id), row in sorted(rows.items())
    ]


def label_paths(faces: Sequence[tuple[int, int]], folder: Path, name: str) -> list[Path]:
    """Return the pictures of faces; each has a .pts file of the same name.

    A picture is `NAME_000123.png` for frame 123, and `NAME_000123_1.png` for face 1 where the frame
    has several of the faces, since each picture has the label of one face.

    Args:
        faces: Frame and number of each face.
        folder: The folder.
        name: Name of the video.
    """
    frames = [frame for frame, _ in faces]
    parts = [f"_{face}" if frames.count(frame) > 1 else "" for frame, face in faces]
    return [
        folder / f"{name}_{frame:06}{part}.png" for frame, part in zip(frames, parts, strict=True)
    ]


def write_labelled_pictures(
    video: str, labels: Sequence[FaceLabel], folder: Path, name: str, *, overwrite: bool = False
) -> int:
    """Write a picture and a .pts file for each label.

    Training and evaluation read the folder as a data set (`read_300w`).

    Args:
        video: The video or the images that the labels belong to.
        labels: The labels.
        folder: The folder; it is made if it does not exist.
        name: What the names of the files begin with, see `label_paths`.
        overwrite: Whether existing files are replaced.

    Returns:
        The number of pictures.

    Raises:
        SinkError: A file cannot be written.
        SourceError: The video cannot be read, or a frame of it is damaged.
        UsageError: There is no label, or a file exists already.
    """
    if not labels:
        raise UsageError("there is no face to save: correct landmarks in a frame with a face first")
    paths = label_paths([(one.frame, one.face_id) for one in labels], folder, name)
    taken = next((path for path in paths if path.exists() and not overwrite), None)
    if taken is not None:
        raise UsageError(
            "{path} is there already: choose to replace it, or another folder", path=taken
        )
    source = open_source(video)
    try:
        if not isinstance(source, VideoFile | ImageSequence):
            raise SourceError("{video} is not a recording: its frames cannot be read", video=video)
        for path, label in zip(paths, labels, strict=True):
            _write(source, label, path)
    finally:
        source.close()
    return len(labels)


def _write(source: VideoFile | ImageSequence, label: FaceLabel, path: Path) -> None:
    picture = cv2.imencode(path.suffix, source.frame_at(label.frame).image)[1].tobytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
        path.with_suffix(".pts").write_text(pts_text(label.xy_px), encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from error
