"""A sink that collects the motion of heads, and writes it when all frames are there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError
from steadymark.engine.expressions.expression_settings import AS_MEASURED
from steadymark.engine.output.motion.head_motion import MotionCollector
from steadymark.engine.output.output_paths import cannot_write, finish_part, open_part, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from steadymark.engine.core.types import SourceInfo, TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
    from steadymark.engine.output.motion.head_motion import HeadMotion

    # Returns the contents of the files to write, from the path of the first one.
    Encode = Callable[[Path, list[HeadMotion]], Mapping[Path, bytes]]


class MotionSink:
    """Writes the moving heads of a video into one file or several.

    The motion stays in memory until the end, about 0.5 kB for a face and frame, since these formats
    begin with the number of frames. A program that is killed leaves an empty temporary file.

    Args:
        path: Path of the file when it is complete.
        encode: Returns the contents of the files.
        expressions: Settings of the shapes, and whether the character is mirrored.
    """

    def __init__(
        self, path: Path, encode: Encode, expressions: ExpressionSettings = AS_MEASURED
    ) -> None:
        self._path, self._encode, self._expressions = path, encode, expressions
        self._more: tuple[str, ...] = ()
        self._collector = MotionCollector()
        self._handle: int | None = None

    @property
    def path(self) -> str:
        return str(self._path)

    @property
    def more_paths(self) -> tuple[str, ...]:
        """The paths of all files but the first."""
        return self._more

    def open(self, info: SourceInfo) -> None:
        self._handle = open_part(self._path, live=info.live)

    def write(self, result: TrackResult) -> None:
        if self._handle is None:
            raise SinkError("cannot write {path}: it is not open", path=self._path)
        self._collector.add(result)

    def close(self, *, complete: bool) -> None:
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        collector, self._collector = self._collector, MotionCollector()
        motions = [each.with_settings(self._expressions) for each in collector.motions()]
        if not motions:
            os.close(handle)
            part_of(self._path).unlink(missing_ok=True)
            if complete and collector.frames:
                raise no_pose(self._path, has_face=collector.has_face)
            return
        first, *others = self._encode(self._path, motions).items()
        _write(handle, *first)
        for path, content in others:
            _write(open_part(path), path, content)
            self._more += (str(finish_part(path, complete=complete)),)
        self._path = finish_part(self._path, complete=complete)


def write_motion(path: Path, motions: list[HeadMotion], encode: Encode) -> list[Path]:
    """Write moving heads; existing files are replaced.

    Args:
        path: Path of the first file.
        motions: The heads.
        encode: Returns the contents of the files.

    Returns:
        The paths of the files.

    Raises:
        SinkError: A file cannot be written, or there is no head.
    """
    if not motions:
        raise no_pose(path, has_face=True)
    files = encode(path, motions)
    for each, content in files.items():
        _write(open_part(each), each, content)
        finish_part(each, complete=True)
    return list(files)


def no_pose(path: Path, *, has_face: bool) -> SinkError:
    """Return the error that there is nothing to write.

    Args:
        path: The file.
        has_face: Whether there is a face, so that only its head pose is unknown.
    """
    if not has_face:
        return SinkError(
            "cannot write {path}: no face was found, and the motion consists of faces; choose "
            "another part of the video, or the format native",
            path=path,
        )
    return SinkError(
        "cannot write {path}: no face has a head pose, which the motion consists of; choose a part "
        "of the video that shows a face, or another format",
        path=path,
    )


def _write(handle: int, path: Path, content: bytes) -> None:
    """Write the temporary file, and close it; a part of a file is of no use, and is removed."""
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        part_of(path).unlink(missing_ok=True)
        raise cannot_write(path, error) from error
