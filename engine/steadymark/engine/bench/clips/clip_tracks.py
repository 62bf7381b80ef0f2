"""Track real clips for benchmarks.

Each clip is read once, and each network tracks it once; filters are applied to the raw landmarks of
the first network pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import FaceState
from steadymark.engine.sources import open_source
from steadymark.engine.stabilizers.filter_runner import make_filter, run_filter
from steadymark.engine.stabilizers.stabilizer_registry import NONE, STABILIZER_REGISTRY
from steadymark.engine.tracking.settings import make_tracker, open_models
from steadymark.models.face.schema import IBUG68

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.core.protocols import FrameSource
    from steadymark.engine.core.types import Frame, TrackedFace
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings
    from steadymark.engine.tracking.tracker import Tracker

_USUAL_FPS = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class ClipTrack:
    """Landmarks of the first face in a clip of T frames.

    Attributes:
        raw: Raw landmarks, (T, K, 2), in pixels; NaN in frames without the face.
        stabilized: Stabilized landmarks, (T, K, 2), in pixels.
        times_s: Time of each frame, (T,), in seconds.
        detected: Frames in which the face came from the detector, (T,).
        cuts: Frames before which the tracker reported a scene cut, (T,).
    """

    raw: Values
    stabilized: Values
    times_s: Values
    detected: NDArray[np.bool_]
    cuts: NDArray[np.bool_]

    @property
    def there(self) -> NDArray[np.bool_]:
        """Mask of the frames with the face, (T,)."""
        return np.asarray(np.isfinite(self.raw).all((1, 2)))


class ClipTracker:
    """Runs a tracker over the frames of a clip and collects the first face."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._nothing = np.full((tracker.schema.count, 2), np.nan)
        self._raw: list[Values] = []
        self._stabilized: list[Values] = []
        self._times_s: list[float] = []
        self._detected: list[bool] = []
        self._cuts: list[bool] = []
        self._id: int | None = None

    def add(self, frame: Frame) -> tuple[TrackedFace | None, bool]:
        """Track the next frame.

        Args:
            frame: The frame.

        Returns:
            The first face, and whether it is the face of the previous frame in the same scene.
        """
        result = self._tracker.track(frame)
        face = next((face for face in result.faces if face.raw is not None), None)
        raw, stabilized = self._nothing, self._nothing
        if face is not None and face.raw is not None and face.stabilized is not None:
            raw, stabilized = (
                face.raw.xy_px.astype(np.float64),
                face.stabilized.xy_px.astype(np.float64),
            )
        self._raw.append(raw)
        self._stabilized.append(stabilized)
        self._times_s.append(frame.pts_s)
        self._detected.append(face is not None and face.state is FaceState.DETECTED)
        self._cuts.append(result.restarted)
        same = face is not None and face.face_id == self._id
        self._id = None if face is None else face.face_id
        return face, same and not result.restarted

    def track(self) -> ClipTrack:
        """Return the landmarks collected so far."""
        shape = (-1, *self._nothing.shape)
        return ClipTrack(
            np.array(self._raw, np.float64).reshape(shape),
            np.array(self._stabilized, np.float64).reshape(shape),
            np.array(self._times_s, np.float64),
            np.array(self._detected, np.bool_),
            np.array(self._cuts, np.bool_),
        )


@dataclass(frozen=True, slots=True, eq=False)
class ClipStabilizers:
    """Stabilizers to compare, with the networks that they need, opened once for all clips.

    Attributes:
        names: Names of the stabilizers.
        settings: Tracking settings.
        models: Opened networks by the stabilizer that needs them.
    """

    names: tuple[str, ...]
    settings: TrackSettings
    models: Mapping[str, OpenModels]

    def new_trackers(self) -> dict[str, ClipTracker]:
        """Create new trackers, one per network pass, by the name of the stabilizer."""
        return {
            name: ClipTracker(make_tracker(models, replace(self.settings, stabilizer=name)))
            for name, models in self.models.items()
        }

    def stabilized(self, name: str, passes: Mapping[str, ClipTrack]) -> ClipTrack:
        """Return the landmarks of a clip with one stabilizer.

        Args:
            name: Name of the stabilizer.
            passes: What the trackers of `new_trackers` collected, by name.

        Returns:
            Raw and stabilized landmarks.
        """
        if name in passes:
            return passes[name]
        track = next(iter(passes.values()))
        if name == NONE:
            return replace(track, stabilized=track.raw)
        point_filter = make_filter(self.settings.filter_of(name))
        restarts = track.detected | track.cuts
        return replace(
            track, stabilized=run_filter(point_filter, track.raw, track.times_s, restarts)
        )


def open_choices(settings: TrackSettings, names: Sequence[str]) -> ClipStabilizers:
    """Open the networks that the stabilizers need; without a recurrent one, that of `none`.

    Args:
        settings: Tracking settings.
        names: Names of the stabilizers.

    Returns:
        The stabilizers with their opened networks.

    Raises:
        WeightsError: A model is not available.
        UsageError: A stabilizer is unknown, or the model does not have the 68 iBUG landmarks.
    """
    own = [name for name in names if STABILIZER_REGISTRY.find(name).needs_images] or [NONE]
    models = {name: open_models(replace(settings, stabilizer=name)) for name in own}
    schema = next(iter(models.values())).network.card.schema
    if schema != IBUG68:
        raise UsageError(
            "the model '{model}' has landmarks of {schema}: clips are measured with the 68 of "
            "ibug68",
            model=settings.model,
            schema=schema,
        )
    return ClipStabilizers(tuple(names), settings, models)


def read_clip(text: str, most: int | None = None) -> tuple[float, Iterator[Frame]]:
    """Open a clip.

    Args:
        text: The clip as `open_source` takes it.
        most: Largest number of frames to read; None for all.

    Returns:
        The declared frame rate, or 25 frames per second if none is declared, and the frames.

    Raises:
        SourceError: The clip cannot be read; this may also be raised while frames are taken.
        UsageError: The clip is live.
    """
    source = open_source(text)
    if source.info.live:
        source.close()
        raise UsageError("{text} is live: clips are videos that end", text=text)
    return source.info.fps or _USUAL_FPS, _frames(source, most)


def _frames(source: FrameSource, most: int | None) -> Iterator[Frame]:
    try:
        yield from islice(source.frames(), most)
    finally:
        source.close()
