"""A temporary file of results, for what is computed when a whole video is tracked."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from steadymark.engine.attributes.pupil_values import pupil_values, pupils_of
from steadymark.engine.core.types import (
    FaceAttributes,
    FaceBox,
    FaceState,
    FrameTime,
    Landmarks,
    TrackedFace,
    TrackResult,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.core.types import FaceContext

    Floats = NDArray[np.float64]

_STATES = tuple(FaceState)


class ResultFile:
    """The results of a video in a file without a name, which is gone when the program ends.

    The file has only numbers of 64 bits, so that no damage of it can make the program run anything.
    Pictures, crops, durations and the values of attributes are left out.

    Args:
        folder: The folder of the file.

    Raises:
        OSError: The file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        opened = tempfile.TemporaryFile(dir=folder, prefix=".steadymark")  # noqa: SIM115 - see close
        self._file = cast("BinaryIO", opened)
        self._contexts: list[FaceContext] = []  # what is the same for most faces, in memory

    def add(self, result: TrackResult) -> None:
        """Add a result.

        Raises:
            OSError: It cannot be written.
        """
        frame = result.frame
        times = [frame.index, frame.pts_s, frame.captured_s, result.restarted]
        self._write([times, *(part for face in result.faces for part in self._parts(face))])

    def results(self) -> Iterator[TrackResult]:
        """Yield the results in the order in which they were added."""
        self._file.seek(0)
        while parts := self._read():
            index, pts_s, captured_s, restarted = parts[0]
            faces = (parts[i : i + _PARTS] for i in range(1, len(parts), _PARTS))
            yield TrackResult(
                FrameTime(int(index), float(pts_s), float(captured_s)),
                tuple(map(self._face, faces)),
                restarted=bool(restarted),
            )

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def _write(self, parts: Sequence[Sequence[float] | NDArray[np.generic]]) -> None:
        """Write arrays of one frame, after their number and their lengths."""
        arrays = [np.asarray(part, np.float64).ravel() for part in parts]
        lengths = np.array([len(arrays), *map(len, arrays)], np.int64)
        self._file.write(lengths.tobytes() + np.concatenate(arrays).tobytes())

    def _read(self) -> list[Floats]:
        """Read the arrays of one frame; none at the end of the file."""
        count = np.frombuffer(self._file.read(8), np.int64)
        if not len(count):
            return []
        lengths = np.frombuffer(self._file.read(8 * int(count[0])), np.int64)
        numbers = np.frombuffer(self._file.read(8 * int(lengths.sum())), np.float64)
        return np.split(numbers, np.cumsum(lengths)[:-1])

    def _parts(self, face: TrackedFace) -> list[Sequence[float] | NDArray[np.generic]]:
        """Return the arrays of a face, `_PARTS` of them; empty ones are unknown."""
        box, context = face.box, None if face.attributes is None else face.attributes.context
        same = face.stabilized is face.raw  # as without a stabilizer
        stabilized = None if same else face.stabilized
        pupils = None if context is None else context.pupils
        identity = None if context is None else context.identity
        return [
            [face.face_id, _STATES.index(face.state), face.score],
            [getattr(box, name) for name in FaceBox.__slots__] if box is not None else [],
            *_arrays(face.raw),
            *_arrays(stabilized),
            [] if context is None else [self._number_of(context), context.time_s],
            [] if identity is None else identity,
            [] if pupils is None else pupil_values(pupils),
        ]

    def _face(self, parts: list[Floats]) -> TrackedFace:
        facts, box, *landmarks, known, identity, pupils = parts
        raw, stabilized = _landmarks(*landmarks[:2]), _landmarks(*landmarks[2:])
        attributes = None
        if len(known):
            context = replace(
                self._contexts[int(known[0])],
                time_s=float(known[1]),
                identity=identity if len(identity) else None,
                pupils=pupils_of(pupils) if len(pupils) else None,
            )
            attributes = FaceAttributes(context, {})
        return TrackedFace(
            face_id=int(facts[0]),
            state=_STATES[int(facts[1])],
            score=float(facts[2]),
            box=FaceBox(*map(float, box)) if len(box) else None,
            raw=raw,
            stabilized=raw if stabilized is None else stabilized,
            attributes=attributes,
        )

    def _number_of(self, context: FaceContext) -> int:
        """Return the number of a context without what differs from face to face."""
        kept = replace(context, time_s=0.0, identity=None, fit=None, pupils=None, gaze=None)
        if kept not in self._contexts:
            self._contexts.append(kept)
        return self._contexts.index(kept)


_PARTS = 9  # arrays of a face


def _arrays(landmarks: Landmarks | None) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    if landmarks is None:
        return np.empty(0), np.empty(0)
    return landmarks.xy_px, landmarks.score


def _landmarks(xy_px: Floats, score: Floats) -> Landmarks | None:
    if not len(score):
        return None
    return Landmarks(xy_px.reshape(-1, 2).astype(np.float32), score.astype(np.float32))
