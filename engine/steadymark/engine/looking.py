"""One look at a face: a crop of a frame through the network, and how a detected face is aligned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from steadymark.engine.geometry import Recentre, crop_of_box, crop_of_landmarks, to_frame
from steadymark.engine.types import FaceBox, Landmarks
from steadymark.models.cropping import Crop, cut
from steadymark.models.registration import face_motion, grey_of, on_the_head
from steadymark.models.schema import load_schema

if TYPE_CHECKING:
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
    longest_gap_s: between two frames, after which filters and recurrent networks begin anew, as
    they do after a scene cut. look_every: frames between looks for further faces while fewer than
    max_faces are known.
    """

    max_faces: int = 1
    lose_below: float = 0.5
    find_from: float = 0.97
    passes: int = 2
    recentre: Recentre = Recentre.FIT
    dead_band: float = 0.01
    keep_id_s: float = 2.0
    look_every: int = 5
    longest_gap_s: float = 0.5


class Look(NamedTuple):
    """What a network saw in one crop. raw, steady: frame pixels, the same where it has no memory.

    steady: what a recurrent network made of it. grey: the crop, where the network has memory.
    """

    crop: Crop
    prediction: Prediction
    raw: Landmarks
    steady: Landmarks
    grey: Image | None

    @property
    def score(self) -> float:
        """Of the face."""
        return float(self.prediction.face[0])

    @property
    def sound(self) -> bool:
        """Whether all points are numbers."""
        return all(bool(np.isfinite(p.xy_px).all()) for p in (self.raw, self.steady))


def look(
    network: LandmarkModel,
    image: Image,
    crop: Crop,
    before: Look | None = None,
) -> Look:
    """Run the network on one crop of a frame. before: the look at this face in the last frame."""
    size = network.card.crop
    part = cut(image, crop.to_picture(size), size)
    if before is None or before.grey is None:
        prediction = network.step(part[None])
        grey = grey_of(part) if prediction.state else None
    else:
        grey = grey_of(part)
        head = before.prediction.raw[0, on_the_head(load_schema(network.card.schema or "ibug68"))]
        moved = face_motion(before.grey, grey, head, crop.onto(before.crop, size))
        prediction = network.step(part[None], before.prediction.state, moved[None])
    steady = Landmarks(to_frame(prediction.points[0], crop, size), prediction.scores[0])
    raw = steady
    if prediction.raw is not prediction.points:
        raw = Landmarks(to_frame(prediction.raw[0], crop, size), prediction.scores[0])
    return Look(crop, prediction, raw, steady, grey)


def align(
    network: LandmarkModel,
    image: Image,
    box: FaceBox,
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None = None,
) -> Look | None:
    """The last look at a detected face, re-centred `passes` times; None where there is no face.

    follower: looks in every pass but the first, see Tracker.
    """
    seen = look(network, image, crop_of_box(box, margin=network.card.margin))
    following = follower or network
    for _ in range(config.passes - 1):
        if not seen.sound or seen.score < HOPELESS:
            return None
        crop = crop_of_landmarks(
            seen.raw.xy_px, schema, margin=following.card.margin, rule=config.recentre
        )
        seen = look(following, image, crop)
    return seen if seen.score >= config.find_from else None
