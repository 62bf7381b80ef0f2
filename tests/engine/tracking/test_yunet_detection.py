"""YuNet as a detector: its boxes, its roll, and errors of invalid model files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.tracking.settings import TrackSettings, open_detector
from steadymark.engine.tracking.yunet_detection import YuNetDetector
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image


class YuNetBackend:
    """Answers as cv2.FaceDetectorYN does, and records the image size."""

    def __init__(self, *rows: list[float]) -> None:
        self.rows = np.array(rows, np.float32).reshape(-1, 15) if rows else None
        self.size = (0, 0)

    def setInputSize(self, size: tuple[int, int]) -> None:
        self.size = size

    def detect(self, image: Image) -> tuple[int, Any]:
        assert image.shape[1::-1] == self.size
        return 1, self.rows


def row(x: float, y: float, side: float, score: float, eyes: tuple[float, ...]) -> list[float]:
    return [x, y, side, side, *eyes, *[0.0] * 6, score]


def test_boxes_of_a_large_frame_are_in_its_pixels_and_sorted_by_score() -> None:
    backend = YuNetBackend(
        row(0, 0, 20, 0.85, (5, 5, 15, 5)), row(100, 100, 100, 0.95, (130, 130, 170, 130))
    )
    boxes = YuNetDetector("", backend=backend).detect(np.zeros((960, 1280, 3), np.uint8))
    assert backend.size == (640, 480)
    assert [round(box.score, 2) for box in boxes] == [0.95, 0.85]
    best = boxes[0]
    assert best.left == pytest.approx(200, abs=5)
    assert best.left + best.width == pytest.approx(400, abs=5)
    assert 230 < best.top < 260  # below the forehead, where landmarks begin
    assert best.top + best.height == pytest.approx(400, abs=5)


def test_a_small_frame_is_not_resized_and_an_empty_one_has_no_faces() -> None:
    backend = YuNetBackend()
    detector = YuNetDetector("", backend=backend)
    assert detector.detect(np.zeros((48, 64, 3), np.uint8)) == ()
    assert backend.size == (64, 48)
    assert detector.detect(np.zeros((0, 64, 3), np.uint8)) == ()


@pytest.mark.parametrize(
    ("eyes", "roll_deg"),
    [((10, 10, 30, 10), 0), ((10, 10, 20, 20), 45), ((30, 10, 10, 10), 180), ((9, 30, 9, 10), -90)],
)
def test_the_roll_is_that_of_the_eyes(eyes: tuple[float, ...], roll_deg: float) -> None:
    backend = YuNetBackend(row(0, 0, 40, 0.9, eyes))
    (box,) = YuNetDetector("", backend=backend).detect(np.zeros((64, 64, 3), np.uint8))
    assert box.roll_deg == pytest.approx(roll_deg)


def test_rows_that_are_not_finite_are_dropped() -> None:
    backend = YuNetBackend(row(0, 0, float("nan"), 0.9, (1, 1, 2, 1)))
    assert YuNetDetector("", backend=backend).detect(np.zeros((64, 64, 3), np.uint8)) == ()


def test_a_missing_or_invalid_model_file_is_reported(tmp_path: Path) -> None:
    text = tmp_path / "notes.onnx"
    text.write_text("no network")
    for file, words in (
        (tmp_path / "nowhere.onnx", r"give one as yunet:FILE\.onnx"),
        (tmp_path, r"give one as yunet:FILE\.onnx"),
        (text, "is not a YuNet model"),
        (assets_root() / "weights" / "face_net.onnx", "is not a YuNet model"),
    ):
        with pytest.raises(UsageError, match=words):
            open_detector(TrackSettings(detector=f"yunet:{file}"))


@pytest.mark.data
def test_yunet_finds_the_faces_of_a_labelled_photo(data: Path) -> None:
    file = data / "detectors" / "yunet_n_dynamic.onnx"
    detector, card = open_detector(TrackSettings(detector=f"yunet:{file}"))
    assert card is None
    photo = cv2.imread(str(data / "300w" / "train" / "afw_111076519_1.jpg"))
    assert photo is not None
    upright = photo.astype(np.uint8, copy=False)
    boxes = detector.detect(upright)
    assert len(boxes) == 1
    assert abs(boxes[0].roll_deg) < 15
    strict = TrackSettings(detector=f"yunet:{file}", detector_threshold=0.999)
    assert open_detector(strict)[0].detect(upright) == ()
