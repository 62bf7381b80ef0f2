"""FaceNetDetector: from any frame to boxes in its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.bench.detector_benchmark import is_hit, recall
from steadymark.engine.core.types import FaceBox
from steadymark.engine.tracking.detection import (
    DetectorConfig,
    FaceNetDetector,
    open_face_net,
)
from steadymark.models.face.landmark_boxes import suppress
from steadymark.models.face.schema import assets_root
from steadymark.models.runtime.onnx_session import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.tracking.detection import Rows
    from steadymark.models.face.crop import Image

WEIGHTS = assets_root() / "weights" / "face_net.onnx"


class FakeRunner:
    """Returns fixed rows and records the shapes of its images."""

    def __init__(self, *rows: list[float]) -> None:
        self.rows = np.array(rows, np.float32).reshape(-1, 6)
        self.seen: list[tuple[int, ...]] = []

    def __call__(self, image: Image) -> Rows:
        assert image.dtype == np.uint8
        self.seen.append(image.shape)
        return self.rows.copy()


def frame(height: int, width: int) -> Image:
    return np.zeros((height, width, 3), np.uint8)


def test_a_small_frame_is_enlarged_and_padded() -> None:
    runner = FakeRunner([15.5, 15.5, 63.5, 79.5, 0.9, 12])
    (box,) = FaceNetDetector(runner).detect(frame(70, 100))
    assert runner.seen == [(1, 3, 128, 160)]
    assert (box.left, box.top, box.width, box.height) == pytest.approx((9.5, 9.5, 30, 40))


def test_enlarging_can_be_switched_off() -> None:
    runner = FakeRunner([10, 10, 40, 50, 0.9, 12])
    config = DetectorConfig(enlarge=1.0)
    (box,) = FaceNetDetector(runner, config).detect(frame(70, 100))
    assert runner.seen == [(1, 3, 96, 128)]
    assert (box.left, box.top, box.width, box.height) == (10, 10, 30, 40)
    assert (box.score, box.roll_deg) == pytest.approx((0.9, 12))


def test_a_large_frame_is_reduced_and_its_boxes_are_in_frame_pixels() -> None:
    runner = FakeRunner([9.5, 19.5, 49.5, 59.5, 0.9, 0])
    (box,) = FaceNetDetector(runner).detect(frame(4320, 7680))
    assert runner.seen == [(1, 3, 384, 640)]
    assert (box.left, box.top, box.width, box.height) == pytest.approx((119.5, 239.5, 480, 480))


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (5, 3), (31, 33)])
def test_frames_of_any_size_are_accepted(size: tuple[int, int]) -> None:
    runner = FakeRunner()
    assert FaceNetDetector(runner).detect(frame(*size)) == ()
    _, _, height, width = runner.seen[0]
    assert height % 32 == 0
    assert width % 32 == 0


def test_an_empty_frame_has_no_faces() -> None:
    assert FaceNetDetector(FakeRunner()).detect(frame(0, 10)) == ()


class TwoPassRunner(FakeRunner):
    """Scores its box with `first_score` in the whole frame, with `second_score` in a close-up."""

    def __init__(self, first_score: float, second_score: float) -> None:
        super().__init__([200, 150, 280, 250, first_score, 0])
        self.second_score = second_score

    def __call__(self, image: Image) -> Rows:
        rows = super().__call__(image)
        if image.shape[2] == 160:  # the face, 100 px high, is 80 of 160 px there
            rows[:] = [48, 40, 112, 120, self.second_score, 0]
        return rows


@pytest.mark.parametrize(
    ("first_score", "second_score", "score"),
    [
        (0.9, 0.0, 0.9),  # certain in the first pass
        (0.45, 0.8, 0.8),  # uncertain, confirmed in the second pass
        (0.6, 0.3, None),  # uncertain, not confirmed
        (0.3, 0.9, None),  # below the limit of uncertain boxes
    ],
)
def test_an_uncertain_box_gets_the_score_of_a_second_pass(
    first_score: float, second_score: float, score: float | None
) -> None:
    runner = TwoPassRunner(first_score, second_score)
    boxes = FaceNetDetector(runner, DetectorConfig(threshold=0.5)).detect(frame(480, 640))
    assert [box.score for box in boxes] == ([] if score is None else [pytest.approx(score)])
    assert [(box.left, box.top) for box in boxes] == ([] if score is None else [(200, 150)])
    assert len(runner.seen) == (2 if 0.4 <= first_score < 0.65 else 1)


def test_a_box_that_the_second_pass_refuses_is_returned_as_doubtful() -> None:
    for first_score, refused in ((0.9, 0), (0.6, 1), (0.3, 0)):
        runner = TwoPassRunner(first_score, 0.3)
        detector = FaceNetDetector(runner, DetectorConfig(threshold=0.5))
        boxes, doubtful = detector.detect_with_doubtful(frame(480, 640))
        assert boxes == detector.detect(frame(480, 640))
        assert len(doubtful) == refused
        assert all((box.left, box.width) == (200, 80) for box in doubtful)


def test_boxes_that_are_uncertain_too_small_or_not_finite_are_dropped() -> None:
    runner = FakeRunner([0, 0, 30, 30, 0.4, 0], [50, 50, 60, 60, 0.9, 0], [0, 0, np.inf, 9, 0.9, 0])
    config = DetectorConfig(threshold=0.5, min_face_px=12)
    assert FaceNetDetector(runner, config).detect(frame(96, 96)) == ()


def test_suppression_keeps_the_best_of_overlapping_boxes_in_order_of_score() -> None:
    rows = np.array(
        [
            [0, 0, 30, 30, 0.6, 0],
            [2, 1, 32, 31, 0.8, 0],
            [60, 60, 90, 90, 0.9, 0],
            [20, 20, 50, 50, 0.7, 0],
        ],
        np.float32,
    )
    assert suppress(rows, 0.4) == [2, 1, 3]
    assert suppress(rows[:0], 0.4) == []


def test_suppression_equals_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    corner = rng.uniform(0, 60, (80, 2))
    rows = np.concatenate(
        (corner, corner + rng.uniform(5, 50, (80, 2)), rng.random((80, 1)), np.zeros((80, 1))), 1
    ).astype(np.float32)
    boxes = [FaceBox(r[0], r[1], r[2] - r[0], r[3] - r[1], r[4]) for r in rows.tolist()]
    kept: list[int] = []
    for i in sorted(range(80), key=lambda j: -boxes[j].score):
        if all(boxes[i].iou(boxes[j]) <= 0.4 for j in kept):
            kept.append(i)
    assert suppress(rows, 0.4) == kept


def test_a_hit_overlaps_or_has_a_close_centre() -> None:
    true = FaceBox(0, 0, 100, 100)
    assert is_hit(FaceBox(20, 20, 100, 100), true)
    assert is_hit(FaceBox(40, 40, 20, 20), true)
    assert not is_hit(FaceBox(60, 60, 100, 100), true)


def test_each_box_is_matched_with_one_face() -> None:
    ground_truth = {"a": np.array([[0, 0, 40, 40], [5, 5, 45, 45], [90, 90, 99, 99]], np.float32)}
    found = {"a": (FaceBox(0, 0, 40, 40, 0.9), FaceBox(90, 90, 9, 9, 0.8))}
    result = recall(found, ground_truth)
    assert (result.faces, result.hits) == (2, 1)  # the third face is too small to count


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="no weights: train face_net to run this test")
@pytest.mark.parametrize("size", [(1, 1), (48, 64), (480, 640)])
def test_the_shipped_network_finds_no_face_in_noise(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    assert FaceNetDetector(open_face_net(open_file(WEIGHTS))).detect(image) == ()


@pytest.mark.data
@pytest.mark.skipif(not WEIGHTS.is_file(), reason="no weights: train face_net to run this test")
def test_the_shipped_network_finds_held_back_faces(data: Path) -> None:
    import cv2

    from steadymark.models.datasets.photo_splits import photos

    detector = FaceNetDetector(open_face_net(open_file(WEIGHTS)))
    ground_truth = photos(data, "train", held_back=True)
    hits = 0
    for name, boxes in ground_truth.items():
        image = cv2.imread(str(data / "faces" / "train" / name))
        assert image is not None
        found = detector.detect(image.astype(np.uint8, copy=False))
        left, top, right, bottom = boxes[0].tolist()
        hits += any(is_hit(box, FaceBox(left, top, right - left, bottom - top)) for box in found)
    assert hits >= 0.98 * len(ground_truth)
