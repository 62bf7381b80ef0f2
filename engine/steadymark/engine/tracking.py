"""From frames to tracked faces: detect where one is missing, follow where one is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from steadymark.engine.geometry import (
    box_of_landmarks,
    crop_of_landmarks,
)
from steadymark.engine.looking import LandmarkModel, Look, TrackerConfig, align, look
from steadymark.engine.scene_cuts import Thumbnail, is_cut, thumbnail
from steadymark.engine.types import FaceBox, FaceState, TrackedFace, TrackResult
from steadymark.models.cropping import Crop, hold_still, lead

if TYPE_CHECKING:
    from steadymark.engine.ports import FaceDetector, Stabilizer
    from steadymark.engine.types import Frame
    from steadymark.models.schema import LandmarkSchema


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What is remembered of one face from frame to frame.

    crop: where to look next. fitted: where the last look would have it. seen: that look, None where
    a recurrent network begins anew. lost_s: since when it is lost.
    """

    face_id: int
    crop: Crop
    box: FaceBox
    memory: Any
    seen: Look | None
    fitted: Crop | None = None
    lost_s: float | None = None


class Tracker:
    """Tracks up to max_faces faces; frames must come in order of time. Not for several threads.

    follower: a second network that follows the faces which `network` has aligned (local_global,
    Figure 6); one network does both without it. With it `passes` is 2 at least. of_network: whether
    the stabilizer is given what a recurrent network made steady, or its raw points.
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
        of_network: bool = True,
    ) -> None:
        self.of_network = of_network
        self.detector, self.network, self.stabilizer = detector, network, stabilizer
        self.follower = follower or network
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
        tracks: list[Track] = []
        faces: list[TrackedFace] = []
        goes_on = self._goes_on(frame)
        for known in self._tracks:
            track = known if goes_on else self._anew(known)
            if track.lost_s is None:
                followed = self._follow(frame, track)
                tracks.append(followed[0])
                if followed[1] is not None:
                    faces.append(followed[1])
            elif frame.pts_s - track.lost_s <= self.config.keep_id_s:
                tracks.append(track)
        followed_at = time.perf_counter()
        detect_ms = 0.0
        if self._should_look(tracks):
            boxes = self.detector.detect(frame.image)
            detect_ms = (time.perf_counter() - followed_at) * 1e3
            self._take_up(frame, boxes, tracks, faces)
        self._tracks = tuple(tracks)
        seen = {face.face_id for face in faces}
        faces += [
            TrackedFace(t.face_id, FaceState.LOST, 0.0) for t in tracks if t.face_id not in seen
        ]
        total_ms = (time.perf_counter() - started) * 1e3
        return TrackResult(
            frame,
            tuple(sorted(faces, key=lambda face: face.face_id)),
            {"detect": detect_ms, "landmarks": total_ms - detect_ms, "total": total_ms},
        )

    def _goes_on(self, frame: Frame) -> bool:
        """Whether the last frame came shortly before this one and shows the same scene."""
        last, self._last = self._last, (frame.pts_s, thumbnail(frame.image))
        if last is None:
            return True
        soon = 0 < self._last[0] - last[0] <= self.config.longest_gap_s
        return soon and not is_cut(last[1], self._last[1])

    def _anew(self, track: Track) -> Track:
        """Without what was remembered of how the face looked and moved."""
        return replace(track, seen=None, fitted=None, memory=self.stabilizer.start())

    def _should_look(self, tracks: list[Track]) -> bool:
        """At once when a face was just lost or none is known, else every few frames."""
        following = sum(t.lost_s is None for t in tracks)
        if following >= self.config.max_faces:
            return False
        self._until_look -= 1
        if following and len(tracks) == following and self._until_look > 0:
            return False
        self._until_look = self.config.look_every
        return True

    def _follow(self, frame: Frame, track: Track) -> tuple[Track, TrackedFace | None]:
        seen = look(self.follower, frame.image, track.crop, track.seen)
        if seen.score < self.config.lose_below or not seen.sound:
            return replace(track, lost_s=frame.pts_s, seen=None, fitted=None), None
        return self._seen(frame, track, seen, FaceState.TRACKED)

    def _seen(
        self, frame: Frame, track: Track, seen: Look, state: FaceState
    ) -> tuple[Track, TrackedFace]:
        given = seen.steady if self.of_network else seen.raw
        steady, memory = self.stabilizer.step(given, frame.pts_s, track.memory)
        wanted = crop_of_landmarks(  # of the raw points: no stabilizer changes what is seen
            seen.raw.xy_px,
            self.schema,
            margin=self.follower.card.margin,
            rule=self.config.recentre,
        )
        box = box_of_landmarks(seen.raw.xy_px, score=seen.score, roll_deg=wanted.roll_deg)
        crop = hold_still(track.crop, wanted, dead_band=self.config.dead_band)
        if track.fitted is not None:
            crop = lead(crop, track.fitted, wanted)
        following = Track(track.face_id, crop, box, memory, seen, wanted)
        face = TrackedFace(track.face_id, state, seen.score, box, seen.raw, steady, track.crop)
        return following, face

    def _take_up(
        self,
        frame: Frame,
        boxes: tuple[FaceBox, ...],
        tracks: list[Track],
        faces: list[TrackedFace],
    ) -> None:
        """Begin to track detected faces that are not tracked yet."""
        for box in boxes:
            known = [f.box for f in faces if f.box is not None]
            if len(known) >= self.config.max_faces:
                return
            if any(box.iou(other) > 0.3 for other in known):
                continue
            found = align(self.network, frame.image, box, self.schema, self.config, self.follower)
            if found is None:
                continue
            extent = box_of_landmarks(found.raw.xy_px, score=box.score)
            if any(extent.iou(other) > 0.5 for other in known):
                continue
            face_id = self._claim_id(extent, tracks)
            fresh = Track(face_id, found.crop, extent, self.stabilizer.start(), None)
            track, face = self._seen(frame, fresh, found, FaceState.DETECTED)
            tracks.append(track)
            faces.append(face)

    def _claim_id(self, box: FaceBox, tracks: list[Track]) -> int:
        """The id of the lost face that was nearest, else a new one."""
        lost = [t for t in tracks if t.lost_s is not None]
        if lost:
            back = min(
                lost,
                key=lambda t: (t.box.left - box.left) ** 2 + (t.box.top - box.top) ** 2,
            )
            tracks.remove(back)
            return back.face_id
        self._next_id += 1
        return self._next_id - 1
