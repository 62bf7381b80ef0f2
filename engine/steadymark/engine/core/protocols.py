"""The protocols that connect the parts of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from steadymark.engine.core.types import FaceBox, Frame, Landmarks, SourceInfo, TrackResult
    from steadymark.models.face.crop import Image
    from steadymark.models.user_text import UserText

F = TypeVar("F")
S = TypeVar("S")


@runtime_checkable
class FrameSource(Protocol):
    """Yields the frames of a source once, in order.

    The constructor opens the source and raises `SourceError` if that fails. `frames` ends normally
    at the end of the source, and at most 0.5 s after `close` was called from any thread. It raises
    `SourceError` if the source fails permanently. `close` may be called more than once and from any
    thread. `problems` lists what was skipped while reading, such as corrupt packets, with one
    sentence for each. `dropped` counts the frames of a live source that newer frames replaced
    before they were taken; it is 0 for files.
    """

    @property
    def info(self) -> SourceInfo: ...
    @property
    def problems(self) -> tuple[UserText, ...]: ...
    @property
    def dropped(self) -> int: ...
    def frames(self) -> Iterator[Frame]: ...
    def close(self) -> None: ...


class FaceDetector(Protocol):
    """Finds faces; each box is the extent of the landmarks, and the best box comes first."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]: ...


@runtime_checkable
class DoubtingFaceDetector(FaceDetector, Protocol):
    """A detector that also returns boxes that it refuses, for a stricter check by the tracker."""

    def detect_with_doubtful(
        self, image: Image
    ) -> tuple[tuple[FaceBox, ...], tuple[FaceBox, ...]]: ...


@runtime_checkable
class CandidateFaceDetector(FaceDetector, Protocol):
    """A detector that also returns places that it hardly takes for faces, for the same check.

    Each box has the detector's score, and the best box comes first.
    """

    def candidates(self, image: Image) -> tuple[FaceBox, ...]: ...


@runtime_checkable
class Closable(Protocol):
    """A detector or a model that holds resources which must be released when the program ends."""

    def close(self) -> None: ...


class FrameTracker(Protocol[F]):
    """Tracks the faces of frames that come in order, as `engine.tracking.tracker.Tracker` does.

    `follow` does what the next frame depends on, and `finish` the rest. Each is called from one
    thread, in the order of the frames, and `finish` may run while `follow` has the next frames.
    """

    def follow(self, frame: Frame) -> F: ...
    def finish(self, followed: F) -> TrackResult: ...


class Stabilizer(Protocol[S]):
    """Smooths the landmarks of one face.

    `start` returns the initial state of one face. `step` takes the landmarks, their time in seconds
    and the state, and returns the smoothed landmarks and the new state.
    """

    def start(self) -> S: ...
    def step(self, points: Landmarks, t_s: float, state: S) -> tuple[Landmarks, S]: ...


@runtime_checkable
class OfflineFilter(Protocol):
    """Smooths the landmarks of one face in a recording, with the help of future frames.

    `smooth` takes the landmarks (T, K, 2) in pixels and the increasing times (T,) in seconds, and
    returns the smoothed landmarks (T, K, 2) in pixels.
    """

    def smooth(
        self, points: NDArray[np.floating], times_s: NDArray[np.floating]
    ) -> NDArray[np.float64]: ...


@runtime_checkable
class Sink(Protocol):
    """Receives every result, in order, from one thread.

    `open` raises `SinkError` if the output cannot be created, and `write` if it cannot be
    continued. `close(complete=True)` gives the output its final name; `close(complete=False)` keeps
    what was written and marks it as partial. `close` does nothing before `open`, after a failed
    `open`, or when it is called again. `path` is the location of the output after `close`.
    """

    @property
    def path(self) -> str: ...
    def open(self, info: SourceInfo) -> None: ...
    def write(self, result: TrackResult) -> None: ...
    def close(self, *, complete: bool) -> None: ...


@runtime_checkable
class SeveralFiles(Protocol):
    """A `Sink` that may write further files, such as one for each further face.

    `more_paths` are their locations after `close`, besides `path`.
    """

    @property
    def more_paths(self) -> tuple[str, ...]: ...


def more_paths(sink: Sink) -> tuple[str, ...]:
    """Return the further files of a sink; most have none."""
    return sink.more_paths if isinstance(sink, SeveralFiles) else ()
