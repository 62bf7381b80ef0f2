"""From frames to tracked faces: detect where one is missing, follow where one is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from steadymark.engine.core.types import FaceBox, FaceState, Intrinsics, TrackedFace, TrackResult
from steadymark.engine.stabilizers.divergence_guard import RawHistory, contradicts, update_history
from steadymark.engine.tracking.association import (
    FaceMotion,
    carried_on,
    crowded,
    difference,
    duplicate_tracks,
    is_near,
    matches,
    motion_of,
)
from steadymark.engine.tracking.face_pass import (
    FaceOutput,
    LandmarkModel,
    TrackerConfig,
    align_faces,
    run_network,
)
from steadymark.engine.tracking.geometry import box_of_landmarks, crop_of_landmarks
from steadymark.engine.tracking.head_pose import IBUG, head_pose
from steadymark.engine.tracking.scene_cuts import Thumbnail, is_cut, thumbnail
from steadymark.models.face.crop import Crop, follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.core.protocols import FaceDetector, Stabilizer
    from steadymark.engine.core.types import Frame
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.runtime.flow_stabilizer import FlowStabilizer

BOX_KNOWN = 0.3  # overlap of a detected box with a face that is tracked: it is that one
FACE_KNOWN = 0.5  # overlap of the extents of landmarks, likewise


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What is remembered of one face from frame to frame.

    face_id: None until the face is confirmed, which it is after so many `frames`. crop: where to
    look next. fitted: where the last look would have it. seen: that look, None where a recurrent
    network begins anew. motion: as far as no other face was near. lost_s: since when it is lost.
    raw: the course of its raw landmarks, None where it begins anew.
    """

    face_id: int | None
    crop: Crop
    box: FaceBox
    memory: Any
    seen: FaceOutput | None
    motion: FaceMotion
    frames: int = 1
    fitted: Crop | None = None
    lost_s: float | None = None
    raw: RawHistory | None = None


class SeenFace(NamedTuple):
    """A face seen in this frame: what is remembered of it, the look, where it is, how it came.

    wanted: where to look next, of the raw points, so that no stabilizer changes what is seen.
    """

    track: Track
    seen: FaceOutput
    wanted: Crop
    now: FaceMotion
    state: FaceState = FaceState.TRACKED


class Tracker:
    """Tracks up to max_faces faces; frames must come in order of time. Not for several threads.

    follower: a second network that follows the faces which `network` has aligned (local_global,
    Figure 6); one network does both without it. With it `passes` is 2 at least. flow: stabilizes
    what the networks find. of_network: whether the stabilizer is given what it or a recurrent
    network made steady, or raw points. focal_px: see
    pose.Camera.
    """

    def __init__(
        self,
        detector: FaceDetector,
        network: LandmarkModel,
        stabilizer: Stabilizer[Any],
        schema: LandmarkSchema,
        config: TrackerConfig | None = None,
        *,
        follower: LandmarkModel | None = None,
        flow: FlowStabilizer | None = None,
        of_network: bool = True,
        focal_px: float | None = None,
    ) -> None:
        self.of_network, self.focal_px = of_network, focal_px
        self.detector, self.network, self.stabilizer = detector, network, stabilizer
        self.follower, self.flow = follower or network, flow
        self.schema = schema
        self.config = config or TrackerConfig()
        if follower is not None and self.config.passes < 2:
            raise ValueError("a follower needs two passes or more")
        self.reset()

    def reset(self) -> None:
        """Forget every face: before another source, after a seek."""
        self._tracks: tuple[Track, ...] = ()
        self._last: tuple[float, Thumbnail] | None = None
        self._next_id = 0
        self._until_look = 0

    def track(self, frame: Frame) -> TrackResult:
        """The faces of one frame, in order of their ids."""
        started = time.perf_counter()
        restarted = self._restarts(frame)
        tracks = [self._anew(track) if restarted else track for track in self._tracks]
        lost = [track for track in tracks if self._waits(track, frame.pts_s)]
        seen, gone = self._follow(frame, [track for track in tracks if track.lost_s is None])
        lost += gone
        followed_at = time.perf_counter()
        detect_ms = 0.0
        if self._should_look(len(seen), len(lost)):
            boxes = self.detector.detect(frame.image)
            detect_ms = (time.perf_counter() - followed_at) * 1e3
            found = self._take_up(frame, boxes, seen, lost)
            back = {sight.track.face_id for sight in found}
            lost = [track for track in lost if track.face_id not in back]
            seen += found
        tracked = [self._tracked(frame, sight) for sight in seen]
        self._tracks = (*(track for track, _ in tracked), *lost)
        faces = [face for _, face in tracked if face is not None]
        faces += [
            TrackedFace(t.face_id, FaceState.LOST, 0.0) for t in lost if t.face_id is not None
        ]
        total_ms = (time.perf_counter() - started) * 1e3
        return TrackResult(
            frame,
            tuple(sorted(faces, key=lambda face: face.face_id)),
            {"detect": detect_ms, "landmarks": total_ms - detect_ms, "total": total_ms},
            restarted,
        )

    def _restarts(self, frame: Frame) -> bool:
        """Whether nothing that is remembered of faces holds in this frame: see TrackResult."""
        last, self._last = self._last, (frame.pts_s, thumbnail(frame.image))
        if last is None:
            return True
        soon = 0 < self._last[0] - last[0] <= self.config.longest_gap_s
        return not soon or is_cut(last[1], self._last[1])

    def _anew(self, track: Track) -> Track:
        """Without what was remembered of how the face looked and moved."""
        return replace(track, seen=None, fitted=None, raw=None, memory=self.stabilizer.start())

    def _should_look(self, following: int, lost: int) -> bool:
        """At once when a face was just lost or none is known, else every few frames."""
        if following >= self.config.max_faces:
            return False
        self._until_look -= 1
        if following and not lost and self._until_look > 0:
            return False
        self._until_look = self.config.look_every
        return True

    def _waits(self, track: Track, t_s: float) -> bool:
        """Whether a lost face may still come back as the same."""
        return track.lost_s is not None and t_s - track.lost_s <= self.config.keep_id_s

    def _follow(self, frame: Frame, tracks: list[Track]) -> tuple[list[SeenFace], list[Track]]:
        """Faces looked at in one run, of two that are one the likelier; and those that are lost."""
        crops, before = [t.crop for t in tracks], [t.seen for t in tracks]
        looks = run_network(self.follower, frame.image, crops, before, self.flow)
        there = {
            i: SeenFace(track, seen, *self._place(frame, seen))
            for i, (track, seen) in enumerate(zip(tracks, looks, strict=True))
            if seen.sound and seen.score >= self._least(track)
        }
        for i, j in duplicate_tracks({i: sight.now for i, sight in there.items()}):
            if i in there and j in there:
                del there[max(i, j, key=lambda k: _unlikely(there[k]))]
        close = crowded([sight.now for sight in there.values()])
        seen_once = [
            self._went_on(sight, near=near)
            for sight, near in zip(there.values(), close, strict=True)
        ]
        lost = [
            replace(track, lost_s=frame.pts_s, seen=None, fitted=None, raw=None)
            for i, track in enumerate(tracks)
            if i not in there and track.face_id is not None
        ]
        return seen_once, lost

    def _least(self, track: Track) -> float:
        """The score under which it is no face: one that is to be confirmed must look its part."""
        return self.config.find_from if track.face_id is None else self.config.lose_below

    def _went_on(self, sight: SeenFace, *, near: bool) -> SeenFace:
        """A face seen once more, perhaps near another; in time it is confirmed."""
        track, frames = sight.track, sight.track.frames + 1
        motion = carried_on(track.motion, sight.now, near=near)
        track = replace(track, motion=motion, frames=frames)
        if track.face_id is not None or frames < self.config.confirm_frames:
            return sight._replace(track=track)
        track = replace(track, face_id=self._new_id(), memory=self.stabilizer.start())
        return sight._replace(track=track, state=FaceState.DETECTED)

    def _place(self, frame: Frame, seen: FaceOutput) -> tuple[Crop, FaceMotion]:
        """See SeenFace."""
        points, margin = seen.raw.xy_px, self.follower.card.margin
        wanted = crop_of_landmarks(points, self.schema, margin=margin, rule=self.config.recentre)
        return wanted, motion_of(wanted, seen.raw, frame.pts_s, margin=margin)

    def _tracked(self, frame: Frame, sight: SeenFace) -> tuple[Track, TrackedFace | None]:
        """What to remember, and what to tell: nothing of a face that is not confirmed."""
        track, seen, wanted = sight.track, sight.seen, sight.wanted
        if self.of_network and contradicts(seen.steady, seen.raw, track.raw):
            seen = seen.forgotten()
        given = seen.steady if self.of_network else seen.raw
        steady, memory = self.stabilizer.step(given, frame.pts_s, track.memory)
        box = box_of_landmarks(seen.raw.xy_px, score=seen.score, roll_deg=wanted.roll_deg)
        crop = follow(track.crop, wanted, track.fitted, dead_band=self.config.dead_band)
        raw = update_history(track.raw, seen.raw)
        kept = replace(track, crop=crop, box=box, memory=memory, seen=seen, fitted=wanted, raw=raw)
        if track.face_id is None:
            return kept, None
        camera = Intrinsics(frame.width, frame.height, self.focal_px)
        pose = head_pose(steady, camera) if self.schema.name == IBUG else None
        return kept, TrackedFace(
            track.face_id, sight.state, seen.score, box, seen.raw, steady, track.crop, pose
        )

    def _take_up(
        self, frame: Frame, boxes: Sequence[FaceBox], seen: list[SeenFace], lost: list[Track]
    ) -> list[SeenFace]:
        """Begin to track detected faces that are not tracked yet, those that were lost first."""
        found = self._new_faces(frame, boxes, seen, lost)
        places = [self._place(frame, each) for each in found]
        motions = [now for _, now in places]
        near = crowded([*motions, *(sight.now for sight in seen)])[: len(found)]
        alone = not seen and len(lost) == 1 and len(found) == 1
        known = matches([track.motion for track in lost], motions, near, alone=alone)
        at_once = not any(sight.track.face_id is not None for sight in seen)
        sights = []
        for i, (each, (wanted, now)) in enumerate(zip(found, places, strict=True)):
            face_id, motion = None, now
            if i in known:
                before = lost[known[i]]
                face_id, motion = before.face_id, carried_on(before.motion, now, near=near[i])
            elif at_once:
                face_id = self._new_id()
            box = box_of_landmarks(each.raw.xy_px, score=each.score)
            track = Track(face_id, each.crop, box, self.stabilizer.start(), None, motion)
            sights.append(SeenFace(track, each, wanted, now, FaceState.DETECTED))
        return sights

    def _new_faces(
        self, frame: Frame, boxes: Sequence[FaceBox], seen: list[SeenFace], lost: list[Track]
    ) -> list[FaceOutput]:
        """Of detected boxes, no more than there are places for: aligned so many at a time."""
        extents = [box_of_landmarks(sight.seen.raw.xy_px, score=1.0) for sight in seen]
        left = [box for box in boxes if not any(box.iou(other) > BOX_KNOWN for other in extents)]
        expected = [track.motion for track in lost]
        left.sort(key=lambda box: not is_near(expected, box, frame.pts_s))  # keeps the best first
        found: list[FaceOutput] = []
        while left and (places := self.config.max_faces - len(extents)) > 0:
            chunk, left = left[:places], left[places:]
            chunk = [box for box in chunk if not any(box.iou(e) > BOX_KNOWN for e in extents)]
            for each in align_faces(
                self.network,
                frame.image,
                chunk,
                self.schema,
                self.config,
                self.follower,
                self.flow,
            ):
                if each is None:
                    continue
                extent = box_of_landmarks(each.raw.xy_px, score=each.score)
                if not any(extent.iou(other) > FACE_KNOWN for other in extents):
                    found.append(each)
                    extents.append(extent)
        return found

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _unlikely(sight: SeenFace) -> tuple[bool, float]:
    """How little a face that was followed seems to be where it was seen: unconfirmed ones least."""
    return sight.track.face_id is None, difference(sight.track.motion, sight.now, near=True)
