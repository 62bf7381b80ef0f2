"""The protocols between the engine's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.engine.core.types import FaceBox, Frame, Landmarks, SourceInfo, TrackResult
    from steadymark.models.face.crop import Image
    from steadymark.models.user_text import UserText

S = TypeVar("S")


@runtime_checkable
class FrameSource(Protocol):
    """Gives frames once, in order. Opening happens in the constructor, which raises SourceError.

    `frames` ends normally at the end of the source, and soon (≤ 0.5 s) after `close` was called
    from any thread; it raises SourceError where the source breaks for good. `close` may be called
    more than once and from any thread. `problems` lists, after or during reading, what was passed
    over (corrupt packets and the like), a sentence each. `dropped` counts the frames of a live
    source that newer ones replaced before anyone took them; 0 for files.
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
    """Finds faces. Boxes are the extent of the landmarks, best first."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]: ...


class FrameTracker(Protocol):
    """Tracks the faces of frames that come in order, as `engine.tracking.tracker.Tracker` does."""

    def track(self, frame: Frame) -> TrackResult: ...


class Stabilizer(Protocol[S]):
    """Smooths one face's points; memory goes in and comes out, one per face."""

    def start(self) -> S: ...
    def step(self, points: Landmarks, t_s: float, state: S) -> tuple[Landmarks, S]: ...


@runtime_checkable
class Sink(Protocol):
    """Takes every result, in order, from one thread.

    `open` raises SinkError where the output cannot be made; `write` where it cannot go on;
    `close(complete=True)` gives the output its final name, `complete=False` keeps what was written
    and marks it partial; before `open`, after
    a failed one and again it does nothing. `path` is where the output lies after `close`.
    """

    @property
    def path(self) -> str: ...
    def open(self, info: SourceInfo) -> None: ...
    def write(self, result: TrackResult) -> None: ...
    def close(self, *, complete: bool) -> None: ...
