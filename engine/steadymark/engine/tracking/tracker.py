"""The tracker, which detects new faces and follows known ones from frame to frame."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from steadymark.engine.core.types import FaceState
from steadymark.engine.stabilizers.divergence_guard import contradicts, update_history
from steadymark.engine.tracking.association import (
    FaceMotion,
    count_sure,
    crowded,
    duplicate_tracks,
    is_near,
    matches,
    motion_of,
    update_motion,
)
from steadymark.engine.tracking.face_pass import (
    FaceOutput,
    LandmarkModel,
    TrackerConfig,
    run_network,
)
from steadymark.engine.tracking.face_tracks import (
    SeenFace,
    Track,
    others,
    unlikeliness,
    without_state,
)
from steadymark.engine.tracking.geometry import box_of_landmarks, crop_of_landmarks
from steadymark.engine.tracking.new_faces import (
    DOUBTFUL_FIND_FROM,
    FaceAligner,
    find_boxes,
    unlikely_boxes,
)
from steadymark.engine.tracking.scene_cuts import Thumbnail, is_cut, thumbnail
from steadymark.engine.tracking.stabilization import FollowedFace, FollowedFrame, Stabilization
from steadymark.engine.tracking.thorough_search import thorough_search
from steadymark.models.face.crop import Crop, follow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.core.protocols import FaceDetector, Stabilizer
    from steadymark.engine.core.types import FaceBox, Frame, Landmarks, TrackResult
    from steadymark.engine.tracking.pupil_tracking import PupilTracker
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.runtime.flow_stabilizer import FlowStabilizer


class Tracker:
    """Tracks the faces of one source; frames must come in order of time, from one thread.

    Args:
        detector: The face detector.
        network: The landmark network.
        stabilizer: The stabilizer.
        schema: The landmark schema.
        config: The settings; None takes the defaults.
        follower: A second network for faces that `network` has aligned (local_global, Figure
            6); it needs two passes or more. None uses `network`.
        flow: The flow stabilizer for the outputs of the network, or None.
        stabilized_by_network: Whether the stabilizer gets the output of the recurrent network or
            of `flow`, instead of the raw landmarks.
        focal_px: Focal length in pixels, see `Intrinsics`.
        gaze_calibration: The person's correction of gaze; None for none.
        pupil_tracker: Finds the pupils; None if they are not tracked.

    Raises:
        ValueError: There is a follower, but only one pass.
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
        stabilized_by_network: bool = True,
        focal_px: float | None = None,
        gaze_calibration: GazeCalibration | None = None,
        pupil_tracker: PupilTracker | None = None,
    ) -> None:
        self.detector, self.network, self.follower = detector, network, follower or network
        self.schema, self.config = schema, config or TrackerConfig()
        self.stabilization = Stabilization(
            stabilizer,
            schema,
            flow,
            stabilized_by_network,
            focal_px,
            gaze_calibration,
            pupil_tracker,
        )
        if follower is not None and self.config.passes < 2:
            raise ValueError("a follower needs two passes or more")
        self.reset()

    def reset(self) -> None:
        """Forget all faces; call this before another source and after a seek."""
        self._tracks: tuple[Track, ...] = ()
        self._last: tuple[float, Thumbnail] | None = None
        self._next_id = 0
        self._next_track = 0
        self._until_detection = 0
        self._until_thorough = 0

    def continue_with(self, known: Mapping[int, Landmarks], pts_s: float, *, next_id: int) -> None:
        """Forget all faces, and follow these ones from the next frame on.

        Args:
            known: The landmarks of each face in the frame before, by the numbers of the faces.
            pts_s: Time of that frame in seconds.
            next_id: Number of the next new face.
        """
        self.reset()
        margin, rule = self.follower.card.margin, self.config.recentre
        for face_id, points in known.items():
            crop = crop_of_landmarks(points.xy_px, self.schema, margin=margin, rule=rule)
            motion = motion_of(crop, points, pts_s, margin=margin)
            self._tracks += (Track(face_id, crop, self._next_track, None, motion),)
            self._next_track += 1
        self._next_id = next_id

    def track(self, frame: Frame) -> TrackResult:
        """Track the faces of one frame.

        Args:
            frame: The frame.

        Returns:
            The tracked and lost faces, sorted by id.
        """
        return self.finish(self.follow(frame))

    def finish(self, followed: FollowedFrame) -> TrackResult:
        """Stabilize the faces of a frame; another thread may follow the next frame meanwhile.

        Args:
            followed: Result of `follow`; frames must come in order.

        Returns:
            The tracked and lost faces, sorted by id.
        """
        return self.stabilization.finish(followed)

    def follow(self, frame: Frame) -> FollowedFrame:
        """Find the faces of one frame, as far as the next frame depends on it.

        Args:
            frame: The frame.

        Returns:
            The faces, which `finish` stabilizes.
        """
        started = time.perf_counter()
        if frame.independent:
            self.reset()
        restarted = self._must_restart(frame)
        keep_s = self.config.keep_id_s
        tracks = [without_state(track) if restarted else track for track in self._tracks]
        lost = [t for t in tracks if t.lost_s is not None and frame.pts_s - t.lost_s <= keep_s]
        seen, gone = self._follow(frame, [track for track in tracks if track.lost_s is None])
        lost += gone
        detect_ms, self._faces_seen = 0.0, 0
        if self._detection_is_due(len(seen), len(lost)):
            found, detect_ms = self._find_new_faces(frame, seen, lost)
            lost = others(lost, found)
            seen += found
            if self.config.max_faces == 1 and any(face.track.face_id is not None for face in found):
                lost = []  # another face took its place: one row a frame
        kept = [self._keep(face) for face in seen]
        self._tracks = (*(track for track, _ in kept), *lost)
        total_ms = (time.perf_counter() - started) * 1e3
        return FollowedFrame(
            frame,
            tuple(face for _, face in kept),
            tuple(track.face_id for track in lost if track.face_id is not None),
            {"detect": detect_ms, "landmarks": total_ms - detect_ms, "total": total_ms},
            restarted,
            self._faces_seen,
        )

    def _must_restart(self, frame: Frame) -> bool:
        """Return whether the state of all faces must be reset at this frame, see `TrackResult`."""
        last, self._last = self._last, (frame.pts_s, thumbnail(frame.image))
        if last is None:
            return True
        soon = 0 < self._last[0] - last[0] <= self.config.longest_gap_s
        return not soon or is_cut(last[1], self._last[1])

    def _detection_is_due(self, following: int, lost: int) -> bool:
        """Return whether to run the detector.

        It runs at once if a face is lost or none is tracked, otherwise every `look_every` frames.
        """
        if following >= self.config.max_faces:
            return False
        self._until_detection -= 1
        if following and not lost and self._until_detection > 0:
            return False
        self._until_detection = self.config.look_every
        return True

    def _find_new_faces(
        self, frame: Frame, seen: list[SeenFace], lost: list[Track]
    ) -> tuple[list[SeenFace], float]:
        """Return the faces that are found besides those in `seen`, and the detector's time in ms.

        If none of them is sure, a thorough search follows. An upside-down face may be detected as
        if it were upright, for example; its face score is low then.
        """
        began = time.perf_counter()
        boxes, doubtful = find_boxes(self.detector, frame.image)
        detect_ms, self._faces_seen = (time.perf_counter() - began) * 1e3, count_sure(boxes)
        first_id = self._next_id
        found = self._start_tracks(frame, boxes, doubtful, seen, lost)
        if seen or any(face.output.score >= DOUBTFUL_FIND_FROM for face in found):
            self._until_thorough = 0
            if not seen and len(found) < self.config.max_faces:
                unlikely = unlikely_boxes(self.detector, self.network, frame.image)
                found += self._start_tracks(frame, (), unlikely, found, others(lost, found))
        elif self._thorough_search_is_due():
            began, next_id, self._next_id = time.perf_counter(), self._next_id, first_id
            better = self._search_thoroughly(frame, lost)
            detect_ms += (time.perf_counter() - began) * 1e3
            if better:
                return better, detect_ms
            self._next_id = next_id
        return found, detect_ms

    def _thorough_search_is_due(self) -> bool:
        self._until_thorough -= 1
        if self._until_thorough > 0 or not self.config.thorough_every:
            return False
        self._until_thorough = self.config.thorough_every
        return True

    def _search_thoroughly(self, frame: Frame, lost: list[Track]) -> list[SeenFace]:
        judged = self.network.card.judges_candidates
        for boxes in thorough_search(self.detector, frame.image, with_candidates=judged):
            found = self._start_tracks(frame, (), boxes, [], lost)
            if found:
                return found
        return []

    def _follow(self, frame: Frame, tracks: list[Track]) -> tuple[list[SeenFace], list[Track]]:
        """Run the network on the tracked faces; return the faces found and the lost tracks.

        Of two tracks that follow the same face, the likelier one is kept.
        """
        crops, before = [t.crop for t in tracks], [t.output for t in tracks]
        outputs = run_network(self.follower, frame.image, crops, before)
        found = {
            i: SeenFace(track, output, *self._locate(frame, output))
            for i, (track, output) in enumerate(zip(tracks, outputs, strict=True))
            if output.all_finite and output.score >= self._lowest_score(track)
        }
        for i, j in duplicate_tracks({i: face.motion for i, face in found.items()}):
            if i in found and j in found:
                del found[max(i, j, key=lambda k: unlikeliness(found[k]))]
        near_others = crowded([face.motion for face in found.values()])
        followed = [
            self._continue_track(face, near=near)
            for face, near in zip(found.values(), near_others, strict=True)
        ]
        lost = [
            replace(track, lost_s=frame.pts_s, output=None, fitted=None, history=None)
            for i, track in enumerate(tracks)
            if i not in found and track.face_id is not None
        ]
        return followed, lost

    def _lowest_score(self, track: Track) -> float:
        """Return the lowest score of a face.

        It is higher for a face that is not confirmed, unless it was detected with less.
        """
        confirmed = track.face_id is not None or track.first_score < self.config.find_from
        return self.config.lose_below if confirmed else self.config.find_from

    def _continue_track(self, face: SeenFace, *, near: bool) -> SeenFace:
        """Update the track of a face that was found again, and confirm it after enough frames."""
        track, frames = face.track, face.track.frames + 1
        motion = update_motion(track.motion, face.motion, near=near)
        track = replace(track, motion=motion, frames=frames)
        if track.face_id is not None or frames < self.config.confirm_frames:
            return face._replace(track=track)
        track = replace(track, face_id=self._new_id())
        return face._replace(track=track, state=FaceState.DETECTED)

    def _locate(self, frame: Frame, output: FaceOutput) -> tuple[Crop, FaceMotion]:
        """Return `fitted` and `motion` of `SeenFace`."""
        points, margin = output.raw.xy_px, self.follower.card.margin
        fitted = crop_of_landmarks(points, self.schema, margin=margin, rule=self.config.recentre)
        return fitted, motion_of(fitted, output.raw, frame.pts_s, margin=margin)

    def _keep(self, face: SeenFace) -> tuple[Track, FollowedFace]:
        """Return the state of a face for the next frame, and what is left to do in this one."""
        track, output, fitted, history = face.track, face.output, face.fitted, None
        if output.flow_image is not None:
            by_network = self.stabilization.by_network
            if by_network and contradicts(output.stabilized, output.raw, track.history):
                output = output.without_state()
            history = update_history(track.history, output.raw)
        crop = follow(track.crop, fitted, track.fitted, dead_band=self.config.dead_band)
        kept = replace(track, crop=crop, output=output, fitted=fitted, history=history)
        box = box_of_landmarks(output.raw.xy_px, score=output.score, roll_deg=fitted.roll_deg)
        return kept, FollowedFace(track.number, track.face_id, face.state, output, box, track.crop)

    def _start_tracks(
        self,
        frame: Frame,
        boxes: Sequence[FaceBox],
        doubtful: Sequence[FaceBox],
        seen: list[SeenFace],
        lost: list[Track],
    ) -> list[SeenFace]:
        """Start tracks of detected faces that are not tracked; lost faces get their ids back.

        For `doubtful`, see `FaceAligner.new_faces`.
        """
        found = self._new_faces(frame, boxes, doubtful, seen, lost)
        located = [self._locate(frame, output) for output in found]
        motions = [now for _, now in located]
        near = crowded([*motions, *(face.motion for face in seen)])[: len(found)]
        alone = not seen and len(lost) == len(found) == 1 and count_sure((*boxes, *doubtful)) <= 1
        known = matches([track.motion for track in lost], motions, near, alone=alone)
        confirm_immediately = not any(face.track.face_id is not None for face in seen)
        faces = []
        for i, (output, (fitted, now)) in enumerate(zip(found, located, strict=True)):
            face_id, motion = None, now
            if i in known:
                before = lost[known[i]]
                face_id, motion = (before.face_id, update_motion(before.motion, now, near=near[i]))
            elif confirm_immediately:
                face_id = self._new_id()
            score = output.score
            track = Track(face_id, output.crop, self._next_track, None, motion, first_score=score)
            self._next_track += 1
            faces.append(SeenFace(track, output, fitted, now, FaceState.DETECTED))
        return faces

    def _new_faces(
        self,
        frame: Frame,
        boxes: Sequence[FaceBox],
        doubtful: Sequence[FaceBox],
        seen: list[SeenFace],
        lost: list[Track],
    ) -> list[FaceOutput]:
        """Align boxes that are not tracked yet; those near lost faces come first."""
        known = [box_of_landmarks(face.output.raw.xy_px, score=1.0) for face in seen]
        expected = [track.motion for track in lost]
        # the sort is stable, so the best boxes stay first
        in_order = sorted(boxes, key=lambda box: not is_near(expected, box, frame.pts_s))
        aligner = FaceAligner(self.network, self.follower, self.schema, self.config)
        return aligner.new_faces(frame.image, in_order, doubtful, known)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1
