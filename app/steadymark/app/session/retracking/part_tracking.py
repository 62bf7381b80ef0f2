"""A part of a recording that is tracked again from given landmarks, while the rest stays."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.recording.point_filter import (
    NO_FILTER,
    PointFilter,
    filter_of,
    without_filter,
)
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.app.session.retracking.known_ids import with_known_ids
from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.errors import SourceError, SteadymarkError
from steadymark.engine.core.types import FaceState, FrameTime, TrackResult
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.tracking.settings import make_tracker
from steadymark.models.user_text import NOTHING, UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from steadymark.app.session.recording.crash_recovery import SessionStore
    from steadymark.app.session.recording.media import Media
    from steadymark.engine.core.types import Landmarks
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What is tracked again.

    Attributes:
        frames: The frames; the frame before them is tracked.
        known: The landmarks of the faces in the frame before them, by the numbers of the faces.
    """

    frames: range
    known: Mapping[int, Landmarks]


class PartTracking:
    """Tracks a part of a recording once, in the thread that calls `run`.

    Args:
        media: The recording.
        models: The open networks.
        settings: The settings of the tracking.
        results: Results of all frames, which stay as they are.
        part: What is tracked again.
        new_store: Makes the files that keep the new results against a crash, or returns None.
        on_change: Is called from a thread after every frame. It must return immediately.

    Attributes:
        merged: The results with the new part; None if the tracking failed or was given up.
        store: The files of the new results, or None.
        fault: A sentence that says what failed, or nothing.
    """

    def __init__(
        self,
        media: Media,
        models: OpenModels,
        settings: TrackSettings,
        results: Results,
        part: Part,
        *,
        new_store: Callable[[], SessionStore | None],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._media, self._models, self.settings = media, models, settings
        self.results, self.part, self._new_store = results, part, new_store
        self._segment = media.segment(part.frames)
        self._on_change, self._given_up, self._lock = on_change, Event(), Lock()
        self._new = Results(results.times_s, results.schema)
        self._done = 0
        self.merged: Results | None = None
        self.store: SessionStore | None = None
        self.fault = NOTHING

    @property
    def share(self) -> float:
        """The share of the frames that is tracked, in [0, 1]."""
        return self._done / max(1, len(self.part.frames))

    @property
    def given_up(self) -> bool:
        """Whether `give_up` was called."""
        return self._given_up.is_set()

    def give_up(self) -> None:
        """Stop soon, and remove the new files; the results stay as they were."""
        with self._lock:
            self._given_up.set()
            if self.merged is not None and self.store is not None:
                self.store.discard()
            self.merged = None
        self._segment.close()

    def run(self) -> None:
        """Track the part and merge the results."""
        try:
            self._run()
        except SteadymarkError as error:
            self.fault = error.sentence
        except Exception as error:
            log.exception("tracking a part again")
            named = f"{type(error).__name__}: {error}"
            self.fault = UserText("tracking stopped ({fault})", fault=named)
        if self.merged is None and self.store is not None:
            self.store.discard()

    def _run(self) -> None:
        rows = self.results.rows()
        tracker = make_tracker(self._models, without_filter(self.settings))
        before_s = float(self.results.times_s[self.part.frames.start - 1])
        next_id = int(rows.face_id.max(initial=-1)) + 1
        tracker.continue_with(self.part.known, before_s, next_id=next_id)
        pipeline = Pipeline(self._segment, tracker, on_result=self._on_tracked)
        pipeline.start()
        pipeline.wait()
        if pipeline.report.faults:
            self.fault = join_texts(pipeline.report.faults)
        if self.fault or self.given_up:
            return
        merged = self._merge()
        self.store = self._new_store()
        if self.store is not None:
            self._write(merged, self.store)
        choice = filter_of(self.settings)
        if choice != NO_FILTER:
            merged.set_stabilized(PointFilter(choice).refilter(merged, stop=self._given_up.is_set))
        with self._lock:
            if not self.given_up:
                self.merged = merged

    def _on_tracked(self, result: TrackResult) -> None:
        self._new.add(result)
        self._done += 1
        self._on_change()

    def _merge(self) -> Results:
        """Return results with the new part; tracking began anew before and after it."""
        old, frames = self.results, self.part.frames
        tracked = with_known_ids(_results_of(self._new, frames), old, set(self.part.known))
        new = {result.frame.index: result for result in tracked}
        outside = (*range(frames.start), *range(frames.stop, old.frames))
        kept = {result.frame.index: result for result in _results_of(old, outside)}
        missing = next((i for i in frames if old.is_tracked(i) and i not in new), None)
        if missing is not None:
            raise SourceError("frame {frame} cannot be read any more", frame=missing)
        merged = Results(old.times_s, old.schema)
        for index in range(old.frames):
            result = (new if index in frames else kept).get(index)
            if index in (0, frames.start, frames.stop):
                merged.begin_segment()
            if result is None:
                merged.mark_damaged(index, index + 1)
            else:
                merged.add(_begun(result) if index in (frames.start, frames.stop) else result)
        return merged

    def _write(self, merged: Results, store: SessionStore) -> None:
        """Write a table of each part; a filter is left out, since it is applied when reading."""
        start, stop = self.part.frames.start, self.part.frames.stop
        filtered = not self.settings.entry.needs_images
        tracked = np.flatnonzero(merged.frame_status() == FrameStatus.TRACKED)
        for number, (first, end) in enumerate(((0, start), (start, stop), (stop, merged.frames))):
            indices = tracked[(tracked >= first) & (tracked < end)].tolist()
            if not indices:
                continue
            sink = store.sink(number, merged.schema, self._on_write_error)
            sink.open(self._media.info)
            for result in _results_of(merged, indices):
                if not self.given_up:
                    sink.write(_unfiltered(result) if filtered else result)
            sink.close(complete=True)

    def _on_write_error(self, fault: UserText) -> None:
        self.fault = fault


def _results_of(results: Results, frames: Iterable[int]) -> Iterator[TrackResult]:
    """Yield the results of frames without their pictures; frames without results are left out."""
    restarted = results.restarted()
    for index in frames:
        faces = results.faces(index)
        if faces is not None:
            time = FrameTime(index, float(results.times_s[index]))
            yield TrackResult(time, faces, restarted=bool(restarted[index]))


def _begun(result: TrackResult) -> TrackResult:
    """Return the result of a frame in which tracking begins anew, so that corrections end there."""
    faces = tuple(
        replace(face, state=FaceState.DETECTED) if face.state is FaceState.TRACKED else face
        for face in result.faces
    )
    return replace(result, faces=faces, restarted=True)


def _unfiltered(result: TrackResult) -> TrackResult:
    faces = (face if face.raw is None else with_points(face, face.raw) for face in result.faces)
    return replace(result, faces=tuple(faces))
