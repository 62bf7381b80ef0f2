"""Faces in boxes that the detector refuses are found if the landmark network is very sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.core.types import FaceBox, Frame
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.new_faces import DOUBTFUL_FIND_FROM
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import FACE_GREY
from support.fakes.several_squares import (
    CrowdDetector,
    CrowdNetwork,
    DoubtingNetwork,
    Square,
    crowd_frame,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Moves, Prediction

SQUARES: list[Square] = [(120, 180, 60), (300, 180, 70), (500, 180, 80)]


class RefusingDetector(CrowdDetector):
    """Is sure of the largest square only."""

    def detect_with_doubtful(self, image: Image) -> tuple[tuple[FaceBox, ...], tuple[FaceBox, ...]]:
        boxes = self.detect(image)
        return boxes[:1], boxes[1:]


class ScoringNetwork(CrowdNetwork):
    """Gives every face the same score."""

    def __init__(self, score: float) -> None:
        super().__init__()
        self.score = score

    def step(
        self, crops: Image, state: tuple[object, ...] | None = None, moved: Moves | None = None
    ) -> Prediction:
        prediction = super().step(crops, state, moved)
        return prediction._replace(face=np.minimum(prediction.face, np.float32(self.score)))


def faces_in_first_frame(
    detector: CrowdDetector, score: float, *squares: Square, most: int = 16
) -> list[int]:
    tracker = Tracker(
        detector,
        ScoringNetwork(score),
        NoStabilizer(),
        load_schema("ibug68"),
        TrackerConfig(max_faces=most),
    )
    return [face.face_id for face in tracker.track(crowd_frame(0, *squares)).faces]


@pytest.mark.parametrize(("score", "found"), [(1.0, 3), (0.98, 1)])
def test_a_refused_box_needs_a_very_high_face_score(score: float, found: int) -> None:
    assert found == 3 or score < DOUBTFUL_FIND_FROM
    assert faces_in_first_frame(RefusingDetector(), score, *SQUARES) == list(range(found))


def test_a_detector_without_doubts_works_as_before() -> None:
    assert faces_in_first_frame(CrowdDetector(), 0.98, *SQUARES) == [0, 1, 2]


@pytest.mark.parametrize(("side", "found"), [(12, 0), (40, 1), (90, 0)])
def test_a_small_face_in_a_sure_box_needs_less_of_a_face_score(side: float, found: int) -> None:
    faces = faces_in_first_frame(CrowdDetector(), 0.6, (300, 180, side))
    assert faces == list(range(found))


def test_a_small_face_beside_a_tracked_one_gets_an_id_although_its_score_is_low() -> None:
    config, schema = TrackerConfig(max_faces=4), load_schema("ibug68")
    tracker = Tracker(CrowdDetector(), DoubtingNetwork(), NoStabilizer(), schema, config)
    for i in range(10):
        frame = crowd_frame(i, (450, 180, 90))
        if i:
            frame.image[160:200, 160:200] = FACE_GREY - 50
        faces = tracker.track(frame).faces
    assert [face.face_id for face in faces] == [0, 1]


def test_refused_boxes_never_take_the_place_of_sure_ones() -> None:
    assert faces_in_first_frame(RefusingDetector(), 1.0, *SQUARES, most=1) == [0]
    assert len(faces_in_first_frame(RefusingDetector(), 1.0, *SQUARES, most=2)) == 2


class RefusingAllDetector(CrowdDetector):
    """Is sure of no square."""

    def detect_with_doubtful(self, image: Image) -> tuple[tuple[FaceBox, ...], tuple[FaceBox, ...]]:
        return (), self.detect(image)


class SmallestIsLikeliestNetwork(CrowdNetwork):
    """Gives the smallest face of a batch the highest score."""

    def step(
        self, crops: Image, state: tuple[object, ...] | None = None, moved: Moves | None = None
    ) -> Prediction:
        prediction = super().step(crops, state, moved)
        scores = np.linspace(0.9996, 0.9999, len(crops)).astype(np.float32)
        return prediction._replace(face=scores)


def test_of_doubtful_boxes_that_with_the_highest_face_score_is_taken() -> None:
    tracker = Tracker(
        RefusingAllDetector(),
        SmallestIsLikeliestNetwork(),
        NoStabilizer(),
        load_schema("ibug68"),
        TrackerConfig(max_faces=1),
    )
    (face,) = tracker.track(crowd_frame(0, *SQUARES)).faces
    assert face.box is not None
    x, _, side = min(SQUARES, key=lambda square: square[2])
    assert abs(face.box.left + face.box.width / 2 - x) < side / 2


@pytest.mark.data
@pytest.mark.slow
def test_nearly_all_faces_of_galleries_are_found_and_keep_their_ids(data: Path) -> None:
    settings = TrackSettings(tracker=TrackerConfig(max_faces=64), device="cpu")
    models = open_models(settings)
    found = 0
    for seed, side in enumerate((96, 128, 160, 200, 240)):
        tracker = make_tracker(models, settings)
        image = gallery(data, np.random.default_rng(seed), side)
        first = tracker.track(Frame(image, 0, 0.0))
        found += len({tile_of(face.box, image) for face in first.faces if face.box is not None})
        moved = np.asarray(np.roll(image, 2, axis=1), np.uint8)
        later = tracker.track(Frame(moved, 1, 0.04))
        assert [face.face_id for face in later.faces] == [face.face_id for face in first.faces]
    assert found >= 124  # of 125


def gallery(data: Path, rng: np.random.Generator, side: int) -> Image:
    """Return 5 × 5 photos of faces."""
    crops = sorted((data / "300w" / "train").glob("*.jpg"))
    chosen = rng.choice(len(crops), 25, replace=False).tolist()
    images = [np.asarray(cv2.imread(str(crops[i]))) for i in chosen]
    tiles = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images]
    rows = [np.hstack(tiles[5 * i : 5 * i + 5]) for i in range(5)]
    return np.ascontiguousarray(np.vstack(rows), np.uint8)


def tile_of(box: FaceBox, image: Image) -> tuple[int, int]:
    side = image.shape[0] / 5
    return int((box.top + box.height / 2) / side), int((box.left + box.width / 2) / side)
