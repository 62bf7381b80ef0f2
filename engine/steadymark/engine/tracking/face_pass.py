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
from steadymark.models.runtime.onnx_session import gather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.models.face.crop import Image, Matrix, Points
    from steadymark.models.face.schema import LandmarkSchema
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


LEAST_FIRST_PASS_SCORE = 0.05  # face score in the first pass below which there is no second pass


MOST_FACES = 64  # largest value of `max_faces` that a user may choose
MOST_LOOK_EVERY = 300  # largest value of `look_every` that a user may choose


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Settings of a tracker.

    Attributes:
        max_faces: Largest number of faces.
        lose_below: Face score below which a tracked face is lost.
        find_from: Face score that a detected face must reach, and keep until it is confirmed. A
            small face needs less, see `new_faces.SMALL_BOX_FROM`.
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
        raw: Raw landmarks in frame pixels, with the scores that the network gives them.
        stabilized: Landmarks of the recurrent network in frame pixels, with the same scores; the
            same object as `raw` if the network is not recurrent.
        flow_image: `flow_image` of the crop, if the network is recurrent.
        part: (F, F, 3) uint8 BGR, the crop's image.
    """

    crop: Crop
    prediction: Prediction
    row: int
    raw: Landmarks
    stabilized: Landmarks
    flow_image: Image | None
    part: Image

    @property
    def score(self) -> float:
        """Face score in [0, 1]."""
        return float(self.prediction.face[self.row])

    def calibrated(self, stabilized: Landmarks) -> tuple[Landmarks, Landmarks]:
        """Return `raw` and stabilized landmarks with the scores that users see, see `PointScores`.

        The tracker and the stabilizers themselves use the scores of the network.
        """
        if self.prediction.calibrated is None:
            return self.raw, stabilized
        scores = self.prediction.calibrated[self.row]
        raw = Landmarks(self.raw.xy_px, scores)
        if stabilized is self.raw:
            return raw, raw
        return raw, Landmarks(stabilized.xy_px, scores)

    def without_state(self) -> FaceOutput:
        """Return the output with raw landmarks and without state, which resets the network."""
        return self._replace(stabilized=self.raw, flow_image=None)

    @property
    def all_finite(self) -> bool:
        """Whether all landmarks are finite."""
        found = (self.raw,) if self.stabilized is self.raw else (self.raw, self.stabilized)
        return all(bool(np.isfinite(points.xy_px).all()) for points in found)


def run_network(
    network: LandmarkModel,
    image: Image,
    crops: Sequence[Crop],
    before: Sequence[FaceOutput | None] = (),
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

    Returns:
        One output per crop.
    """
    if not crops:
        return []
    size = network.card.crop
    crop_images = np.stack([cut(image, crop.matrix_to_image(size), size) for crop in crops])
    last_outputs = [
        output if output is not None and output.flow_image is not None else None
        for output in before
    ]
    if any(last_outputs):
        flow_images = [flow_image(part) for part in crop_images]
        prediction = _recurrent_step(network, crop_images, flow_images, crops, last_outputs)
    else:
        prediction = network.step(crop_images)
        flow_images = [flow_image(part) for part in crop_images] if prediction.state else []
    return [
        _output_of(prediction, row, crop, flow_images[row] if flow_images else None, part)
        for row, (crop, part) in enumerate(zip(crops, crop_images, strict=True))
    ]


def _recurrent_step(
    network: LandmarkModel,
    crop_images: Image,
    flow_images: Sequence[Image],
    crops: Sequence[Crop],
    last_outputs: Sequence[FaceOutput | None],
) -> Prediction:
    pairs = list(zip(last_outputs, flow_images, crops, strict=True))
    moved = [_face_motion(network, *pair) for pair in pairs]
    state = gather(
        [None if output is None else (output.prediction, output.row) for output in last_outputs]
    )
    prediction = network.step(crop_images, state, np.stack(moved))
    predicted = zip(pairs, moved, prediction.raw, strict=True)
    checked = [_checked_motion(network, *pair, *rest) for pair, *rest in predicted]
    if all(a is b for a, b in zip(moved, checked, strict=True)):
        return prediction
    return network.step(crop_images, state, np.stack(checked))


def _landmarks_on_head(network: LandmarkModel) -> list[int]:
    return inner_landmarks(load_schema(network.card.schema))


def _face_motion(
    network: LandmarkModel,
    last_output: FaceOutput | None,
    flow_image: Image,
    crop: Crop,
    expected: Matrix | None = None,
) -> Matrix:
    """Estimate the (2, 3) motion of the face from this crop's pixels to the last crop's.

    See `face_motion`.
    """
    if last_output is None or last_output.flow_image is None:
        return np.eye(2, 3)
    points = last_output.prediction.raw[last_output.row, _landmarks_on_head(network)]
    crop_moved = crop.matrix_to_crop(last_output.crop, network.card.crop)
    return face_motion(last_output.flow_image, flow_image, points, crop_moved, expected)


def _checked_motion(
    network: LandmarkModel,
    last_output: FaceOutput | None,
    flow_image: Image,
    crop: Crop,
    moved: Matrix,
    raw: Points,
) -> Matrix:
    """Return the motion, or a better one if the raw landmarks (K, 2) of this frame contradict it.

    Optical flow is computed again, starting from the motion of the landmarks. If the landmarks
    contradict that result, too, the motion of the landmarks is used.
    """
    if last_output is None:
        return moved
    on_head, size = _landmarks_on_head(network), network.card.crop
    points = last_output.prediction.raw[last_output.row, on_head], raw[on_head]
    by_landmarks = contradicting_motion(moved, *points, size)
    if by_landmarks is None:
        return moved
    recomputed = _face_motion(network, last_output, flow_image, crop, by_landmarks)
    return (
        recomputed
        if contradicting_motion(recomputed, *points, size, by_landmarks) is None
        else by_landmarks
    )


def _output_of(
    prediction: Prediction, row: int, crop: Crop, flow_image: Image | None, part: Image
) -> FaceOutput:
    scores, size = prediction.scores[row], len(part)
    stabilized = Landmarks(to_frame(prediction.points[row], crop, size), scores)
    raw = stabilized
    if prediction.raw is not prediction.points:
        raw = Landmarks(to_frame(prediction.raw[row], crop, size), scores)
    return FaceOutput(crop, prediction, row, raw, stabilized, flow_image, part)


def align_faces(
    network: LandmarkModel,
    image: Image,
    boxes: Sequence[FaceBox],
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None = None,
) -> list[FaceOutput | None]:
    """Run the networks on detected faces, re-centring the crop between the passes.

    Args:
        network: The landmark network of the first pass.
        image: (H, W, 3) uint8 BGR frame.
        boxes: The detected faces.
        schema: The landmark schema.
        config: The tracker's settings.
        follower: Network of all later passes, see `Tracker`; None uses `network`.

    Returns:
        The last output for each box; None if it is not a face.
    """
    later_network = follower or network
    least_score = min(LEAST_FIRST_PASS_SCORE, config.find_from)
    outputs: dict[int, FaceOutput] = dict(
        enumerate(
            run_network(network, image, [crop_of_box(b, margin=network.card.margin) for b in boxes])
        )
    )
    for _ in range(config.passes - 1):
        outputs = {
            i: each for i, each in outputs.items() if each.all_finite and each.score >= least_score
        }
        margin = later_network.card.margin
        crops = [
            crop_of_landmarks(each.raw.xy_px, schema, margin=margin, rule=config.recentre)
            for each in outputs.values()
        ]
        outputs = dict(zip(outputs, run_network(later_network, image, crops), strict=True))
    found = {
        i: each for i, each in outputs.items() if each.all_finite and each.score >= config.find_from
    }
    return [found.get(i) for i in range(len(boxes))]
