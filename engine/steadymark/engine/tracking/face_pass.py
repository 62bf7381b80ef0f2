"""Runs landmark networks on face crops of a frame, and aligns detected faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from steadymark.engine.core.types import FaceBox, Landmarks
from steadymark.engine.tracking.geometry import Recentre, crop_of_box, crop_of_landmarks, to_frame
from steadymark.models.face.crop import Crop, cut
from steadymark.models.face.face_motion import (
    contradicting_motion,
    face_motion,
    flow_image,
    inner_landmarks,
)
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_stabilizer import flow_frame_of
from steadymark.models.runtime.onnx_session import gather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.models.face.crop import Image, Matrix, Points
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.runtime.flow_stabilizer import FlowMemory, FlowStabilizer
    from steadymark.models.runtime.onnx_session import Moves, Prediction, State
    from steadymark.models.runtime.zoo import ModelCard


class LandmarkModel(Protocol):
    """The part of a landmark network that the tracker uses, see `LandmarkNetwork`."""

    @property
    def card(self) -> ModelCard: ...
    @property
    def device(self) -> str: ...
    def step(
        self, crops: Image, state: State | None = None, moved: Moves | None = None
    ) -> Prediction: ...


HOPELESS = 0.05  # face score in the first pass below which there is no second pass


MOST_FACES = 64  # largest value of `max_faces` that a user may choose
MOST_LOOK_EVERY = 300  # largest value of `look_every` that a user may choose


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Settings of a tracker.

    Attributes:
        max_faces: Largest number of faces.
        lose_below: Face score below which a tracked face is lost.
        find_from: Face score that a detected face must reach, and keep until it is confirmed.
        passes: Number of network runs on a detected face; the crop is re-centred before each
            run but the first.
        recentre: How the next crop follows from the landmarks.
        dead_band: See `models.face.crop.keep_crop_if_still`.
        keep_id_s: Time for which the id of a lost face is kept, in seconds.
        look_every: Number of frames between two detections while fewer than `max_faces` faces
            are known.
        thorough_every: Number of frames between two thorough searches (see `thorough_search`) while
            there is no face; 0 makes none.
        confirm_frames: Number of frames after which a new face is confirmed and gets its id.
        longest_gap_s: Longest time between two frames, in seconds. After a longer gap, as after
            a scene cut, filters and recurrent networks are reset.
    """

    max_faces: int = 1
    lose_below: float = 0.5
    find_from: float = 0.97
    passes: int = 2
    recentre: Recentre = Recentre.FIT
    dead_band: float = 0.01
    keep_id_s: float = 2.5
    look_every: int = 5
    thorough_every: int = 15
    confirm_frames: int = 3
    longest_gap_s: float = 0.5


class FaceOutput(NamedTuple):
    """Output of the network for one face.

    Attributes:
        crop: The crop that the network was run on.
        prediction: The predictions for all faces of the same run.
        row: Index of this face in `prediction`.
        raw: Raw landmarks in frame pixels.
        steady: Landmarks of the recurrent network or the flow cell in frame pixels; equal to
            `raw` if there is none.
        picture: `flow_image` of the crop, if the network is recurrent.
        memory: State of the flow cell.
    """

    crop: Crop
    prediction: Prediction
    row: int
    raw: Landmarks
    steady: Landmarks
    picture: Image | None
    memory: FlowMemory | None = None

    @property
    def score(self) -> float:
        """Face score in [0, 1]."""
        return float(self.prediction.face[self.row])

    def forgotten(self) -> FaceOutput:
        """Return the output with raw landmarks and without state, which resets the network."""
        return self._replace(steady=self.raw, picture=None, memory=None)

    @property
    def sound(self) -> bool:
        """Whether all landmarks are finite."""
        return all(bool(np.isfinite(p.xy_px).all()) for p in (self.raw, self.steady))


def run_network(
    network: LandmarkModel,
    image: Image,
    crops: Sequence[Crop],
    before: Sequence[FaceOutput | None] = (),
    flow: FlowStabilizer | None = None,
) -> list[FaceOutput]:
    """Run the network once on crops of a frame.

    A recurrent network warps its state by the motion of the face, which optical flow estimates. If
    the raw landmarks contradict this motion, the network runs a second time with a better motion.

    Args:
        network: The landmark network.
        image: (H, W, 3) uint8 BGR frame.
        crops: The crops.
        before: Outputs for these faces in the last frame; None for faces whose state is reset.
            It is empty if all states are reset.
        flow: The flow stabilizer, or None.

    Returns:
        One output per crop.
    """
    if not crops:
        return []
    size = network.card.crop
    parts = np.stack([cut(image, crop.matrix_to_image(size), size) for crop in crops])
    known = [seen if seen is not None and seen.picture is not None else None for seen in before]
    if any(known):
        pictures = [flow_image(part) for part in parts]
        prediction = _recurrent_step(network, parts, pictures, crops, known)
    else:
        prediction = network.step(parts)
        pictures = [flow_image(part) for part in parts] if prediction.state else []
    looks = [
        _look(prediction, row, crop, pictures[row] if pictures else None, size)
        for row, crop in enumerate(crops)
    ]
    return looks if flow is None else _flowed(flow, image, parts, looks, before)


def _flowed(
    flow: FlowStabilizer,
    image: Image,
    parts: Image,
    looks: list[FaceOutput],
    before: Sequence[FaceOutput | None],
) -> list[FaceOutput]:
    """Apply the flow stabilizer to the outputs; for `before`, see `run_network`."""
    seen = [
        flow_frame_of(image, part, each.crop, each.raw.xy_px)
        for part, each in zip(parts, looks, strict=True)
    ]
    memories = [None if last is None else last.memory for last in before or [None] * len(looks)]
    done = flow.step(seen, np.stack([each.raw.score for each in looks]), memories)
    return [
        each._replace(steady=Landmarks(points, each.raw.score), memory=memory)
        for each, (points, memory) in zip(looks, done, strict=True)
    ]


def _recurrent_step(
    network: LandmarkModel,
    parts: Image,
    pictures: Sequence[Image],
    crops: Sequence[Crop],
    known: Sequence[FaceOutput | None],
) -> Prediction:
    pairs = list(zip(known, pictures, crops, strict=True))
    moved = [_moved(network, *pair) for pair in pairs]
    memory = gather([None if seen is None else (seen.prediction, seen.row) for seen in known])
    prediction = network.step(parts, memory, np.stack(moved))
    found = zip(pairs, moved, prediction.raw, strict=True)
    mended = [_mended(network, *pair, *rest) for pair, *rest in found]
    if all(a is b for a, b in zip(moved, mended, strict=True)):
        return prediction
    return network.step(parts, memory, np.stack(mended))


def _head(network: LandmarkModel) -> list[int]:
    return inner_landmarks(load_schema(network.card.schema))


def _moved(
    network: LandmarkModel,
    seen: FaceOutput | None,
    picture: Image,
    crop: Crop,
    expected: Matrix | None = None,
) -> Matrix:
    """Estimate the (2, 3) motion of the face from this crop's pixels to the last crop's.

    See `face_motion`.
    """
    if seen is None or seen.picture is None:
        return np.eye(2, 3)
    points = seen.prediction.raw[seen.row, _head(network)]
    crop_moved = crop.matrix_to_crop(seen.crop, network.card.crop)
    return face_motion(seen.picture, picture, points, crop_moved, expected)


def _mended(
    network: LandmarkModel,
    seen: FaceOutput | None,
    picture: Image,
    crop: Crop,
    moved: Matrix,
    raw: Points,
) -> Matrix:
    """Return the motion, or a better one if the raw landmarks (K, 2) of this frame contradict it.

    Optical flow is computed again, starting from the motion of the landmarks. If the landmarks
    contradict that result, too, the motion of the landmarks is used.
    """
    if seen is None:
        return moved
    head, size = _head(network), network.card.crop
    points = seen.prediction.raw[seen.row, head], raw[head]
    told = contradicting_motion(moved, *points, size)
    if told is None:
        return moved
    again = _moved(network, seen, picture, crop, told)
    return again if contradicting_motion(again, *points, size, told) is None else told


def _look(
    prediction: Prediction, row: int, crop: Crop, picture: Image | None, size: int
) -> FaceOutput:
    scores = prediction.scores[row]
    steady = Landmarks(to_frame(prediction.points[row], crop, size), scores)
    raw = steady
    if prediction.raw is not prediction.points:
        raw = Landmarks(to_frame(prediction.raw[row], crop, size), scores)
    return FaceOutput(crop, prediction, row, raw, steady, picture)


def align_faces(
    network: LandmarkModel,
    image: Image,
    boxes: Sequence[FaceBox],
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None = None,
    flow: FlowStabilizer | None = None,
) -> list[FaceOutput | None]:
    """Run the networks on detected faces, re-centring the crop between the passes.

    Args:
        network: The landmark network of the first pass.
        image: (H, W, 3) uint8 BGR frame.
        boxes: The detected faces.
        schema: The landmark schema.
        config: The tracker's settings.
        follower: Network of all later passes, see `Tracker`; None uses `network`.
        flow: The flow stabilizer of all later passes, or None.

    Returns:
        The last output for each box; None if it is not a face.
    """
    following = follower or network
    seen: dict[int, FaceOutput] = dict(
        enumerate(
            run_network(network, image, [crop_of_box(b, margin=network.card.margin) for b in boxes])
        )
    )
    for _ in range(config.passes - 1):
        seen = {i: each for i, each in seen.items() if each.sound and each.score >= HOPELESS}
        margin = following.card.margin
        crops = [
            crop_of_landmarks(each.raw.xy_px, schema, margin=margin, rule=config.recentre)
            for each in seen.values()
        ]
        seen = dict(zip(seen, run_network(following, image, crops, flow=flow), strict=True))
    found = {i: each for i, each in seen.items() if each.sound and each.score >= config.find_from}
    return [found.get(i) for i in range(len(boxes))]
