"""Looks at faces: crops of a frame through the network, and how detected faces are aligned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from steadymark.engine.geometry import Recentre, crop_of_box, crop_of_landmarks, to_frame
from steadymark.engine.types import FaceBox, Landmarks
from steadymark.models.cropping import Crop, cut
from steadymark.models.registration import face_motion, grey_of, on_the_head
from steadymark.models.runtime import gather
from steadymark.models.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.models.cropping import Image, Matrix
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


MOST_LOOK_EVERY = 300  # that a user may choose


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Settings of a tracker.

    lose_below: the face score under which a tracked face is lost. find_from: the one that a
    detected face must reach, and keep until it is confirmed. passes: how often a detected box is
    re-centred from the landmarks found in it. dead_band: see `hold_still`. keep_id_s: how long a
    lost face's id waits for it. longest_gap_s: between two frames, after which filters and
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


class Look(NamedTuple):
    """What a network saw of one face. raw, steady: frame pixels, the same where it has no memory.

    prediction: of all faces it was shown at once; row: which of them this one is. steady: what a
    recurrent network made of it. grey: the crop, where the network has memory.
    """

    crop: Crop
    prediction: Prediction
    row: int
    raw: Landmarks
    steady: Landmarks
    grey: Image | None

    @property
    def score(self) -> float:
        """Of the face."""
        return float(self.prediction.face[self.row])

    @property
    def sound(self) -> bool:
        """Whether all points are numbers."""
        return all(bool(np.isfinite(p.xy_px).all()) for p in (self.raw, self.steady))


def look(
    network: LandmarkModel,
    image: Image,
    crops: Sequence[Crop],
    before: Sequence[Look | None] = (),
) -> list[Look]:
    """Run the network once on some crops of a frame.

    before: the looks at these faces in the last frame, None for those that are to begin anew; empty
    when all are.
    """
    if not crops:
        return []
    size = network.card.crop
    parts = np.stack([cut(image, crop.to_picture(size), size) for crop in crops])
    known = [seen if seen is not None and seen.grey is not None else None for seen in before]
    if any(known):
        greys: list[Image | None] = [grey_of(part) for part in parts]
        moved = np.stack([_moved(network, *each) for each in zip(known, greys, crops, strict=True)])
        memory = gather([None if seen is None else (seen.prediction, seen.row) for seen in known])
        prediction = network.step(parts, memory, moved)
    else:
        prediction = network.step(parts)
        greys = [grey_of(part) if prediction.state else None for part in parts]
    return [_look(prediction, row, crop, greys[row], size) for row, crop in enumerate(crops)]


def _moved(network: LandmarkModel, seen: Look | None, grey: Image | None, crop: Crop) -> Matrix:
    """(2, 3): from this crop's pixels to the last one's, along with the face."""
    if seen is None or seen.grey is None or grey is None:
        return np.eye(2, 3)
    schema = load_schema(network.card.schema or "ibug68")
    head = seen.prediction.raw[seen.row, on_the_head(schema)]
    return face_motion(seen.grey, grey, head, crop.onto(seen.crop, network.card.crop))


def _look(prediction: Prediction, row: int, crop: Crop, grey: Image | None, size: int) -> Look:
    scores = prediction.scores[row]
    steady = Landmarks(to_frame(prediction.points[row], crop, size), scores)
    raw = steady
    if prediction.raw is not prediction.points:
        raw = Landmarks(to_frame(prediction.raw[row], crop, size), scores)
    return Look(crop, prediction, row, raw, steady, grey)


def align(
    network: LandmarkModel,
    image: Image,
    boxes: Sequence[FaceBox],
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None = None,
) -> list[Look | None]:
    """The last looks at detected faces, re-centred `passes` times; None where there is no face.

    follower: looks in every pass but the first, see Tracker.
    """
    following = follower or network
    seen: dict[int, Look] = dict(
        enumerate(look(network, image, [crop_of_box(b, margin=network.card.margin) for b in boxes]))
    )
    for _ in range(config.passes - 1):
        seen = {i: each for i, each in seen.items() if each.sound and each.score >= HOPELESS}
        margin = following.card.margin
        crops = [
            crop_of_landmarks(each.raw.xy_px, schema, margin=margin, rule=config.recentre)
            for each in seen.values()
        ]
        seen = dict(zip(seen, look(following, image, crops), strict=True))
    found = {i: each for i, each in seen.items() if each.sound and each.score >= config.find_from}
    return [found.get(i) for i in range(len(boxes))]
