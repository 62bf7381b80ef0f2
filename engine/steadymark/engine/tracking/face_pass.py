"""Looks at faces: crops of a frame through the network, and how detected faces are aligned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from steadymark.engine.core.types import FaceBox, Landmarks
from steadymark.engine.tracking.geometry import Recentre, crop_of_box, crop_of_landmarks, to_frame
from steadymark.models.face.crop import Crop, cut
from steadymark.models.face.face_motion import (
    face_motion,
    flow_picture,
    is_on_the_head,
    motion_contradicted,
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
    """What the tracker needs of a network: `models.runtime.onnx_session.LandmarkNetwork` is one."""

    @property
    def card(self) -> ModelCard: ...
    @property
    def device(self) -> str: ...
    def step(
        self, crops: Image, state: State | None = None, moved: Moves | None = None
    ) -> Prediction: ...


HOPELESS = 0.05  # face score of a first look under which no second look follows


MOST_LOOK_EVERY = 300  # that a user may choose


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Settings of a tracker.

    lose_below: the face score under which a tracked face is lost. find_from: the one that a
    detected face must reach, and keep until it is confirmed. passes: how often a detected box is
    re-centred from the landmarks found in it. dead_band: see `keep_crop_if_still`. keep_id_s: how
    long a lost face's id waits for it. longest_gap_s: between two frames, after which filters and
    recurrent networks begin anew, as they do after a scene cut. look_every: frames between looks
    for further faces while fewer than max_faces are known.
    """

    max_faces: int = 1
    lose_below: float = 0.5
    find_from: float = 0.97
    passes: int = 2
    recentre: Recentre = Recentre.FIT
    dead_band: float = 0.01
    keep_id_s: float = 2.5
    look_every: int = 5
    confirm_frames: int = 3
    longest_gap_s: float = 0.5


class FaceOutput(NamedTuple):
    """What a network saw of one face. raw, steady: frame pixels, the same where it has no memory.

    prediction: of all faces it was shown at once; row: which of them this one is. steady: what a
    recurrent network or the flow cell made of it. picture: `flow_picture` of the crop, where the
    network has memory. memory: the flow cell's.
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
        """Of the face."""
        return float(self.prediction.face[self.row])

    def forgotten(self) -> FaceOutput:
        """The same look without memory: its raw landmarks, and the next look begins anew."""
        return self._replace(steady=self.raw, picture=None, memory=None)

    @property
    def sound(self) -> bool:
        """Whether all points are numbers."""
        return all(bool(np.isfinite(p.xy_px).all()) for p in (self.raw, self.steady))


def run_network(
    network: LandmarkModel,
    image: Image,
    crops: Sequence[Crop],
    before: Sequence[FaceOutput | None] = (),
    flow: FlowStabilizer | None = None,
) -> list[FaceOutput]:
    """Run the network once on some crops of a frame.

    A recurrent network is run a second time where the raw landmarks of a face turn out to
    contradict the motion that optical flow saw: with the landmarks' own motion instead.

    before: the looks at these faces in the last frame, None for those that are to begin anew; empty
    when all are. flow: stabilizes what the network finds.
    """
    if not crops:
        return []
    size = network.card.crop
    parts = np.stack([cut(image, crop.to_picture(size), size) for crop in crops])
    known = [seen if seen is not None and seen.picture is not None else None for seen in before]
    if any(known):
        pictures = [flow_picture(part) for part in parts]
        prediction = _recurrent_step(network, parts, pictures, crops, known)
    else:
        prediction = network.step(parts)
        pictures = [flow_picture(part) for part in parts] if prediction.state else []
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
    """The looks with what the flow cell makes of them; before: as of `run_network`."""
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
    return is_on_the_head(load_schema(network.card.schema or "ibug68"))


def _moved(
    network: LandmarkModel,
    seen: FaceOutput | None,
    picture: Image,
    crop: Crop,
    expected: Matrix | None = None,
) -> Matrix:
    """(2, 3): from this crop's pixels to the last one's, along with the face; see face_motion."""
    if seen is None or seen.picture is None:
        return np.eye(2, 3)
    points = seen.prediction.raw[seen.row, _head(network)]
    crop_moved = crop.onto(seen.crop, network.card.crop)
    return face_motion(seen.picture, picture, points, crop_moved, expected)


def _mended(
    network: LandmarkModel,
    seen: FaceOutput | None,
    picture: Image,
    crop: Crop,
    moved: Matrix,
    raw: Points,
) -> Matrix:
    """The same motion, or where this frame's raw landmarks (K, 2) contradict it, a better one.

    Flow looks again from where the landmarks are; what they contradict again gives way to theirs.
    """
    if seen is None:
        return moved
    head, size = _head(network), network.card.crop
    points = seen.prediction.raw[seen.row, head], raw[head]
    told = motion_contradicted(moved, *points, size)
    if told is None:
        return moved
    again = _moved(network, seen, picture, crop, told)
    return again if motion_contradicted(again, *points, size, told) is None else told


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
    """The last looks at detected faces, re-centred `passes` times; None where there is no face.

    follower: looks in every pass but the first, see Tracker. flow: remembers the last look.
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
