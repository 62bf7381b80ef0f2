"""The second half of tracking a frame: stabilized landmarks and attributes of the followed faces.

The crop of the next frame follows from the raw landmarks alone. So the next frame can be followed
while the faces of this one are stabilized.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from steadymark.engine.attributes.attribute_registry import attributes_of
from steadymark.engine.core.types import (
    FaceContext,
    FaceState,
    Intrinsics,
    Landmarks,
    TrackedFace,
    TrackResult,
)
from steadymark.engine.face3d.identity import NEUTRAL_S, follow_identity
from steadymark.engine.stabilizers.divergence_guard import RawHistory, contradicts, update_history
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.runtime.flow_stabilizer import flow_frame_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.core.protocols import Stabilizer
    from steadymark.engine.core.pupils import Pupils
    from steadymark.engine.core.types import FaceBox, Frame
    from steadymark.engine.face3d.identity import Identity
    from steadymark.engine.tracking.face_pass import FaceOutput
    from steadymark.engine.tracking.pupil_tracking import PupilMemory, PupilTracker
    from steadymark.models.face.crop import Crop, Image
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.runtime.flow_stabilizer import FlowMemory, FlowStabilizer


class FollowedFace(NamedTuple):
    """A face that was found in a frame and is not stabilized yet.

    Attributes:
        track: Number of the face's track, which is never used again.
        face_id: None until the face is confirmed.
        state: Whether the face was detected or confirmed in this frame (DETECTED), or tracked.
        output: Output of the network.
        box: Extent of the raw landmarks.
        crop: The part of the frame that the network was run on.
    """

    track: int
    face_id: int | None
    state: FaceState
    output: FaceOutput
    box: FaceBox
    crop: Crop


class FollowedFrame(NamedTuple):
    """The faces of a frame that are not stabilized yet.

    Attributes:
        frame: The frame.
        faces: The faces that were found.
        lost: Ids of the lost faces.
        stage_ms: See `TrackResult`.
        restarted: See `TrackResult`; all stabilizers restart.
        faces_seen: See `TrackResult`.
    """

    frame: Frame
    faces: tuple[FollowedFace, ...]
    lost: tuple[int, ...]
    stage_ms: dict[str, float]
    restarted: bool
    faces_seen: int


class FaceMemory(NamedTuple):
    """The state of one face's stabilizers after a frame.

    Attributes:
        filtered: State of the filter.
        flow: State of the flow cell; None resets it.
        history: History of the raw landmarks; None after a reset.
        identity: What is known of the person's 3D face; None if nothing is.
        pupils: State of the pupils' filter; None if they are not tracked.
    """

    filtered: Any
    flow: FlowMemory | None = None
    history: RawHistory | None = None
    identity: Identity | None = None
    pupils: PupilMemory | None = None


class _FinishedFace(NamedTuple):
    """A face of a frame: its new state, and its landmarks before and after its stabilizers.

    `unfiltered` is what the filter gets, so that it does not depend on the choice of the filter.
    """

    memory: FaceMemory
    raw: Landmarks
    unfiltered: Landmarks
    points: Landmarks


@dataclass(slots=True)
class Stabilization:
    """Stabilizes the faces of one source; frames must come in order, from one thread.

    Attributes:
        stabilizer: The filter that runs last.
        schema: The landmark schema.
        flow: The flow stabilizer for the outputs of the network, or None.
        by_network: Whether the filter gets the output of the recurrent network or of `flow`,
            instead of the raw landmarks.
        focal_px: Focal length in pixels, see `Intrinsics`.
        gaze_calibration: The person's correction of gaze; None for none.
        pupil_tracker: Finds the pupils; None if they are not tracked.
    """

    stabilizer: Stabilizer[Any]
    schema: LandmarkSchema
    flow: FlowStabilizer | None = None
    by_network: bool = True
    focal_px: float | None = None
    gaze_calibration: GazeCalibration | None = None
    pupil_tracker: PupilTracker | None = None
    _memories: dict[int, FaceMemory] = field(default_factory=dict)
    _neutral_wanted: Event = field(default_factory=Event)
    _neutral_from_s: float = math.inf

    def choose_neutral(self) -> None:
        """Take the faces of the next half second as neutral; any thread may call it."""
        self._neutral_wanted.set()

    def finish(self, followed: FollowedFrame) -> TrackResult:
        """Stabilize the faces of the next frame, and compute their attributes.

        Args:
            followed: The faces of the frame.

        Returns:
            The tracked and lost faces, sorted by id.
        """
        started = time.perf_counter()
        frame = followed.frame
        if self._neutral_wanted.is_set():
            self._neutral_wanted.clear()
            self._neutral_from_s = frame.pts_s
        before = [
            None if followed.restarted else self._memories.get(face.track)
            for face in followed.faces
        ]
        stabilized = self._stabilized(frame, followed.faces, before)
        finished = [
            self._finished_face(frame, *each)
            for each in zip(followed.faces, before, stabilized, strict=True)
        ]
        pupils = self._pupils(frame, followed.faces, before, finished)
        self._memories = {
            face.track: each.memory._replace(pupils=None if found is None else found[1])
            for face, each, found in zip(followed.faces, finished, pupils, strict=True)
        }
        faces = self._tracked_faces(
            frame, followed.faces, finished, [found and found[0] for found in pupils]
        )
        faces += [TrackedFace(face_id, FaceState.LOST, 0.0) for face_id in followed.lost]
        spent_ms = (time.perf_counter() - started) * 1e3
        return TrackResult(
            frame,
            tuple(sorted(faces, key=lambda face: face.face_id)),
            {**followed.stage_ms, "total": followed.stage_ms["total"] + spent_ms},
            followed.restarted,
            followed.faces_seen,
        )

    def _stabilized(
        self, frame: Frame, faces: Sequence[FollowedFace], before: Sequence[FaceMemory | None]
    ) -> list[tuple[Landmarks, FlowMemory | None]]:
        """Return what the filter gets of each face, and the state of its flow cell."""
        outputs = [face.output for face in faces]
        if not self.by_network or frame.independent:
            return [(output.raw, None) for output in outputs]
        if self.flow is None or not outputs:
            return [(output.stabilized, None) for output in outputs]
        memories = [None if memory is None else memory.flow for memory in before]
        return [*run_flow(self.flow, frame.image, outputs, memories)]

    def _finished_face(
        self,
        frame: Frame,
        face: FollowedFace,
        before: FaceMemory | None,
        given: tuple[Landmarks, FlowMemory | None],
    ) -> _FinishedFace:
        """Return a face with its new state; `given` is a value of `_stabilized`."""
        (stabilized, flow_memory), history = given, None
        if flow_memory is not None:
            known, raw = None if before is None else before.history, face.output.raw
            wrong = contradicts(stabilized, raw, known)
            if wrong or not np.isfinite(stabilized.xy_px).all():
                stabilized, flow_memory = raw, None
            history = update_history(known, raw)
        raw, stabilized = face.output.calibrated(stabilized)
        if before is None or face.state is FaceState.DETECTED:
            filtered, identity = self.stabilizer.start(), None
        else:
            filtered, identity = before.filtered, before.identity
        points, filtered = self.stabilizer.step(stabilized, frame.pts_s, filtered)
        if face.face_id is not None and self.schema.name in IBUG_ORDER:
            at_rest = 0 <= frame.pts_s - self._neutral_from_s < NEUTRAL_S
            camera = self._camera(frame)
            identity = follow_identity(identity, raw, camera, frame.pts_s, at_rest=at_rest)
        memory = FaceMemory(filtered, flow_memory, history, identity)
        return _FinishedFace(memory, raw, stabilized, points)

    def _pupils(
        self,
        frame: Frame,
        faces: Sequence[FollowedFace],
        before: Sequence[FaceMemory | None],
        finished: Sequence[_FinishedFace],
    ) -> list[tuple[Pupils, PupilMemory] | None]:
        """Return the pupils and the new state of each confirmed face; None for the others.

        They do not depend on the filter, which can be exchanged after tracking.
        """
        results: list[tuple[Pupils, PupilMemory] | None] = [None] * len(faces)
        confirmed = [i for i, face in enumerate(faces) if face.face_id is not None]
        if self.pupil_tracker is None or not confirmed:
            return results
        memories = [
            None
            if known is None or frame.independent or face.state is FaceState.DETECTED
            else known.pupils
            for known, face in ((before[i], faces[i]) for i in confirmed)
        ]
        points = [finished[i].unfiltered.xy_px for i in confirmed]
        found = self.pupil_tracker.find(frame.image, points, memories, frame.pts_s)
        for i, each in zip(confirmed, found, strict=True):
            results[i] = each
        return results

    def _camera(self, frame: Frame) -> Intrinsics:
        return Intrinsics(frame.width, frame.height, self.focal_px)

    def _tracked_faces(
        self,
        frame: Frame,
        faces: Sequence[FollowedFace],
        finished: Sequence[_FinishedFace],
        pupils: Sequence[Pupils | None],
    ) -> list[TrackedFace]:
        """Return the confirmed faces with their attributes."""
        found = []
        for face, (memory, raw, _, points), seen in zip(faces, finished, pupils, strict=True):
            if face.face_id is None:
                continue
            used = None if memory.identity is None else memory.identity.used
            context = FaceContext(
                self.schema.name,
                self._camera(frame),
                frame.pts_s,
                used,
                pupils=seen,
                gaze_calibration=self.gaze_calibration,
            )
            found.append(
                TrackedFace(
                    face.face_id,
                    face.state,
                    face.output.score,
                    face.box,
                    raw,
                    points,
                    face.crop,
                    attributes_of(points, context),
                )
            )
        return found


def run_flow(
    flow: FlowStabilizer,
    image: Image,
    outputs: Sequence[FaceOutput],
    before: Sequence[FlowMemory | None],
) -> list[tuple[Landmarks, FlowMemory]]:
    """Apply the flow stabilizer to the faces of one frame.

    Args:
        flow: The flow stabilizer.
        image: (H, W, 3) uint8 BGR frame.
        outputs: Outputs of the network for one or more faces.
        before: The flow stabilizer's state of each face after the last frame; None for a new face.

    Returns:
        For each face, the stabilized landmarks in frame pixels and the new state.
    """
    frames = [flow_frame_of(image, each.part, each.crop, each.raw.xy_px) for each in outputs]
    stabilized = flow.step(frames, np.stack([each.raw.score for each in outputs]), before)
    return [
        (Landmarks(points, each.raw.score), memory)
        for each, (points, memory) in zip(outputs, stabilized, strict=True)
    ]
