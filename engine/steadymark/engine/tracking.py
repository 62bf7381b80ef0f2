"""From frames to tracked faces: detect where one is missing, follow where one is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from steadymark.engine.geometry import (
    Recentre,
    box_of_landmarks,
    crop_of_box,
    crop_of_landmarks,
    to_frame,
)
from steadymark.engine.types import FaceBox, FaceState, Landmarks, TrackedFace, TrackResult
from steadymark.models.cropping import Crop, cut, hold_still

if TYPE_CHECKING:
    from steadymark.engine.ports import FaceDetector, Stabilizer
    from steadymark.engine.types import Frame
    from steadymark.models.cropping import Image
    from steadymark.models.runtime import Moves, Prediction, State
    from steadymark.models.schema import LandmarkSchema
    from steadymark.models.zoo import ModelCard


class LandmarkModel(Protocol):
    """What the tracker needs of a network: `models.runtime.LandmarkNetwork` is one."""

    @property
    def card(self) -> ModelCard: ...
    @property
    def device(self) -> str: ...
    def step(
        self, crops: Image, state: State | None = None, moved: Moves | None = None
    ) -> Prediction: ...


HOPELESS = 0.05  # face score of a first look under which no second look follows


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Settings of a tracker.

    lose_below: the face score under which a tracked face is lost. find_from: the one that a
    detected face must reach. passes: how often a detected box is re-centred from the landmarks
    found in it. dead_band: see `hold_still`. keep_id_s: how long a lost face's id waits for it.
    look_every: frames between looks for further faces while fewer than max_faces are known.
    """

    max_faces: int = 1
    lose_below: float = 0.5
    find_from: float = 0.97
    passes: int = 2
    recentre: Recentre = Recentre.FIT
    dead_band: float = 0.04
    keep_id_s: float = 2.0
    look_every: int = 5


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What is remembered of one face from frame to frame.

    crop: where to look next; last_crop: the one that network_state is of. lost_s: since when it is
    lost.
    """

    face_id: int
    crop: Crop
    last_crop: Crop
    box: FaceBox
    memory: Any
    network_state: State
    lost_s: float | None = None


def look(
    network: LandmarkModel,
    image: Image,
    crop: Crop,
    state: State | None = None,
    last_crop: Crop | None = None,
) -> tuple[Prediction, Landmarks]:
    """Run the network on one crop of a frame; the landmarks are in frame pixels.

    last_crop: the one that `state` is of.
    """
    size = network.card.crop
    part = cut(image, crop.to_picture(size), size)
    moved = None
    if last_crop is not None and last_crop != crop:
        moved = crop.onto(last_crop, size)[None]
    prediction = network.step(part[None], state, moved)
    return prediction, Landmarks(to_frame(prediction.points[0], crop, size), prediction.scores[0])


def align(
    network: LandmarkModel,
    image: Image,
    box: FaceBox,
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None = None,
) -> tuple[Crop, Prediction, Landmarks] | None:
    """Landmarks of a detected face, re-centred `passes` times; None where there is no face.

    follower: looks in every pass but the first, see Tracker.
    """
    crop = crop_of_box(box, margin=network.card.margin)
    prediction, points = look(network, image, crop)
    following = follower or network
    for _ in range(config.passes - 1):
        if not np.isfinite(points.xy_px).all() or float(prediction.face[0]) < HOPELESS:
            return None
        crop = crop_of_landmarks(
            points.xy_px, schema, margin=following.card.margin, rule=config.recentre
        )
        prediction, points = look(following, image, crop)
    if float(prediction.face[0]) < config.find_from:
        return None
    return crop, prediction, points


class Tracker:
    """Tracks up to max_faces faces; frames must come in order of time. Not for several threads.

    follower: a second network that follows the faces which `network` has aligned (local_global,
    Figure 6); one network does both without it. With it `passes` is 2 at least.
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
    ) -> None:
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
        self._next_id = 0
        self._until_look = 0

    def track(self, frame: Frame) -> TrackResult:
        """The faces of one frame, in order of their ids."""
        started = time.perf_counter()
        tracks: list[Track] = []
        faces: list[TrackedFace] = []
        for track in self._tracks:
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
        prediction, points = look(
            self.follower,
            frame.image,
            track.crop,
            track.network_state or None,
            track.last_crop,
        )
        score = float(prediction.face[0])
        if score < self.config.lose_below or not np.isfinite(points.xy_px).all():
            return replace(track, lost_s=frame.pts_s, network_state=()), None
        return self._seen(frame, track, prediction, points, FaceState.TRACKED)

    def _seen(
        self,
        frame: Frame,
        track: Track,
        prediction: Prediction,
        points: Landmarks,
        state: FaceState,
    ) -> tuple[Track, TrackedFace]:
        steady, memory = self.stabilizer.step(points, frame.pts_s, track.memory)
        raw = points
        if prediction.raw is not prediction.points:  # a recurrent network stabilizes by itself
            xy_px = to_frame(prediction.raw[0], track.crop, self.follower.card.crop)
            raw = replace(points, xy_px=xy_px)
        score = float(prediction.face[0])
        margin = self.follower.card.margin
        wanted = crop_of_landmarks(
            points.xy_px, self.schema, margin=margin, rule=self.config.recentre
        )
        box = box_of_landmarks(steady.xy_px, score=score, roll_deg=wanted.roll_deg)
        following = Track(
            track.face_id,
            hold_still(track.crop, wanted, dead_band=self.config.dead_band),
            track.crop,
            box,
            memory,
            prediction.state,
        )
        face = TrackedFace(track.face_id, state, score, box, raw, steady, track.crop)
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
            crop, prediction, points = found
            extent = box_of_landmarks(points.xy_px, score=box.score)
            if any(extent.iou(other) > 0.5 for other in known):
                continue
            face_id = self._claim_id(extent, tracks)
            fresh = Track(face_id, crop, crop, extent, self.stabilizer.start(), prediction.state)
            track, face = self._seen(frame, fresh, prediction, points, FaceState.DETECTED)
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
