"""The recording of a live view: a video, and a table that holds exactly its frames."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from steadymark.app.session.live.open_stream import OpenStream, live_settings
from steadymark.engine.output.live_recorder import Recorder, RecorderReport
from steadymark.engine.output.output_paths import output_stem, part_of
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.pipeline.job import InputSettings, header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.engine.sources import CameraMode

CLEAN = DrawOptions(points=False, contours=False, box=False, face_id=False, status=False, schema="")


@dataclass(frozen=True, slots=True)
class LiveRecording:
    """A recording in progress. The table lies beside the video.

    Attributes:
        recorder: Writes the files.
        path: The path of the video.
        draw: What is drawn into the video.
    """

    recorder: Recorder
    path: Path
    draw: DrawOptions


def start_recording(
    stream: OpenStream,
    mode: CameraMode | None,
    folder: Path,
    draw: DrawOptions,
    on_end: Callable[[RecorderReport], None],
    used_paths: set[Path],
) -> LiveRecording:
    """Start to record everything that is tracked from now on.

    Args:
        stream: The open camera or stream.
        mode: The mode that was requested of the camera.
        folder: The folder of the files.
        draw: What is drawn into the video; its schema is that of the stream.
        on_end: Is called from the recorder's thread.
        used_paths: Paths used in this session, which may not exist on disk yet. The
            new path is added.
    """
    info, schema = stream.source.info, stream.models.schema
    stem = output_stem(info.name.replace(".", "-"), set())
    path = _free_name(folder, f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}", used_paths)
    table_header = header(
        info, stream.models, live_settings(stream.settings), InputSettings(camera=mode)
    )
    sinks = (  # the video is first: a frame that it cannot take gets no row in the table
        AnnotatedVideoSink(path, None, replace(draw, schema=schema.name), hurried=True),
        TABLE_FORMATS.find("native").sink(path.with_suffix(".csv"), table_header, schema),
    )
    recorder = Recorder(sinks, info, on_end=on_end)
    stream.record(recorder)
    return LiveRecording(recorder, path, draw)


def _free_name(folder: Path, stem: str, used_paths: set[Path]) -> Path:
    """Return a free path for a video. Its table uses the same name."""
    number, path = 2, folder / f"{stem}.mp4"
    while path in used_paths or path.exists() or part_of(path).exists():
        path, number = folder / f"{stem}-{number}.mp4", number + 1
    used_paths.add(path)
    return path
