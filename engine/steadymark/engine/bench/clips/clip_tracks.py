"""Real clips tracked for measurement: read once, by each network once; filters use its points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.scenes.stability_scores import filtered
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import FaceState
from steadymark.engine.sources import open_source
from steadymark.engine.stabilizers.butterworth import smooth_guarded
from steadymark.engine.stabilizers.online_filters import OFFLINE, ONE_EURO, make_stabilizer
from steadymark.engine.tracking.settings import make_tracker, open_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.core.protocols import FrameSource
    from steadymark.engine.core.types import Frame, TrackedFace
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings
    from steadymark.engine.tracking.tracker import Tracker

NONE = "none"
FROM_RAW = (NONE, ONE_EURO, OFFLINE)  # they start from the raw points, and need no network pass
_USUAL_FPS = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class ClipTrack:
    """The first face of a clip of T frames.

    raw, steady: (T, K, 2), NaN in frames without the face. times_s: (T,). detected: (T,), frames in
    which the face was found anew. cuts: (T,), frames that the tracker says belong to another scene
    than the frame before.
    """

    raw: Values
    steady: Values
    times_s: Values
    detected: NDArray[np.bool_]
    cuts: NDArray[np.bool_]

    @property
    def there(self) -> NDArray[np.bool_]:
        """(T,): frames with the face."""
        return np.asarray(np.isfinite(self.raw).all((1, 2)))


class ClipTracker:
    """A tracker over the frames of a clip, in order."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._nothing = np.full((tracker.schema.count, 2), np.nan)
        self._raw: list[Values] = []
        self._steady: list[Values] = []
        self._times_s: list[float] = []
        self._detected: list[bool] = []
        self._cuts: list[bool] = []
        self._id: int | None = None

    def add(self, frame: Frame) -> tuple[TrackedFace | None, bool]:
        """The first face of the next frame, and whether it is that of the frame before it."""
        result = self._tracker.track(frame)
        face = next((face for face in result.faces if face.raw is not None), None)
        raw, steady = self._nothing, self._nothing
        if face is not None and face.raw is not None and face.stabilized is not None:
            raw, steady = (
                face.raw.xy_px.astype(np.float64),
                face.stabilized.xy_px.astype(np.float64),
            )
        self._raw.append(raw)
        self._steady.append(steady)
        self._times_s.append(frame.pts_s)
        self._detected.append(face is not None and face.state is FaceState.DETECTED)
        self._cuts.append(result.restarted)
        same = face is not None and face.face_id == self._id
        self._id = None if face is None else face.face_id
        return face, same and not result.restarted

    def track(self) -> ClipTrack:
        """What was seen so far."""
        shape = (-1, *self._nothing.shape)
        return ClipTrack(
            np.array(self._raw, np.float64).reshape(shape),
            np.array(self._steady, np.float64).reshape(shape),
            np.array(self._times_s, np.float64),
            np.array(self._detected, np.bool_),
            np.array(self._cuts, np.bool_),
        )


@dataclass(frozen=True, slots=True, eq=False)
class ClipStabilizers:
    """Stabilizers to compare, and the networks that they need, opened once for all clips."""

    names: tuple[str, ...]
    settings: TrackSettings
    models: Mapping[str, OpenModels]

    def following(self) -> dict[str, ClipTracker]:
        """New trackers, one for each network pass, by the choice that it is made for."""
        return {
            name: ClipTracker(make_tracker(models, replace(self.settings, stabilizer=name)))
            for name, models in self.models.items()
        }

    def stabilized(self, name: str, passes: Mapping[str, ClipTrack]) -> ClipTrack:
        """What a choice makes of a clip. passes: what the trackers of `following` saw."""
        if name in passes:
            return passes[name]
        track = next(iter(passes.values()))
        if name == NONE:
            return replace(track, steady=track.raw)
        if name == OFFLINE:
            smooth = smooth_guarded(self.settings.butterworth, track.raw, track.times_s)
            return replace(track, steady=smooth)
        begins = track.detected | track.cuts
        stabilizer = make_stabilizer(name, self.settings.one_euro)
        return replace(track, steady=filtered(track.raw, track.times_s, stabilizer, begins))


def open_choices(settings: TrackSettings, names: Sequence[str]) -> ClipStabilizers:
    """Open the networks that these stabilizers need; without a recurrent one, that of `none`.

    Raises:
        WeightsError, UsageError: a choice is not to be had, or the model has not the 68 landmarks
            that the measures know.
    """
    own = [name for name in names if name not in FROM_RAW] or [NONE]
    models = {name: open_models(replace(settings, stabilizer=name)) for name in own}
    schema = next(iter(models.values())).network.card.schema
    if schema not in (None, "ibug68"):
        raise UsageError(
            "the model '{model}' has landmarks of {schema}: clips are measured with the 68 of "
            "ibug68",
            model=settings.model,
            schema=schema,
        )
    return ClipStabilizers(tuple(names), settings, models)


def read_clip(text: str, most: int | None = None) -> tuple[float, Iterator[Frame]]:
    """Frames a second of a clip, as its file says or else 25, and its frames, at most so many.

    Raises:
        SourceError: it cannot be read, also while frames are taken. UsageError: it is live.
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
